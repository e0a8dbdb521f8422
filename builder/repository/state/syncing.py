"""Sync files and folders to disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from builder.system.files import disk_full_named

SIDE_BY_SIDE = 16


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
    # Side by side: the file system syncs several files at the price of one.
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        for _ in pool.map(_sync_package, files):
            pass


def _sync_package(file: Path) -> None:
    with disk_full_named(file, "syncing the pool"):
        sync_file(file)
