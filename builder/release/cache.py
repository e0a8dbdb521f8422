"""Downloaded files, kept between builds and shared by builds that run at the same time."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from builder.release.origin import ReleaseFile, RemoteOrigin, without_login
from builder.settings import xdg_folder
from builder.system import lock
from builder.system.files import disk_full_named, replacing
from builder.system.progress import Progress

# HOST/TAG/FILE: nothing else in the folder is the cache's.
_FILES = "[!.]*/v*/etcd-v*.tar.gz"
_PARTS = "[!.]*/v*/.etcd-v*.tar.gz.*.part"
MEGABYTE = 1_000_000
# The locks of the files that this process uses. They end with it.
_leases: dict[Path, int] = {}


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file of the cache. size: in bytes; used: when a build last took it, UTC."""

    path: Path
    size: int
    used: datetime


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed from the cache, what stays, and what of that stays because it is in use."""

    removed: tuple[CachedFile, ...]
    kept: tuple[CachedFile, ...]
    in_use: tuple[CachedFile, ...]


def cache_folder() -> Path:
    """Where downloads are kept. Raises EtcdDebError where the user has no home."""
    return xdg_folder("XDG_CACHE_HOME", "~/.cache") / "etcd-deb" / "releases"


def cached(
    origin: RemoteOrigin,
    file: ReleaseFile,
    fill: Callable[[BinaryIO, Path], None],
    progress: Progress,
    *,
    limit: int,
) -> Path:
    """The cached tarball; fill writes it where it isn't there yet.

    One process fills a file at a time, the others wait for it. What was not filled to the end is removed.
    Until this process ends, no other one removes the file. limit: bytes that the cache may hold; what was
    used longest ago makes room for what is new. Raises StillLocked, DiskFull.
    """
    host = re.sub(r"[^A-Za-z0-9.]+", "_", without_login(origin.base).partition("://")[2])
    path = cache_folder() / host / file.version.tag / file.name
    what = f"another etcd-deb that is fetching {path.name}"
    filled = False
    while not _leased(path, what, progress):
        with lock.locked(_lock_of(path), what, progress):
            if not path.exists():
                _fill(path, fill)
                filled = True
    os.utime(path)
    if filled:
        _make_room(limit, progress)
    return path


def discard(path: Path) -> None:
    """Remove an untrusted file that is no longer in use."""
    path.unlink(missing_ok=True)
    _end_lease(path)


def _leased(path: Path, what: str, progress: Progress) -> bool:
    """Whether the file is there, and stays there from now on."""
    with disk_full_named(path, "locking the cache"):
        lease = lock.take(_lock_of(path), what, progress, shared=True)
    if not path.exists():
        os.close(lease)
        _end_lease(path)
        return False
    if _leases.setdefault(path, lease) != lease:
        os.close(lease)
    return True


def _end_lease(path: Path) -> None:
    if (lease := _leases.pop(path, None)) is not None:
        os.close(lease)


def _fill(path: Path, fill: Callable[[BinaryIO, Path], None]) -> None:
    for left_by_a_killed_one in path.parent.glob(f".{path.name}.*.part"):
        left_by_a_killed_one.unlink()
    with replacing(path, f"fetching {path.name}", suffix=".part") as out:
        fill(out, path)


def _make_room(limit: int, progress: Progress) -> None:
    if removed := prune(limit).removed:
        megabytes = sum(file.size for file in removed) / MEGABYTE
        names = ", ".join(file.path.name for file in removed)
        progress.step(f"removed the {megabytes:.0f} MB used least recently from the cache: {names}")


def contents() -> tuple[CachedFile, ...]:
    """What the cache holds, last used first. A file that was not fetched to the end is named .FILE.….part."""
    found = [file for pattern in (_FILES, _PARTS) for file in _looked_at(pattern)]
    return tuple(sorted(found, key=lambda file: file.used, reverse=True))


def _looked_at(pattern: str) -> Iterator[CachedFile]:
    for path in cache_folder().glob(pattern):
        try:
            status = path.lstat()
        except FileNotFoundError:
            # Removed by another process since it was listed.
            continue
        yield CachedFile(path, status.st_size, datetime.fromtimestamp(int(status.st_mtime), UTC))


def prune(limit: int) -> Pruned:
    """Remove the least recently used files, until the cache has at most limit bytes.

    What a running etcd-deb uses stays, and counts.
    """
    files = contents()
    total = sum(file.size for file in files)
    removed: list[CachedFile] = []
    in_use: list[CachedFile] = []
    for file in reversed(files):
        if total <= limit:
            break
        if _removed(file.path):
            removed.append(file)
            total -= file.size
        else:
            in_use.append(file)
    kept = tuple(file for file in files if file not in removed)
    return Pruned(tuple(removed), kept, tuple(in_use))


def _removed(path: Path) -> bool:
    name = path.name.removeprefix(".").partition(".tar.gz")[0] + ".tar.gz"
    its_lock = _lock_of(path.with_name(name))
    handle = lock.try_to_take(its_lock)
    if handle is None:
        return False
    try:
        path.unlink(missing_ok=True)
        if not path.with_name(name).exists():
            its_lock.unlink()
            _remove_if_empty(path.parent)
    finally:
        os.close(handle)
    return True


def _remove_if_empty(folder: Path) -> None:
    for empty in (folder, folder.parent):
        try:
            empty.rmdir()
        except OSError:
            return


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")
