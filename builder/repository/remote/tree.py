"""What a remote is to hold: files alone, since a bucket has no links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from builder.repository.remote.storage import RemoteFile
from builder.repository.state.generation import Generation, current_generation
from builder.repository.state.layout import Repository
from builder.system.digest import file_digest


@dataclass(frozen=True, slots=True)
class RemoteTree:
    """The files of the current state, by when they may be seen: each needs the ones before it.

    keyrings: packages of keys, few and small. plain: Packages, Release and the like, which clients of by-hash
    never read. pages: for people.
    """

    keyrings: tuple[RemoteFile, ...]
    packages: tuple[RemoteFile, ...]
    indices: tuple[RemoteFile, ...]
    plain: tuple[RemoteFile, ...]
    switches: Mapping[str, RemoteFile]
    pages: tuple[RemoteFile, ...]

    @property
    def names(self) -> frozenset[str]:
        """All that has to be there."""
        groups = (self.keyrings, self.packages, self.indices, self.plain, self.switches.values(), self.pages)
        return frozenset(file.name for group in groups for file in group)


def remote_tree(repository: Repository) -> RemoteTree:
    """The files of a repository under the names that they have for clients. Raises Damaged, OSError."""
    generations = [current_generation(repository, suite) for suite in repository.suites]
    entries = {entry.filename: entry for generation in generations for entry in generation.all_entries()}
    keyrings = {entry.filename: entry for one in generations for entry in one.keyrings()}
    return RemoteTree(
        keyrings=tuple(
            RemoteFile(entry.filename, repository.root / entry.filename, entry.sha256, entry.size)
            for entry in keyrings.values()
        ),
        packages=tuple(
            RemoteFile(entry.filename, repository.root / entry.filename, entry.sha256, entry.size)
            for entry in entries.values()
        ),
        indices=tuple(file for generation in generations for file in _indices(repository, generation)),
        plain=tuple(file for generation in generations for file in _plain(generation)),
        switches={
            generation.suite: _file(inrelease_name(generation.suite), generation.folder / "InRelease")
            for generation in generations
        },
        pages=tuple(
            _file(path.name, path)
            for path in (
                repository.keyring,
                repository.armoured_key,
                *(file for suite in repository.suites for file in repository.sources_files(suite)),
                repository.root / "index.html",
            )
        ),
    )


def inrelease_name(suite: str) -> str:
    """What clients ask for first."""
    return f"dists/{suite}/InRelease"


def by_hash_name(suite: str, index: str, sha256: str) -> str:
    """What clients ask for in place of an index, such as 3.6/binary-amd64/Packages."""
    return f"dists/{suite}/{index.rpartition('/')[0]}/by-hash/SHA256/{sha256}"


def _indices(repository: Repository, generation: Generation) -> Iterator[RemoteFile]:
    # Two empty indices of one folder are one file.
    named = {
        by_hash_name(generation.suite, name, file.sha256): file for name, file in generation.files.items()
    }
    for name, file in named.items():
        yield RemoteFile(name, repository.by_hash / file.sha256, file.sha256, file.size)


def _plain(generation: Generation) -> Iterator[RemoteFile]:
    for name, listed in generation.files.items():
        path = generation.folder / name
        yield RemoteFile(f"dists/{generation.suite}/{name}", path, listed.sha256, listed.size)
    for name in ("Release", "Release.gpg"):
        yield _file(f"dists/{generation.suite}/{name}", generation.folder / name)


def _file(name: str, path: Path) -> RemoteFile:
    return RemoteFile(name, path, file_digest(path), path.stat().st_size)
