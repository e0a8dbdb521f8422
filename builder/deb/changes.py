"""Reading a .changes: which files an upload consists of (deb-changes(5))."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from debian.deb822 import Changes

from builder.errors import EtcdDebError
from builder.settings import read_small

# Names without a folder: a .changes describes only files next to it.
_CHECKSUM = re.compile(r"([0-9a-f]{64}) ([0-9]{1,18}) ([A-Za-z0-9][A-Za-z0-9+.~_:-]*)")


@dataclass(frozen=True, slots=True)
class ChangesFile:
    """What a .changes says. files: SHA-256 and size of each, by its name."""

    version: str
    files: Mapping[str, tuple[str, int]]


def read_changes(changes: Path) -> ChangesFile:
    """Signed or not; the signature is not looked at. Raises EtcdDebError for a file that is none."""
    try:
        said = Changes(read_small(changes).decode("utf-8"))
        rows = said.get("Checksums-Sha256") or []
        # python-debian makes one row of a one-line field, and leaves out what a line lacks.
        lines = [
            f"{row['sha256']} {row['size']} {row['name']}"
            for row in ([rows] if isinstance(rows, dict) else rows)
        ]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise _unreadable(changes, str(error) or type(error).__name__) from error
    files = {}
    for line in lines:
        if not (match := _CHECKSUM.fullmatch(line)):
            raise _unreadable(changes, f"Checksums-Sha256 has the line {line!r}")
        sha256, size, name = match.groups()
        files[name] = sha256, int(size)
    return ChangesFile(str(said.get("Version", "")), files)


def _unreadable(changes: Path, reason: str) -> EtcdDebError:
    return EtcdDebError(
        f"can't read {changes}",
        details=(
            "expected  a .changes that lists the files beside it",
            f"found     {reason}",
        ),
        hint="build the package again",
    )
