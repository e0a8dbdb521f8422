"""What a person at a terminal sees: steps, progress bars, errors. All of it on standard error."""

from __future__ import annotations

import sys
import threading
import time

import click

from builder.errors import EtcdDebError
from builder.progress import Progress

REDRAW = 0.1
BAR = 24


class TerminalProgress(Progress):
    """Steps as lines; a bar for downloads on a terminal, nothing for them elsewhere."""

    def __init__(self, *, verbose: bool) -> None:
        super().__init__()
        self._verbose = verbose
        self._is_terminal = sys.stderr.isatty()
        self._lock = threading.Lock()
        self._drawn = 0.0
        self._bar_shown = False

    def step(self, message: str) -> None:
        with self._lock:
            self._clear_bar()
            click.echo(f"etcd-deb: {message}", err=True)

    def output(self, line: str) -> None:
        if self._verbose:
            with self._lock:
                self._clear_bar()
                click.echo(f"  | {line}", err=True)

    def transferred(self, name: str, done: int, total: int | None) -> None:
        if not self._is_terminal:
            return
        with self._lock:
            now = time.monotonic()
            finished = done == total
            if now - self._drawn < REDRAW and not finished:
                return
            self._drawn = now
            self._clear_bar()
            if not finished:
                click.echo(_bar(name, done, total), err=True, nl=False)
                self._bar_shown = True

    def _clear_bar(self) -> None:
        if self._bar_shown:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._bar_shown = False


def _bar(name: str, done: int, total: int | None) -> str:
    megabytes = f"{done / 1e6:.1f}"
    if total is None:
        return f"  {name} {megabytes} MB"
    filled = BAR * done // max(total, 1)
    return f"  {name} [{'#' * filled}{'.' * (BAR - filled)}] {megabytes} of {total / 1e6:.1f} MB"


def show_error(error: EtcdDebError) -> None:
    """The error in dpkg's shape."""
    click.echo(f"etcd-deb: error: {error.render()}", err=True)
