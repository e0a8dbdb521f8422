"""Check the files of a repository by themselves: which exist, their owners, and whether they are readable."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path

from builder.repository.state.generation import kept_generations, numbered
from builder.repository.state.index import Damaged
from builder.repository.state.layout import Repository, user_name
from builder.repository.state.ledger import written
from builder.repository.state.sweep import begun_files

# What clients, through a web server of another user, have to read.
PUBLISHED = ("dists", "generations", "by-hash", "keyring", "pool")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def check_files(repository: Repository) -> Iterator[str]:
    """What is wrong, one line each."""
    yield from _check_access(repository)
    yield from _check_links(repository)
    yield from _check_strangers(repository)
    yield from _check_unnamed(repository)


def _check_access(repository: Repository) -> Iterator[str]:
    owner = repository.private.stat().st_uid
    # Until such a file is complete, nobody else may read it.
    begun = frozenset(begun_files(repository)) if repository.unfinished.exists() else frozenset()
    published = [repository.root / name for name in PUBLISHED if (repository.root / name).is_dir()]
    everything = [
        repository.root,
        *(path for path in repository.root.glob("*") if path.name not in PUBLISHED),
        *(path for top in published for path in (top, *top.rglob("*"))),
    ]
    for path in (*everything, *repository.private.rglob("*")):
        found = path.lstat()
        name = path.relative_to(repository.root)
        if found.st_uid != owner:
            yield f"{name} belongs to {user_name(found.st_uid)}: chown -h {user_name(owner)} {path}"
        if path.is_relative_to(repository.private) or stat.S_ISLNK(found.st_mode) or path in begun:
            continue
        needed, right = (0o005, "755") if stat.S_ISDIR(found.st_mode) else (0o004, "644")
        if found.st_mode & needed != needed:
            yield f"a web server can't read {name}: chmod {right} {path}"


def _check_links(repository: Repository) -> Iterator[str]:
    try:
        repository.require_links()
    except Damaged as error:
        yield f"{error.summary}: {error.hint}"


def _check_strangers(repository: Repository) -> Iterator[str]:
    """What was not written here, or by a publisher that was killed."""
    if repository.unfinished.exists():
        return
    for path in sorted(repository.dists.glob("*")):
        if not repository.generations(path.name).is_dir():
            yield f"{path.relative_to(repository.root)} is not a suite of this repository"
    for path in sorted(repository.by_hash.glob("*")):
        if not _DIGEST.fullmatch(path.name):
            yield _not_ours(repository, path)
    ours = written(repository)
    for path in sorted(path for path in repository.pool.rglob("*") if not path.is_dir()):
        if str(path.relative_to(repository.root)) not in ours:
            yield _not_ours(repository, path)
    for folder in sorted((repository.root / "generations").glob("*")):
        known = set(numbered(folder))
        for path in sorted(folder.glob("*")):
            if path not in known:
                yield _not_ours(repository, path)


def _check_unnamed(repository: Repository) -> Iterator[str]:
    """Indices that no generation names; unused packages wait for the next prune, remove or resign."""
    if repository.unfinished.exists():
        return
    try:
        generations = [g for suite in repository.suites for g in kept_generations(repository, suite)]
    except (OSError, Damaged):
        # It is told of by itself, and what it named can't be known.
        return
    named = {listed.sha256 for generation in generations for listed in generation.files.values()}
    for path in sorted(repository.by_hash.glob("*")):
        if _DIGEST.fullmatch(path.name) and path.name not in named:
            yield f"{path.relative_to(repository.root)} is an unused index; {_removed(path)}"
    for generation in generations:
        yield from _check_generation(repository, generation.folder)


def _check_generation(repository: Repository, folder: Path) -> Iterator[str]:
    """Whether a client that has read this generation's Release finds its indices by their digests."""
    for index in sorted(folder.glob("*/binary-*")):
        link = index / "by-hash"
        expected = "../../../../../by-hash"
        if not link.is_symlink() or str(link.readlink()) != expected:
            name = link.relative_to(repository.root)
            yield f"{name} is missing or points elsewhere: ln -sfn {expected} {link}"


def _not_ours(repository: Repository, path: Path) -> str:
    return f"{path.relative_to(repository.root)} was not written by this repository; {_removed(path)}"


def _removed(path: Path) -> str:
    return f"to remove it: rm {path}"
