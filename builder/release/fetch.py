"""Fetching a release: the tarball, and what the witnesses say of it. All use of the network ends here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from builder.errors import DownloadFailed, EtcdDebError, NoSuchRelease
from builder.release.cache import cached, discard
from builder.release.checksums import format_checksums, parse_checksums
from builder.release.github import GitHub
from builder.release.origin import CHECKSUMS, FolderOrigin, Origin, ReleaseFile, RemoteOrigin, without_login
from builder.system.progress import Progress
from builder.version import UpstreamVersion

if TYPE_CHECKING:
    from builder.release.http import Client

TARBALL_LIMIT = 256 * 1024 * 1024
CHECKSUMS_LIMIT = 1024 * 1024
WITNESSES_NEEDED = 2
# Named after a host by `etcd-deb fetch`: SHA256SUMS~ or SHA256SUMS.orig makes no second witness of one.
_KEPT_NAME = re.compile(rf"{CHECKSUMS}(\.[\w-]+(\.[\w-]+)*(\.[\w-]+|:\d+))?")


@dataclass(frozen=True, slots=True)
class Testimony:
    """What one witness says of a release's digests, as SHA256SUMS. file: its name in a folder."""

    witness: str
    file: str
    checksums: str


@dataclass(frozen=True, slots=True)
class Hearing:
    """Every witness that was asked: those that spoke, and why the others didn't."""

    testimonies: tuple[Testimony, ...] = ()
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetched:
    """A tarball as it arrived, not to be trusted yet, and what the witnesses said."""

    file: ReleaseFile
    path: Path
    url: str
    hearing: Hearing
    in_cache: bool

    def discard(self) -> None:
        """Remove a bad tarball from the cache; a file in the user's own folder stays."""
        if self.in_cache:
            discard(self.path)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where to ask. With a folder as origin neither witness nor GitHub is asked.

    timeout: in seconds; cache_limit: bytes that downloads may take up.
    """

    origin: Origin
    witness: RemoteOrigin
    github: GitHub
    timeout: int
    witness_has_tarballs: bool
    cache_limit: int

    def client(self, origin: RemoteOrigin, progress: Progress) -> Client:
        # Loaded here, since a build from a folder or from the cache needs no requests.
        from builder.release.http import Client

        return Client(timeout=self.timeout, progress=progress, plain_http=origin.base.startswith("http://"))


def fetch(file: ReleaseFile, sources: Sources, progress: Progress, *, witnesses: bool) -> Fetched:
    """The tarball and, where wanted, the witnesses' words; a pinned file needs none.

    Raises NoSuchRelease, DownloadFailed, DiskFull.
    """
    if isinstance(sources.origin, FolderOrigin):
        return _from_folder(file, sources.origin)
    used = sources.origin
    try:
        path = _download(file, used, sources, progress)
    except NoSuchRelease as error:
        raise _what_is_missing(file, used, sources, progress) from error
    except DownloadFailed as error:
        if not sources.witness_has_tarballs:
            raise
        progress.step(f"{error.summary}; trying {sources.witness}")
        used = sources.witness
        path = _download(file, used, sources, progress)
    hearing = hear(file.version, sources, progress) if witnesses else Hearing()
    url = without_login(used.url(file.version, file.name))
    return Fetched(file, path, url, hearing, in_cache=True)


def hear(version: UpstreamVersion, sources: Sources, progress: Progress) -> Hearing:
    """Two witnesses if available: SHA256SUMS of both origins, else GitHub's digests.

    For a folder, only the checksums that `etcd-deb fetch` stored there are read.
    """
    if isinstance(sources.origin, FolderOrigin):
        return _kept(sources.origin.folder / version.tag)
    heard: list[Testimony] = []
    silent: list[str] = []
    servers: set[tuple[str, int]] = set()

    def of(origin: RemoteOrigin) -> str:
        return _checksums(origin, version, sources, progress)

    def digests() -> str:
        return format_checksums(sources.github.digests(version, progress))

    def ask(origin: RemoteOrigin, witness: str, file: str, question: Callable[[], str]) -> None:
        # Two answers of one server are one witness, whatever folders are named, and however it is spelled.
        if origin.server in servers:
            silent.append(f"{witness}: the same server as another witness")
            return
        progress.step(f"asking {witness}")
        try:
            heard.append(Testimony(witness, file, question()))
            servers.add(origin.server)
        except (NoSuchRelease, DownloadFailed) as error:
            silent.append(f"{witness}: {error.summary}")

    ask(sources.origin, f"{CHECKSUMS} of {sources.origin}", CHECKSUMS, partial(of, sources.origin))
    name = f"{CHECKSUMS}.{sources.witness}"
    ask(sources.witness, f"{CHECKSUMS} of {sources.witness}", name, partial(of, sources.witness))
    if len(heard) < WITNESSES_NEEDED:
        api = sources.github.api
        ask(api, f"asset digests of {api}", f"{CHECKSUMS}.{api}", digests)
    return Hearing(tuple(heard), tuple(silent))


def _from_folder(file: ReleaseFile, origin: FolderOrigin) -> Fetched:
    path = origin.path(file.version, file.name)
    if not path.is_file():
        there = sorted(found.name for found in path.parent.glob("etcd-*.tar.gz"))
        raise NoSuchRelease(
            f"{origin} has no {file.name}",
            details=(f"expected  {path}", f"found     {', '.join(there) or 'no release of this version'}"),
            hint=f"etcd-deb fetch {file.version.tag} --arch {file.architecture} --output {origin}",
        )
    # The folder's own path stays out, so that the package has the same bytes wherever the folder is.
    return Fetched(file, path, f"file:{file.name}", _kept(path.parent), in_cache=False)


def _kept(folder: Path) -> Hearing:
    return Hearing(
        tuple(
            Testimony(f"{kept.name} in the folder", kept.name, kept.read_text("utf-8", "replace"))
            for kept in sorted(folder.glob(f"{CHECKSUMS}*"))
            if _KEPT_NAME.fullmatch(kept.name) and kept.is_file()
        )
    )


def _download(file: ReleaseFile, origin: RemoteOrigin, sources: Sources, progress: Progress) -> Path:
    url = origin.url(file.version, file.name)

    def fill(out: BinaryIO, path: Path) -> None:
        progress.step(f"fetching {without_login(url)}")
        sources.client(origin, progress).download(url, out, path, limit=TARBALL_LIMIT)

    return cached(origin, file, fill, progress, limit=sources.cache_limit)


def _what_is_missing(
    file: ReleaseFile, origin: RemoteOrigin, sources: Sources, progress: Progress
) -> NoSuchRelease:
    try:
        checksums = _checksums(origin, file.version, sources, progress)
        names = [name for name in parse_checksums(checksums, CHECKSUMS) if "-linux-" in name]
    except EtcdDebError:
        return NoSuchRelease(
            f"{origin} has no etcd {file.version.tag}",
            details=(f"fetching  {without_login(origin.url(file.version, file.name))}",),
            hint="etcd-deb versions lists the releases",
        )
    return NoSuchRelease(
        f"etcd {file.version.tag} has no release for {file.architecture}",
        details=(f"expected  {file.name}", f"found     {', '.join(sorted(names)) or 'no tarball for Linux'}"),
        hint="choose another --arch",
    )


def _checksums(origin: RemoteOrigin, version: UpstreamVersion, sources: Sources, progress: Progress) -> str:
    client = sources.client(origin, progress)
    body = client.read(origin.url(version, CHECKSUMS), limit=CHECKSUMS_LIMIT)
    return body.decode("utf-8", errors="replace")
