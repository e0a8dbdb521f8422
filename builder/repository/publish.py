"""Publishing packages: pool, indices, one rename."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from builder.errors import EtcdDebError
from builder.repository.change import add_to_pool, changing, switch
from builder.repository.incoming import read_incoming
from builder.repository.state.generation import Generation, current_generation
from builder.repository.state.index import Entry, IndexKey
from builder.repository.state.layout import Repository
from builder.system.progress import Progress


@dataclass(frozen=True, slots=True)
class Published:
    """What a change added to a suite. added: empty if everything was already there."""

    suite: str
    generation: int
    added: tuple[Entry, ...]


class Withheld(EtcdDebError):
    """A version that remove or rollback withheld; only repo release allows it again."""


def publish(
    repository: Repository, suite: str, files: Sequence[Path], component: str | None, progress: Progress
) -> Published:
    """Add packages to a suite; what is there already with the same bytes is left as it is.

    Raises UsageError for an unknown suite, what read_incoming() and add_to_pool() raise, SigningFailed,
    DiskFull. Clients see what they saw before then.
    """
    repository.require_suite(suite)
    packages = read_incoming(files, component)
    with changing(repository, progress):
        # Before they are copied, which takes the longest.
        _refuse_withheld(
            repository, current_generation(repository, suite), [package.entry for package in packages]
        )
        add_to_pool(repository, packages)
        return add_entries(repository, suite, [package.entry for package in packages], progress)


def add_entries(
    repository: Repository, suite: str, entries: Sequence[Entry], progress: Progress
) -> Published:
    """Add packages that are in the pool to a suite, within changing(). Raises Withheld."""
    current = current_generation(repository, suite)
    _refuse_withheld(repository, current, entries)
    added, changed = _with(current, entries)
    if not added:
        return Published(suite, current.number, ())
    progress.step(f"publishing {len(added)} {'package' if len(added) == 1 else 'packages'} in {suite}")
    generation = switch(repository, suite, changed, progress)
    return Published(suite, generation.number, tuple(added))


def _refuse_withheld(repository: Repository, current: Generation, entries: Sequence[Entry]) -> None:
    for entry in entries:
        if entry.identity in current.withheld:
            raise Withheld(
                f"{current.suite} withholds {entry.version} for {entry.architecture}",
                details=("expected  another version, or this one after its release",),
                hint=f"etcd-deb repo release {repository.root} {current.suite} {entry.version}",
            )


def _with(
    current: Generation, entries: Sequence[Entry]
) -> tuple[list[Entry], Mapping[IndexKey, Sequence[Entry]]]:
    added: list[Entry] = []
    changed: dict[IndexKey, Sequence[Entry]] = {}
    for key in dict.fromkeys(entry.key for entry in entries):
        listed = {entry.filename: entry for entry in current.entries(key)}
        fresh = {e.filename: e for e in entries if e.key == key and e.filename not in listed}
        if fresh:
            changed[key] = [*listed.values(), *fresh.values()]
            added += fresh.values()
    return added, changed
