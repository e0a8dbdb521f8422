"""Waiting for a file that another process has locked: with a bound, and saying which process it is."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from builder.errors import EtcdDebError
from builder.system.progress import Progress

# Seconds. What holds a lock fetches a release, or pushes to a remote that may be slow.
WAIT_FOR_OTHER = 1800
POLL = 0.1


class StillLocked(EtcdDebError):
    """Another process has held a lock for longer than etcd-deb waits."""


@contextlib.contextmanager
def locked(path: Path, what: str, progress: Progress) -> Iterator[int]:
    """Alone with what path stands for. Yields the lock, which a child may hold on to.

    The file may be removed while the lock is held.

    what: what the lock is for, as in "waiting for WHAT". Raises StillLocked, OSError.
    """
    handle = take(path, what, progress)
    try:
        yield handle
    finally:
        os.close(handle)


def take(path: Path, what: str, progress: Progress, *, shared: bool = False) -> int:
    """The lock, held until the descriptor is closed. path: made where it is missing.

    Raises StillLocked after WAIT_FOR_OTHER seconds, OSError.
    """
    end = time.monotonic() + WAIT_FOR_OTHER
    said = False
    while (handle := try_to_take(path, shared=shared)) is None:
        if not said:
            progress.step(f"waiting for {what}: {_holders(path)}")
            said = True
        if time.monotonic() > end:
            raise StillLocked(
                f"{what} has not finished within {WAIT_FOR_OTHER} s",
                details=(f"lock      {path}", f"held by   {_holders(path)}"),
                hint="check that process (ps -fp NUMBER), end it if it hangs, and run the command again",
            )
        progress.pause(POLL)
    return handle


def try_to_take(path: Path, *, shared: bool = False) -> int | None:
    """The lock, or None where another one holds it. Raises OSError."""
    while True:
        handle = _open(path)
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            # Whoever had it may have removed the file that was opened.
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        except BlockingIOError:
            os.close(handle)
            return None
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _open(path: Path) -> int:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)


def _holders(path: Path) -> str:
    """The processes that hold the lock, as far as this user may see (proc(5), /proc/PID/fdinfo)."""
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        process = link.parents[1]
        with contextlib.suppress(OSError):
            if str(link.readlink()) == str(path.resolve()) and "lock:" in Path(
                process, "fdinfo", link.name
            ).read_text(encoding="ascii"):
                # Not its command line, which may hold a password.
                found.append(f"process {process.name} ({Path(process, 'comm').read_text('utf-8').strip()})")
    return ", ".join(dict.fromkeys(found)) or "a process that this user can't see"
