"""One place that runs a command and explains how it failed."""

import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

SHOWN_LINES = 60


class CommandFailed(AssertionError):
    """A command ended badly or took too long; the text shows the command and what it printed."""

    def __init__(self, command: str, how: str, output: str) -> None:
        shown = output.rstrip().splitlines()[-SHOWN_LINES:]
        super().__init__("\n".join([f"{how}: {command}", *(f"  {line}" for line in shown)]))
        self.output = output


def how_it_ended(status: int) -> str:
    """The exit status in words."""
    if status >= 0:
        return f"exit status {status}"
    return f"ended by {signal.Signals(-status).name}"


def run(
    argv: Sequence[str | Path],
    *,
    input: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    check: bool = True,
    within: float = 120,
    shown: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command without a terminal; stderr is added to stdout, `env` to the environment.

    An error shows `shown` in place of the command line.
    """
    words = [str(word) for word in argv]
    shown = shown or shlex.join(words)
    try:
        result = subprocess.run(
            words,
            input=input,
            stdin=None if input is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=None if env is None else {**os.environ, **env},
            cwd=cwd,
            text=True,
            errors="replace",
            check=False,
            timeout=within,
        )
    except FileNotFoundError as error:
        raise CommandFailed(shown, f"{error.filename} is not there", "") from error
    except subprocess.TimeoutExpired as error:
        output = error.output or b""
        text = output if isinstance(output, str) else output.decode(errors="replace")
        raise CommandFailed(shown, f"no end after {within:g} s", text) from error
    if check and result.returncode != 0:
        raise CommandFailed(shown, how_it_ended(result.returncode), result.stdout)
    return result
