"""Stops a program at one chosen point, so that a test can signal it exactly there.

The point is an audit event of Python's (`open` of a path), or a program that etcd-deb runs. Whoever arrives
there opens a FIFO and waits; the test notices, acts, and lets go. Nobody sleeps for luck.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from tests.support.wait import wait_for

# Python imports a module of this name when it starts. In a child it must not hold again.
_HOOK = """
import os, re, sys

_EVENT, _PATTERN = os.environ.pop("PAUSE_EVENT"), re.compile(os.environ.pop("PAUSE_PATTERN"))
_FIFO = os.environ.pop("PAUSE_FIFO")
_left = int(os.environ.pop("PAUSE_NUMBER"))


def _hold(event, arguments):
    global _left
    if not _left or event != _EVENT or not _PATTERN.search(" ".join(map(str, arguments))):
        return
    _left -= 1
    if _left:
        return
    with open(_FIFO, "rb") as fifo:
        fifo.read()


sys.addaudithook(_hold)
"""
_STAND_IN = """#!/bin/sh
{trap}
while ! read -r _ <"{fifo}"; do :; done
exec "{program}" "$@"
"""


class Pause:
    """A FIFO that one process waits at."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._fifo = folder / "fifo"
        os.mkfifo(self._fifo)
        self._got_signal = folder / "got-signal"
        self._writer: int | None = None

    def at_event(self, event: str, pattern: str, *, number: int = 1) -> dict[str, str]:
        """Environment under which Python waits when the event's arguments match the pattern.

        number: 2 for the second time that they do.
        """
        (self._folder / "sitecustomize.py").write_text(_HOOK)
        return {
            "PYTHONPATH": str(self._folder),
            "PAUSE_EVENT": event,
            "PAUSE_PATTERN": pattern,
            "PAUSE_FIFO": str(self._fifo),
            "PAUSE_NUMBER": str(number),
        }

    def at_program(self, program: Path, search_path: str, *, stubborn: bool = False) -> dict[str, str]:
        """Environment under which a program waits before it starts; a stubborn one survives SIGTERM."""
        stand_in = self._folder / "bin" / program.name
        stand_in.parent.mkdir()
        trap = f"trap 'echo got it >\"{self._got_signal}\"' TERM" if stubborn else ""
        stand_in.write_text(_STAND_IN.format(trap=trap, fifo=self._fifo, program=program))
        stand_in.chmod(0o755)
        return {"PATH": f"{stand_in.parent}:{search_path}"}

    def await_arrival(self, what: str) -> None:
        """Return when a process waits here."""
        self._writer = wait_for(what, self._reader_there, within=30)

    def _reader_there(self) -> int | None:
        try:
            return os.open(self._fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return None

    def await_signal(self) -> None:
        """Return when the stubborn program got SIGTERM."""
        wait_for("SIGTERM to reach the program", self._got_signal.exists, within=30)

    def release(self) -> None:
        """Let the process go on; one that a signal has let go is gone already."""
        assert self._writer is not None
        with suppress(BrokenPipeError):
            os.write(self._writer, b"\n")
        os.close(self._writer)
        self._writer = None

    def assert_deserted(self) -> None:
        """Fail while a process still waits here."""
        assert self._writer is not None
        try:
            os.write(self._writer, b"\n")
        except BrokenPipeError:
            return
        raise AssertionError("a program outlived the build that ran it")
