"""Starts of etcd-deb as forks of one process that has imported it: that is most of what a command costs.

From main() on, the same runs. Python and the import start anew where a test runs etcd-deb by another command,
sets a variable that Python reads, or types into a shell.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NoReturn

# What a Python reads before main(): where others than these are set, it has to start with them.
READ_BY_PYTHON = ("PYTHON", "LC_", "LANG")
USUAL = {"LC_ALL": "C.UTF-8"}
# Bytes of a message; the words of a command are the longest.
LONGEST = 2**17


class Forked:
    """One of them, with what subprocess.Popen has of the same names."""

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str], cwd: Path, out: BinaryIO, err: BinaryIO
    ) -> None:
        wanted = {"argv": argv, "environment": dict(environment), "cwd": str(cwd)}
        self._talk, other = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with other:
            files = [other.fileno(), out.fileno(), err.fileno()]
            socket.send_fds(_prepared()[0], [b"start"], files)
        self._talk.send(json.dumps(wanted).encode())
        self.pid = int(self._talk.recv(LONGEST))
        self._status: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, or minus the number of the signal that ended it."""
        if self._status is None:
            self._talk.settimeout(timeout)
            try:
                self._status = int(self._talk.recv(LONGEST))
            except TimeoutError:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0) from None
            self._talk.close()
        return self._status

    def send_signal(self, number: int) -> None:
        """Nobody else gets its number before wait() has returned."""
        if self._status is None:
            os.kill(self.pid, number)


def can_fork(environment: Mapping[str, str]) -> bool:
    """Whether a Python that has started already is like one that starts with these variables."""
    read = {name: value for name, value in environment.items() if name.startswith(READ_BY_PYTHON)}
    return read == USUAL


@functools.cache
def _prepared() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """The process that has imported etcd-deb, and a socket to it; it ends when that is closed, so with us."""
    ours, its = socket.socketpair(type=socket.SOCK_SEQPACKET)
    with its:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(its.fileno())],
            cwd=Path(__file__).parents[2],
            env={"PATH": os.environ["PATH"], **USUAL},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[its.fileno()],
            start_new_session=True,
        )
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours, process


def _serve(requests: socket.socket) -> None:
    """Import all, then fork for each request until the other end is closed."""
    package = importlib.import_module("builder")
    for module in pkgutil.walk_packages(package.__path__, "builder."):
        importlib.import_module(module.name)
    # Collecting what was imported would copy its memory in each fork.
    gc.collect()
    gc.freeze()
    # The children that look after one start each are waited for by nobody.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, files, _, _ = socket.recv_fds(requests, 16, 3)
        if not message:
            return
        if os.fork() == 0:
            requests.close()
            _look_after(*files)
        for file in files:
            os.close(file)


def _look_after(talk: int, out: int, err: int) -> NoReturn:
    """Fork, and tell the number of the process and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(fileno=talk) as other:
        wanted = json.loads(other.recv(LONGEST))
        pid = os.fork()
        if pid == 0:
            _become(wanted["argv"], wanted["environment"], wanted["cwd"], out, err)
        with contextlib.suppress(BrokenPipeError):
            other.send(b"%d" % pid)
            end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            assert end is not None
            other.send(b"%d" % (end.si_status if end.si_code == os.CLD_EXITED else -end.si_status))
            # It keeps its number until the test knows that it has ended.
            other.recv(LONGEST)
    os._exit(0)


def _become(argv: Sequence[str], environment: Mapping[str, str], cwd: str, out: int, err: int) -> NoReturn:
    """etcd-deb with these words, in a session of its own."""
    os.setsid()
    os.chdir(cwd)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv[:] = argv
    from builder.__main__ import main

    main()


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as end:
        _serve(end)
