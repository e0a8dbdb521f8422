"""What no suite and no kept generation needs: removed, oldest first."""

from __future__ import annotations

import re
import shutil
import time
from itertools import pairwise
from pathlib import Path

from builder.repository.state.generation import kept_generations, numbered
from builder.repository.state.index import KEYRING_PACKAGE, index_text, read_index
from builder.repository.state.layout import Repository
from builder.repository.state.ledger import written
from builder.system.digest import file_digest

KEPT_GENERATIONS = 3
# Seconds for which a client that has read a Release may still ask for the indices it names, however many
# changes came after it. A client's whole update takes seconds.
GRACE = 600
_DIGEST = re.compile(r"[0-9a-f]{64}")
_KEPT_TO_OURSELVES = ("repository.json", "pool-files", "pushed.json")
_REPLACED = ("index.html", "*.sources", "etcd-ha-archive-keyring.gpg", "etcd-ha-archive-keyring.asc")


def retire(repository: Repository, suite: str) -> None:
    """Remove the generations that no client can still be reading, and indices that no other names."""
    current = int(repository.seen(suite).name)
    folders = [folder for folder in numbered(repository.generations(suite)) if int(folder.name) <= current]
    gone = False
    for folder, successor in pairwise(folders[: 1 - KEPT_GENERATIONS]):
        if time.time() - (successor / "InRelease").stat().st_mtime < GRACE:
            break
        _remove_generation(folder)
        gone = True
    if gone:
        _remove_unreferenced_indices(repository)


def remove_leftovers(repository: Repository) -> None:
    """Remove the invisible leftovers of a killed publisher; nothing with another kind of name."""
    for suite_folder in (repository.root / "generations").glob("[!.]*"):
        suite = suite_folder.name
        current = int(repository.seen(suite).name) if repository.link(suite).is_symlink() else 0
        for folder in numbered(suite_folder):
            if int(folder.name) > current:
                _remove_generation(folder)
        for folder in suite_folder.glob(".*"):
            if folder.name[1:].isdecimal():
                shutil.rmtree(folder)
        (repository.dists / f".{suite}").unlink(missing_ok=True)
    for temporary in begun_files(repository):
        temporary.unlink()
    _remove_unreferenced_indices(repository)
    remove_unreferenced_packages(repository)


def begun_files(repository: Repository) -> tuple[Path, ...]:
    """Files that a publisher has not finished, by their names; those of a killed one are left."""
    ours = written(repository)
    return (
        *(path for path in repository.pool.glob("*/.*") if _name(repository, path) in ours),
        *(path for path in repository.by_hash.glob(".*") if _DIGEST.fullmatch(path.name[1:])),
        # Of replacing(), with what tempfile adds; an editor's own files are named otherwise.
        *(path for name in _REPLACED for path in repository.root.glob(f".{name}.????????")),
        *(repository.root / "keyring").glob(f".{KEYRING_PACKAGE}_*.deb.????????"),
        *(path for name in _KEPT_TO_OURSELVES for path in repository.private.glob(f".{name}.????????")),
    )


def _name(repository: Repository, temporary: Path) -> str:
    return str(temporary.with_name(temporary.name[1:]).relative_to(repository.root))


def _remove_generation(folder: Path) -> None:
    # Out of sight first: a removal that is broken off must not leave half a generation.
    hidden = folder.with_name(f".{folder.name}")
    folder.rename(hidden)
    shutil.rmtree(hidden)


def remove_unreferenced_packages(repository: Repository) -> tuple[Path, ...]:
    """Remove our packages that no kept generation of any suite names, and return them."""
    named = {
        entry.filename
        for digest_of_index in _named_indices(repository, "/Packages")
        for entry in read_index(index_text(repository.by_hash / digest_of_index))
    }
    ours = written(repository)
    gone = [
        path
        for path in sorted(repository.pool.glob("*/*.deb"))
        if (name := str(path.relative_to(repository.root))) not in named
        and name in ours
        and not path.is_symlink()
        and file_digest(path) in ours[name]
    ]
    for path in gone:
        path.unlink()
    return tuple(gone)


def _remove_unreferenced_indices(repository: Repository) -> None:
    named = _named_indices(repository, "")
    for path in repository.by_hash.glob("[!.]*"):
        if path.name not in named and _DIGEST.fullmatch(path.name):
            path.unlink()


def _named_indices(repository: Repository, suffix: str) -> set[str]:
    return {
        listed.sha256
        for suite in repository.suites
        for generation in kept_generations(repository, suite)
        for name, listed in generation.files.items()
        if name.endswith(suffix)
    }
