"""The files of this checkout, as git knows them."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_SHELL = re.compile(rb"#!\S*[/ ](sh|bash|dash)\b|#!/usr/bin/env (sh|bash|dash)\b|# shellcheck shell=")
_PYTHON = re.compile(rb"#!\S*[/ ](env )?python3?\b")


@cache
def files() -> dict[Path, bytes]:
    """Content of every file that is or will be tracked, by its path below the checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    paths = [Path(name) for name in listed.split("\0") if name]
    return {path: (ROOT / path).read_bytes() for path in paths if (ROOT / path).is_file()}


def shell_scripts() -> list[Path]:
    """Every shell script: those that are run, and those that are sourced."""
    return [path for path, content in files().items() if path.suffix == ".sh" or _SHELL.match(content)]


def python_files() -> list[Path]:
    """Every Python module and every script without a suffix."""
    return [path for path, content in files().items() if path.suffix == ".py" or _PYTHON.match(content)]
