"""Changing what a suite holds without a new package: remove, prune, promote, rollback, resign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from builder.errors import EtcdDebError, UsageError
from builder.repository.change import changing, switch
from builder.repository.publish import Published, add_entries
from builder.repository.state.generation import Generation, current_generation, kept_generations
from builder.repository.state.index import Entry
from builder.repository.state.layout import Repository
from builder.repository.state.sweep import KEPT_GENERATIONS, remove_unreferenced_packages
from builder.system.progress import Progress


@dataclass(frozen=True, slots=True)
class Removed:
    """What a change removed from a suite. deleted: files of the pool that are no longer needed."""

    suite: str
    generation: int
    removed: tuple[Entry, ...]
    deleted: tuple[str, ...]


def remove(repository: Repository, suite: str, version: str, progress: Progress) -> Removed:
    """Take a version out of a suite, for every architecture; it is withheld until it is released.

    The files stay while a kept generation names them. Raises UsageError where the suite has no such version.
    """
    with changing(repository, progress):
        current = current_generation(repository, suite)
        if all(entry.version != version for entry in current.all_entries()):
            versions = dict.fromkeys(entry.version for entry in current.all_entries())
            raise UsageError(
                f"{suite} has no version {version}",
                details=(f"expected  one of {', '.join(versions) or 'none'}",),
            )
        taken = {entry.identity for entry in current.all_entries() if entry.version == version}
        return _keep(
            repository, current, lambda entry: entry.version != version, progress, current.withheld | taken
        )


def prune(repository: Repository, suite: str, keep: int, progress: Progress) -> Removed:
    """Keep the newest versions of each component and architecture. keep: how many, at least 1."""
    if keep < 1:
        raise UsageError("prune must keep at least one version", details=(f"found     {keep}",))
    with changing(repository, progress):
        current = current_generation(repository, suite)
        entries = sorted(current.all_entries(), key=lambda entry: entry.key)
        kept = {
            entry.filename
            for _, group in groupby(entries, key=lambda entry: entry.key)
            for entry in sorted(group, key=Entry.order)[-keep:]
        }
        return _keep(repository, current, lambda entry: entry.filename in kept, progress, current.withheld)


def promote(
    repository: Repository, source: str, target: str, version: str | None, progress: Progress
) -> Published:
    """Add to one suite what another one holds: one version, or all that the target does not withhold."""
    repository.require_suite(target)
    with changing(repository, progress):
        found = [
            e for e in current_generation(repository, source).all_entries() if version in (None, e.version)
        ]
        if not found:
            raise UsageError(f"{source} has no version {version}" if version else f"{source} is empty")
        if version is None:
            withheld = current_generation(repository, target).withheld
            for entry in found:
                if entry.identity in withheld:
                    progress.warn(f"{target} withholds {entry.version} for {entry.architecture}")
            found = [entry for entry in found if entry.identity not in withheld]
        return add_entries(repository, target, found, progress)


def release(
    repository: Repository, suite: str, version: str, progress: Progress
) -> tuple[tuple[str, str], ...]:
    """Stop withholding a version. Returns what is released, with its architectures. Raises UsageError."""
    with changing(repository, progress):
        current = current_generation(repository, suite)
        freed = {one for one in current.withheld if one.rpartition("_")[0] == version}
        if not freed:
            versions = sorted({one.rpartition("_")[0] for one in current.withheld})
            raise UsageError(
                f"{suite} does not withhold {version}",
                details=(f"expected  one of {', '.join(versions) or 'none'}",),
            )
        switch(repository, suite, {}, progress, withheld=current.withheld - freed)
        return tuple((version, one.rpartition("_")[2]) for one in sorted(freed))


def rollback(repository: Repository, suite: str, number: int | None, progress: Progress) -> Generation:
    """Show clients an earlier generation again, under a newer date. number: None for the one before.

    What it removes is withheld, and what it restores no longer is.
    """
    with changing(repository, progress):
        current = current_generation(repository, suite)
        earlier = {g.number: g for g in kept_generations(repository, suite) if g.number < current.number}
        wanted = number if number is not None else max(earlier, default=0)
        if wanted not in earlier:
            raise EtcdDebError(
                f"{suite} has no generation {wanted} to go back to"
                if wanted
                else f"{suite} has only one generation",
                details=(f"expected  one of {', '.join(map(str, earlier)) or 'none'}",),
                hint=f"to list the last {KEPT_GENERATIONS}: etcd-deb repo list {repository.root} {suite}",
            )
        now, then = ({entry.identity for entry in one.all_entries()} for one in (current, earlier[wanted]))
        withheld = (current.withheld | now) - then
        return switch(repository, suite, {}, progress, base=earlier[wanted], withheld=withheld)


def resign(repository: Repository, progress: Progress) -> tuple[Generation, ...]:
    """Sign every suite again: a later Date, and a later Valid-Until if there is one."""
    with changing(repository, progress):
        done = tuple(switch(repository, suite, {}, progress) for suite in repository.suites)
        remove_unreferenced_packages(repository)
        return done


def _keep(
    repository: Repository,
    current: Generation,
    wanted: Callable[[Entry], bool],
    progress: Progress,
    withheld: frozenset[str],
) -> Removed:
    changed = {key: [e for e in current.entries(key) if wanted(e)] for key in current.keys}
    removed = tuple(entry for entry in current.all_entries() if not wanted(entry))
    number = current.number
    if removed:
        number = switch(repository, current.suite, changed, progress, withheld=withheld).number
    deleted = tuple(str(p.relative_to(repository.root)) for p in remove_unreferenced_packages(repository))
    return Removed(current.suite, number, removed, deleted)
