"""Which releases there are, and which one a request means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from builder.errors import DownloadFailed, NoSuchRelease, UsageError
from builder.known_faults import ended_on
from builder.release.fetch import Sources
from builder.release.github import Release
from builder.release.origin import FolderOrigin, RemoteOrigin, without_login
from builder.release.pins import Pins
from builder.system.progress import Progress
from builder.version import Series, UpstreamVersion, VersionRequest, parse_version

INDEX_LIMIT = 4 * 1024 * 1024
_LINK = re.compile(r"""href=["']?(?:[^"'>]*/)?(v\d+\.\d+\.\d+[^"'/>]*)/["']?""")


@dataclass(frozen=True, slots=True)
class ListedRelease:
    """A release as `etcd-deb versions` shows it. supported: upstream still supports its series."""

    version: UpstreamVersion
    day: date | None
    pinned: bool
    supported: bool


def list_releases(sources: Sources, pins: Pins, progress: Progress) -> tuple[ListedRelease, ...]:
    """Every release that the source has, newest first.

    Raises DownloadFailed, with a message of its own for GitHub's rate limit; NoSuchRelease for a source
    without any.
    """
    return tuple(
        ListedRelease(
            release.version,
            release.day,
            any(name.startswith(f"etcd-{release.version.tag}-linux-") for name in pins.by_name),
            not ended_on(release.version.series),
        )
        for release in sorted(_releases(sources, progress), key=lambda release: release.version, reverse=True)
    )


def resolve(request: VersionRequest, sources: Sources, progress: Progress) -> UpstreamVersion:
    """The version that a request means: itself, the newest of its series, or the newest of all.

    Raises what list_releases() raises; a full version needs no request.
    """
    if isinstance(request, UpstreamVersion):
        return request
    progress.step(f"looking up release {request}")
    found = [
        release.version
        for release in _releases(sources, progress)
        if not release.version.stage
        and (not isinstance(request, Series) or release.version.series == request)
    ]
    if not found:
        raise NoSuchRelease(
            f"{sources.origin} has no release of etcd {request}",
            hint="etcd-deb versions lists the releases",
        )
    return max(found)


def _releases(sources: Sources, progress: Progress) -> tuple[Release, ...]:
    if isinstance(sources.origin, FolderOrigin):
        return _in_folder(sources.origin)
    if sources.witness_has_tarballs:
        return sources.github.releases(progress)
    try:
        return _in_index(sources.origin, sources, progress)
    except (NoSuchRelease, DownloadFailed) as error:
        progress.step(f"{error.summary}; asking {sources.github.api}")
        return sources.github.releases(progress)


def _in_folder(origin: FolderOrigin) -> tuple[Release, ...]:
    if not origin.folder.is_dir():
        raise NoSuchRelease(
            f"the source {origin} is not a folder",
            hint="to fill a folder: etcd-deb fetch VERSION --output DIR",
        )
    return _versions([path.name for path in origin.folder.iterdir() if path.is_dir()])


def _in_index(origin: RemoteOrigin, sources: Sources, progress: Progress) -> tuple[Release, ...]:
    """The folders that a mirror's own index page links to."""
    url = f"{origin.base}/"
    page = sources.client(origin, progress).read(url, limit=INDEX_LIMIT)
    found = _versions(_LINK.findall(page.decode("utf-8", "replace")))
    if not found:
        raise NoSuchRelease(
            f"{origin} lists no releases",
            details=(f"fetching  {without_login(url)}", "expected  links to folders such as v3.6.7/"),
            hint="name a full version, such as v3.6.7",
        )
    return found


def _versions(names: list[str]) -> tuple[Release, ...]:
    found: set[UpstreamVersion] = set()
    for name in names:
        try:
            version = parse_version(name)
        except UsageError:
            continue
        if isinstance(version, UpstreamVersion) and name == version.tag:
            found.add(version)
    return tuple(Release(version, None) for version in found)
