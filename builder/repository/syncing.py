"""Files brought to the disk: each by itself, or many by syncing their file system once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from builder.linux import sync_file_system
from builder.replace import disk_full_named

# More of them wait longer than one sync of all that the file system holds back, whoever wrote it.
EACH_BY_ITSELF = 16


def sync_files(files: Sequence[Path]) -> None:
    """What was written to these files survives a power cut from now on. Raises DiskFull, OSError."""
    if len(files) > EACH_BY_ITSELF:
        for folder in {file.parent for file in files}:
            # os.sync() would wait for every disk, and tell of no error.
            with disk_full_named(folder, "syncing the pool"):
                sync_file_system(folder)
        return
    # Side by side: the file system syncs several files at the price of one.
    with ThreadPoolExecutor(EACH_BY_ITSELF) as pool:
        for _ in pool.map(_sync_file, files):
            pass


def _sync_file(file: Path) -> None:
    with disk_full_named(file, "syncing the pool"), file.open("rb") as stream:
        os.fsync(stream.fileno())
