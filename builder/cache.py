"""Downloaded files, kept between builds and shared by builds that run at the same time."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from builder.errors import DownloadFailed
from builder.progress import Progress
from builder.release import ReleaseFile, RemoteOrigin, without_login
from builder.replace import disk_full_named, replacing
from builder.settings import xdg_folder

WAIT_FOR_OTHER = 1800
POLL = 0.2


def cache_folder() -> Path:
    """Where downloads are kept. Raises EtcdDebError where the user has no home."""
    return xdg_folder("XDG_CACHE_HOME", "~/.cache") / "etcd-deb" / "releases"


def cached(
    origin: RemoteOrigin, file: ReleaseFile, fill: Callable[[BinaryIO, Path], None], progress: Progress
) -> Path:
    """The cached tarball; fill writes it where it isn't there yet.

    One process fills a file at a time, the others wait for it. What was not filled to the end is removed.
    """
    host = re.sub(r"[^A-Za-z0-9.]+", "_", without_login(origin.base).partition("://")[2])
    path = cache_folder() / host / file.version.tag / file.name
    with _locked(path, progress):
        if not path.exists():
            for left_by_a_killed_one in path.parent.glob(f".{file.name}.*.part"):
                left_by_a_killed_one.unlink()
            with replacing(path, f"fetching {file.name}", suffix=".part") as out:
                fill(out, path)
    return path


@contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    lock = path.with_name(f"{path.name}.lock")
    with disk_full_named(lock, "locking the cache"):
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        waited = 0.0
        while not _try_lock(handle):
            if not waited:
                progress.step(f"waiting for another etcd-deb that fetches {path.name}")
            if waited > WAIT_FOR_OTHER:
                raise DownloadFailed(
                    f"another etcd-deb has been fetching {path.name} for {WAIT_FOR_OTHER} s",
                    details=(f"lock      {lock}",),
                    hint=f"fuser {lock} names it; end it and run the command again",
                )
            progress.pause(POLL)
            waited += POLL
        yield
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
