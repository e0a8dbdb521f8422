"""Calls of Linux that Python lacks."""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def sync_file_system(folder: Path) -> None:
    """Bring to the disk all that was written to the file system of a folder (syncfs(2)). Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _check(_libc.syncfs(handle), folder)
    finally:
        os.close(handle)


def end_with(parent: int) -> None:
    """Have this process killed when its parent ends, however that comes about (prctl(2))."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL), None)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _check(status: int, path: Path | None) -> None:
    if status:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path and str(path))
