"""Running other programs: in a clean locale, ended when we are, and explained when they fail."""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from builder.errors import CommandFailed, DiskFull, MissingProgram
from builder.system.faults import PRINTED
from builder.system.progress import Progress

POLL = 0.1
GRACE = 5.0
LAST_LINES = 20
# Everything else of the user's environment could change what debhelper and dpkg make.
KEPT_VARIABLES = ("PATH", "HOME", "TMPDIR", "GNUPGHOME", "GPG_TTY")


def find_program(program: str, package: str) -> str:
    """The program's path. Raises MissingProgram, with the Debian package that has it."""
    found = shutil.which(program)
    if found is None:
        raise MissingProgram(program, package)
    return found


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    progress: Progress,
    environment: Mapping[str, str] | None = None,
    keep_open: Sequence[int] = (),
    grace: float = GRACE,
) -> str:
    """What the program printed, standard output and error together.

    keep_open: descriptors that it inherits, such as a lock that must outlive us.
    grace: seconds it may take to tidy up when it is ended.
    Raises CommandFailed with its last lines, DiskFull where it ran out of space. When the build is
    interrupted, the program's whole process group is ended first.
    """
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    env = {**kept, "LC_ALL": "C.UTF-8", **(environment or {})}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        child = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=keep_open,
        )
        try:
            status = _wait(child, progress)
        except BaseException:
            _end(child, grace)
            raise
        log.seek(0)
        printed = log.read()
    for line in printed.splitlines():
        progress.output(line)
    if status:
        raise _explain(argv, status, printed, cwd)
    return printed


def _wait(child: subprocess.Popen[bytes], progress: Progress) -> int:
    # Popen.wait() with a timeout polls at growing intervals; a descriptor of the process reports at once.
    handle = os.pidfd_open(child.pid)
    try:
        while True:
            progress.check()
            ended, _, _ = select.select([handle], [], [], POLL)
            if ended:
                return child.wait()
    finally:
        os.close(handle)


def _end(child: subprocess.Popen[bytes], grace: float) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    try:
        child.wait(grace)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _explain(argv: Sequence[str], status: int, printed: str, cwd: Path) -> CommandFailed | DiskFull:
    program = Path(argv[0]).name
    if "No space left on device" in printed or "Disk quota exceeded" in printed:
        return DiskFull(str(cwd), f"running {program}")
    ended = f"was terminated by signal {-status}" if status < 0 else f"failed with exit status {status}"
    lines = printed.rstrip().splitlines()[-LAST_LINES:]
    return CommandFailed(
        f"{program} {ended}",
        details=(f"ran       {shlex.join(argv)}", *(f"| {line}" for line in lines)),
        hint=next(
            (hint for text, hint in PRINTED.items() if text in printed),
            "run etcd-deb again with -v for the whole output",
        ),
        ended=status,
    )
