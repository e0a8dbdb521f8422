"""debconf's questions in a terminal: what stands on the screen, and the keys that answer."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import pexpect

from tests.support.machines.machine import Machine

BEGIN, KILL_LINE = "\x01", "\x0b"
PREVIOUS_QUESTION = "\x1b[5~"
ENTER, ESCAPE = "\r", "\x1b"
ANSI = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Za-z0-9]|[=>78])")


class Terminal:
    """One command in a terminal of 100 columns."""

    def __init__(self, child: pexpect.spawn[str]) -> None:
        self._child = child

    def sees(self, *texts: str) -> None:
        """Wait for these texts, in this order."""
        for text in texts:
            self._child.expect_exact(text)

    def keys(self, *keys: str) -> None:
        """Press them."""
        for key in keys:
            self._child.send(key)

    def types(self, text: str) -> None:
        """Replace the line that is edited (readline) and confirm."""
        self.keys(BEGIN, KILL_LINE, text, ENTER)

    def ends(self) -> str:
        """Wait for the end; what was said since the last text that was seen."""
        self._child.expect(pexpect.EOF)
        self._child.close()
        said = ANSI.sub("", self._child.before or "")
        assert self._child.exitstatus == 0, said
        return said


@contextlib.contextmanager
def terminal(machine: Machine, *argv: str, frontend: str, priority: str = "high") -> Iterator[Terminal]:
    """Run a command on the node with a front end of debconf on a terminal."""
    command = machine.command(
        *argv,
        env={
            "DEBIAN_FRONTEND": frontend,
            "DEBIAN_PRIORITY": priority,
            "TERM": "xterm" if frontend == "dialog" else "dumb",
        },
    )
    child = pexpect.spawn(
        command[0], command[1:], encoding="utf-8", codec_errors="replace", timeout=30, dimensions=(40, 100)
    )
    try:
        yield Terminal(child)
    finally:
        child.close(force=True)
