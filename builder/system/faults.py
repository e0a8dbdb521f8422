"""Errors that no stage explains: those of the machine, with a remedy, and bugs in etcd-deb."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from builder.errors import DiskFull, EtcdDebError, OwnFault, elsewhere

FRAMES = 6
_HERE = Path(__file__).parents[1]
MORE_MEMORY = "free some memory, build one --arch at a time, or raise the limit: ulimit -v unlimited"
MORE_FILES = "raise the limit on open files: ulimit -n 1024"
MORE_PROCESSES = "raise the limit on processes: ulimit -u 1024, and that of the service or container"

_HINTS: dict[int, Callable[[str], str]] = {
    errno.EROFS: lambda path: f"remount it read-write, or {elsewhere(path)}",
    errno.EACCES: lambda path: f"check its owner and mode: ls -ld {path or 'FILE'}; or {elsewhere(path)}",
    errno.EPERM: lambda path: f"check its owner and mode: ls -ld {path or 'FILE'}; or {elsewhere(path)}",
    errno.EMFILE: lambda _: MORE_FILES,
    errno.ENFILE: lambda _: "the whole machine has too many files open: lsof shows which processes have them",
    errno.ENOMEM: lambda _: MORE_MEMORY,
    errno.EAGAIN: lambda _: MORE_PROCESSES,
    errno.EIO: lambda _: "the device has failed: see dmesg",
    errno.ENAMETOOLONG: lambda _: "choose a shorter name",
}
# As programs print them that we run.
PRINTED = {
    os.strerror(errno.ENOMEM): MORE_MEMORY,
    "out of memory": MORE_MEMORY,
    "Out of memory": MORE_MEMORY,
    "memory exhausted": MORE_MEMORY,
    os.strerror(errno.EMFILE): MORE_FILES,
    os.strerror(errno.EAGAIN): MORE_PROCESSES,
    os.strerror(errno.EROFS): "check the folder for temporary files, or choose another one: TMPDIR=DIR",
}


def explained(error: BaseException) -> EtcdDebError:
    """The error for an exception that no stage has explained."""
    if isinstance(error, MemoryError):
        return EtcdDebError("not enough memory", hint=MORE_MEMORY)
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return EtcdDebError("can't start more threads", hint=MORE_PROCESSES)
    if isinstance(error, OSError) and error.errno is not None:
        return _of_machine(error)
    return _own(error)


def _of_machine(error: OSError) -> EtcdDebError:
    path = "" if error.filename is None else os.fsdecode(error.filename)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(path or "a file", "working")
    summary = f"{path}: {error.strerror}" if path else str(error.strerror or error)
    hint = _HINTS.get(error.errno or 0)
    return EtcdDebError(
        summary, hint=hint(path) if hint else f"check what is there: ls -ld {path}" if path else "see dmesg"
    )


def _own(error: BaseException) -> OwnFault:
    # Here, since it is needed in no good run.
    import traceback

    # click turns our EOFError into an exception of its own.
    error = error.__cause__ or error if type(error).__name__ == "Abort" else error
    frames = [
        f"at        {Path(frame.filename).relative_to(_HERE.parent)}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(_HERE)
    ]
    return OwnFault(
        f"bug in etcd-deb: {type(error).__name__}: {error}",
        details=frames[-FRAMES:],
        hint="report this message with the command and the output of etcd-deb --version",
    )
