"""One call of the node's shell functions, in a shell of its own with a configuration file of the test's."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.package.node.node_shell import LIBRARY

_FUNCTION = re.compile(r"^\w+\(\) \{(?:.*\}|(?: #.*)?\n(?:.*\n)*?\})$", re.MULTILINE)


def functions_of(script: Path) -> str:
    """The functions of a command or of a maintainer script, without what it does when it is run."""
    return "\n".join(_FUNCTION.findall(script.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Answer:
    """How a call ended, and what it said on both outputs."""

    status: int
    out: str
    err: str


def call(
    parts: str,
    script: str,
    *arguments: str,
    config: Path | None = None,
    variables: Mapping[str, str] | None = None,
    command: Path | None = None,
) -> Answer:
    """Source the parts of the library and the command's functions, then run the script, all under set -e."""
    own = functions_of(command) if command else ""
    loaded = f'for part in {parts}; do . "$LIB/$part.sh"; done\n{own}'
    done = subprocess.run(
        ["sh", "-c", f"set -e\n{loaded}\n{script}", "sh", *arguments],
        env={"PATH": os.environ["PATH"], "LIB": str(LIBRARY), "CONFIG": str(config), **(variables or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)
