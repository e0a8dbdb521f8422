"""What no suite and no kept generation needs: removed, oldest first."""

from __future__ import annotations

import shutil
import time
from itertools import pairwise
from pathlib import Path

from builder.repository.generation import kept_generations, numbered
from builder.repository.index import index_text, read_index
from builder.repository.layout import Repository

KEPT_GENERATIONS = 3
# Seconds for which a client that has read a Release may still ask for the indices it names, however many
# changes came after it. A client's whole update takes seconds.
GRACE = 600


def retire(repository: Repository, suite: str) -> None:
    """Remove the generations that no client can be reading any more, and indices that no other names."""
    current = int(repository.link(suite).resolve().name)
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
    """Remove what a publisher that was killed has made and nobody sees."""
    for suite_folder in (repository.root / "generations").glob("*"):
        link = repository.link(suite_folder.name)
        current = int(link.resolve().name) if link.is_symlink() else 0
        for folder in numbered(suite_folder):
            if int(folder.name) > current:
                _remove_generation(folder)
        for folder in suite_folder.glob(".*"):
            shutil.rmtree(folder)
    for temporary in (
        *repository.pool.glob("*/.*"),
        *repository.by_hash.glob(".*"),
        *repository.dists.glob(".*"),
    ):
        temporary.unlink()
    # Of replacing(); other hidden files are not ours.
    for name in (".index.html.*", ".*.sources.*", ".etcd-ha-archive-keyring.*"):
        for temporary in repository.root.glob(name):
            temporary.unlink()
    _remove_unreferenced_indices(repository)
    remove_unreferenced_packages(repository)


def _remove_generation(folder: Path) -> None:
    # Out of sight first: a removal that is broken off must not leave half a generation.
    hidden = folder.with_name(f".{folder.name}")
    folder.rename(hidden)
    shutil.rmtree(hidden)


def remove_unreferenced_packages(repository: Repository) -> tuple[Path, ...]:
    """The packages that no kept generation of any suite names; they are gone then."""
    named = {
        entry.filename
        for digest_of_index in _named_indices(repository, "/Packages")
        for entry in read_index(index_text(repository.by_hash / digest_of_index))
    }
    gone = [
        path
        for path in sorted(repository.pool.glob("*/*.deb"))
        if str(path.relative_to(repository.root)) not in named
    ]
    for path in gone:
        path.unlink()
    return tuple(gone)


def _remove_unreferenced_indices(repository: Repository) -> None:
    named = _named_indices(repository, "")
    for path in repository.by_hash.glob("[!.]*"):
        if path.name not in named:
            path.unlink()


def _named_indices(repository: Repository, suffix: str) -> set[str]:
    return {
        listed.sha256
        for suite in repository.suites
        for generation in kept_generations(repository, suite)
        for name, listed in generation.files.items()
        if name.endswith(suffix)
    }
