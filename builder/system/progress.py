"""What the stages report while they work, and how they learn that they should stop.

Stages call it and never print; the command line shows it. This class itself stays silent.
"""

from __future__ import annotations

import threading

from builder.errors import Interrupted


class Progress:
    """Silent progress, and the base of the one that the command line shows."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def step(self, message: str) -> None:
        """A stage begins."""

    def warn(self, message: str) -> None:
        """What people must know though the work goes on; shown also where steps are not."""
        self.step(f"warning: {message}")

    def outlasts(self, message: str) -> None:
        """The end waits for what can't be broken off; the next Ctrl-C ends the process at once."""
        self.step(message)

    def transferred(self, name: str, done: int, total: int | None) -> None:
        """done of total bytes of a file have arrived; total is None where the server doesn't say."""

    def output(self, line: str) -> None:
        """A program that a stage runs printed a line."""

    def stop(self) -> None:
        """Ask every stage, in whatever thread, to end at its next check."""
        self._stop.set()

    def pause(self, seconds: float) -> None:
        """Wait, and raise Interrupted as soon as stop() is called."""
        self._stop.wait(seconds)
        self.check()

    def apart(self) -> Progress:
        """Progress that shows the same and stops by itself: for one of several works that may each fail."""
        return _Apart(self)

    def check(self) -> None:
        """Raise Interrupted once stop() was called."""
        if self._stop.is_set():
            raise Interrupted


class _Apart(Progress):
    def __init__(self, shown: Progress) -> None:
        super().__init__()
        self._shown = shown

    def step(self, message: str) -> None:
        self._shown.step(message)

    def warn(self, message: str) -> None:
        self._shown.warn(message)

    def outlasts(self, message: str) -> None:
        self._shown.outlasts(message)

    def transferred(self, name: str, done: int, total: int | None) -> None:
        self._shown.transferred(name, done, total)

    def output(self, line: str) -> None:
        self._shown.output(line)
