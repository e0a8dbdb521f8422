"""What a person at a terminal sees: steps, progress bars, errors. All of it on standard error."""

from __future__ import annotations

import io
import json
import sys
import threading
import time
from contextlib import suppress
from enum import Enum
from typing import TextIO

import click

from builder.errors import EtcdDebError, NotPrinted, on_one_line
from builder.system.progress import Progress

REDRAW = 0.1
BAR = 24


# Set while only uploads are waited for: those that another Ctrl-C ends are made again by the next push.
END_AT_ONCE = threading.Event()


class Verbosity(Enum):
    """How much is shown besides results, warnings and errors."""

    QUIET = "nothing"
    STEPS = "each stage"
    ALL = "each stage, and what programs print"


class TerminalProgress(Progress):
    """Steps as lines; a bar for downloads on a terminal, nothing for them elsewhere."""

    def __init__(self, verbosity: Verbosity) -> None:
        super().__init__()
        self._verbosity = verbosity
        self._is_terminal = sys.stderr is not None and sys.stderr.isatty()
        self._lock = threading.Lock()
        self._drawn = 0.0
        self._bar_shown = False

    def step(self, message: str) -> None:
        if self._verbosity is not Verbosity.QUIET:
            self._line(f"etcd-deb: {on_one_line(message)}")

    def warn(self, message: str) -> None:
        self._line(f"etcd-deb: warning: {on_one_line(message)}")

    def outlasts(self, message: str) -> None:
        END_AT_ONCE.set()
        self._line(f"etcd-deb: {on_one_line(message)}")

    def output(self, line: str) -> None:
        if self._verbosity is Verbosity.ALL:
            self._line(f"  | {on_one_line(line)}")

    def _line(self, text: str) -> None:
        with self._lock:
            self._clear_bar()
            say(text)

    def transferred(self, name: str, done: int, total: int | None) -> None:
        if not self._is_terminal or self._verbosity is Verbosity.QUIET:
            return
        with self._lock:
            now = time.monotonic()
            finished = done == total
            if now - self._drawn < REDRAW and not finished:
                return
            self._drawn = now
            self._clear_bar()
            if not finished:
                say(_bar(name, done, total), nl=False)
                self._bar_shown = True

    def _clear_bar(self) -> None:
        if self._bar_shown:
            say("\r\x1b[K", nl=False)
            self._bar_shown = False


def _bar(name: str, done: int, total: int | None) -> str:
    megabytes = f"{done / 1e6:.1f}"
    if total is None:
        return f"  {name} {megabytes} MB"
    filled = BAR * done // max(total, 1)
    return f"  {name} [{'#' * filled}{'.' * (BAR - filled)}] {megabytes} of {total / 1e6:.1f} MB"


def show_error(error: EtcdDebError) -> None:
    """The error in dpkg's shape."""
    say(f"etcd-deb: error: {error.render()}")


def say(message: str, *, nl: bool = True) -> None:
    """A message on standard error. If it can't be written, the work goes on."""
    with suppress(OSError):
        click.echo(message, err=True, nl=nl)


def as_json(value: object) -> str:
    """A result as scripts read it."""
    return json.dumps(value, indent=1)


class Results(io.TextIOBase):
    """Standard output: UTF-8 whatever the locale, and what it does not take is an error of its own.

    out: None where it was closed before Python began. Raises NotPrinted.
    """

    def __init__(self, out: TextIO | None) -> None:
        super().__init__()
        self._out = out
        if isinstance(out, io.TextIOWrapper):
            # The name of a file may be no text at all, and is given back as it came.
            out.reconfigure(encoding="utf-8", errors="surrogateescape")

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._out is not None and self._out.isatty()

    def write(self, text: str) -> int:
        if self._out is None:
            raise NotPrinted("standard output is closed")
        try:
            return self._out.write(text)
        except OSError as error:
            raise NotPrinted(error.strerror or str(error)) from error

    def flush(self) -> None:
        try:
            if self._out is not None:
                self._out.flush()
        except OSError as error:
            raise NotPrinted(error.strerror or str(error)) from error
