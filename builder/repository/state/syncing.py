"""Files and folders brought to the disk: each by itself, or many files by syncing their file system once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from builder.system.files import disk_full_named
from builder.system.linux import sync_file_system

# More of them wait longer than one sync of all that the file system holds back, whoever wrote it.
EACH_BY_ITSELF = 16


def sync_file(file: Path) -> None:
    """What was written to this file survives a power cut from now on. Raises OSError."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """fsync of a directory: what was renamed or made in it is there after a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_files(files: Sequence[Path]) -> None:
    """The same as sync_file() for packages, however many. Raises DiskFull, OSError."""
    if len(files) > EACH_BY_ITSELF:
        for folder in {file.parent for file in files}:
            # os.sync() would wait for every disk, and tell of no error.
            with disk_full_named(folder, "syncing the pool"):
                sync_file_system(folder)
        return
    # Side by side: the file system syncs several files at the price of one.
    with ThreadPoolExecutor(EACH_BY_ITSELF) as pool:
        for _ in pool.map(_sync_package, files):
            pass


def _sync_package(file: Path) -> None:
    with disk_full_named(file, "syncing the pool"):
        sync_file(file)
