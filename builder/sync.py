"""Keeping a suite fresh: what upstream has released and the suite lacks is built and published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from builder.advisories import kept_faults, kept_file
from builder.errors import EtcdDebError, UsageError
from builder.pipeline import Choices, build
from builder.release.fetch import Sources
from builder.release.listing import ListedRelease, list_releases
from builder.release.pins import Pins
from builder.repository.change import changing
from builder.repository.publish import publish
from builder.repository.state.generation import current_generation
from builder.repository.state.index import Entry
from builder.repository.state.layout import Repository
from builder.system.files import replacing, work_folder
from builder.system.progress import Progress
from builder.version import (
    Architecture,
    PackageVersion,
    Series,
    UpstreamVersion,
    parse_version,
)

SUPPORTED = "supported"


@dataclass(frozen=True, slots=True, order=True)
class Missing:
    """A package that the suite lacks."""

    version: UpstreamVersion
    architecture: Architecture

    def __str__(self) -> str:
        return f"{self.version.tag} for {self.architecture}"


@dataclass(frozen=True, slots=True)
class Failure:
    """A release that could not be built or published, and why."""

    missing: Missing
    error: EtcdDebError


@dataclass(frozen=True, slots=True)
class Synced:
    """What one run published, and what it left out because the suite withholds it."""

    suite: str
    added: tuple[Entry, ...]
    failures: tuple[Failure, ...]
    withheld: tuple[Missing, ...]


def sync(
    repository: Repository,
    suite: str,
    wanted: Sequence[Series],
    architectures: Sequence[Architecture],
    choices: Choices,
    sources: Sources,
    pins: Pins,
    progress: Progress,
) -> Synced:
    """Build and publish what is missing, each by itself: a release that fails stops no other one.

    Asks the source for its list, and for nothing else where nothing is missing. Raises what
    list_releases() raises, and UsageError for an unknown suite.
    """
    current = current_generation(repository, suite)
    taken_back = {
        (version, architecture)
        for one in current.withheld
        for name, _, architecture in [one.rpartition("_")]
        for version in _upstream(name)
    }
    added: list[Entry] = []
    failures: list[Failure] = []
    withheld: list[Missing] = []
    there = list_releases(sources, pins, progress)
    for missing in find_missing(there, current.all_entries(), wanted, architectures):
        if (missing.version, missing.architecture) in taken_back:
            withheld.append(missing)
            continue
        try:
            added += _bring(repository, suite, missing, choices, sources, pins, progress.apart())
        except EtcdDebError as error:
            failures.append(Failure(missing, error))
            progress.step(f"{missing} failed: {error.summary}")
    return Synced(suite, tuple(added), tuple(failures), tuple(withheld))


def mark_faults(repository: Repository, progress: Progress) -> None:
    """Have the page mark what GitHub reports about versions of etcd, as builder/advisories.py keeps it.

    Raises what a change raises.
    """
    from builder.repository.announcement.page import announce_all, page_faults

    kept = kept_file()
    try:
        fresh = kept.is_file() and kept_faults(kept).table != page_faults(repository).table
    except EtcdDebError:
        # keep_advisories() has said it.
        fresh = False
    if not fresh:
        return
    with changing(repository, progress):
        with replacing(repository.advisories, "keeping the advisories") as out:
            out.write(kept.read_bytes())
        announce_all(repository)


def find_missing(
    releases: Iterable[ListedRelease],
    present: Sequence[Entry],
    wanted: Sequence[Series],
    architectures: Sequence[Architecture],
) -> tuple[Missing, ...]:
    """The packages to build, oldest first.

    Of a series that the suite has, every release from the oldest one there on, by architecture, so that what
    was pruned stays away; of another one its newest release. Pre-releases are left out.
    """
    chosen = [
        release.version
        for release in releases
        if not release.version.stage and (release.version.series in wanted if wanted else release.supported)
    ]
    have = {(version, entry.architecture) for entry in present for version in _upstream(entry.version)}
    found: list[Missing] = []
    for series in {version.series for version in chosen}:
        versions = [version for version in chosen if version.series == series]
        there = [one for one in have if one[0].series == series]
        oldest_of_all = min((version for version, _ in there), default=max(versions))
        for architecture in architectures:
            oldest = min((version for version, name in there if name == architecture), default=oldest_of_all)
            found += (
                Missing(version, architecture)
                for version in versions
                if version >= oldest and (version, architecture) not in have
            )
    return tuple(sorted(found))


def parse_series(names: Iterable[str]) -> tuple[Series, ...]:
    """Series by their names, `supported` for those that upstream still supports. Raises UsageError."""
    return tuple(_series(name) for name in names if name != SUPPORTED)


def _series(name: str) -> Series:
    series = parse_version(name)
    if not isinstance(series, Series):
        raise UsageError(f"{name!r} is not a series of etcd", details=("expected  3.6, or supported",))
    return series


def _upstream(packaged: str) -> tuple[UpstreamVersion, ...]:
    """The release that a package of this version holds; none where it says no such thing."""
    with suppress(UsageError):
        version = parse_version(packaged.rpartition("-")[0].replace("~", "-"))
        if isinstance(version, UpstreamVersion):
            return (version,)
    return ()


def _bring(
    repository: Repository,
    suite: str,
    missing: Missing,
    choices: Choices,
    sources: Sources,
    pins: Pins,
    progress: Progress,
) -> Iterator[Entry]:
    version = PackageVersion(missing.version, "1")
    with work_folder(progress) as work:
        (built,) = build(version, (missing.architecture,), choices, sources, pins, work / "dist", progress)
        yield from publish(repository, suite, [built.upload.changes], None, progress).added
