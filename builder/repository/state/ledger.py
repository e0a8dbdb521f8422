"""What this repository has written to its pool: it deletes nothing else there.

One line for each file that was ever written, noted before it appears and kept for good: a remote may hold a
package long after it is gone here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from builder.repository.state.generation import kept_generations
from builder.repository.state.index import Entry
from builder.repository.state.layout import Repository
from builder.repository.state.syncing import sync_folder
from builder.system.files import disk_full_named, replacing

_LINE = re.compile(r"^([0-9a-f]{64})  (pool/[^/\n]+/[^/\n]+)$", re.MULTILINE)


def note(repository: Repository, entries: Iterable[Entry]) -> None:
    """These packages are about to be written. Raises DiskFull, Damaged, OSError."""
    file = _file(repository)
    with disk_full_named(file, "recording new files of the pool"):
        if not file.exists():
            _begin(repository)
        with file.open("a", encoding="utf-8") as out:
            # A line that a full disk cut short must not spoil the next.
            out.write("".join(f"\n{entry.sha256}  {entry.filename}" for entry in entries) + "\n")
            out.flush()
            os.fsync(out.fileno())


def written(repository: Repository) -> Mapping[str, frozenset[str]]:
    """The digests under which each file of the pool was written here, by its name below the root.

    Of a repository that never noted any: what its generations name. Raises Damaged, OSError.
    """
    file = _file(repository)
    # Of a line that was cut short nothing was written.
    text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else _named(repository)
    found: dict[str, frozenset[str]] = {}
    for sha256, name in _LINE.findall(text):
        found[name] = found.get(name, frozenset()) | {sha256}
    return found


def _begin(repository: Repository) -> None:
    with replacing(_file(repository), "recording the files of the pool") as out:
        out.write(_named(repository).encode())
    sync_folder(repository.private)


def _named(repository: Repository) -> str:
    entries = (
        entry
        for suite in repository.suites
        for generation in kept_generations(repository, suite)
        for entry in generation.all_entries()
    )
    return "".join(dict.fromkeys(f"{entry.sha256}  {entry.filename}\n" for entry in entries))


def _file(repository: Repository) -> Path:
    return repository.private / "pool-files"
