"""What has to outlive a power failure."""

from __future__ import annotations

import os
from pathlib import Path

from etcd_ha.errors import EtcdHaError


def sync(path: Path) -> None:
    """Wait until a file or a folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(file: Path, text: str, mode: int) -> None:
    """A file that is there as a whole or not at all. mode: less the umask. Raises EtcdHaError."""
    new = file.with_name(f"{file.name}.new")
    try:
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        new.rename(file)
        sync(file.parent)
    except OSError as error:
        raise EtcdHaError(f"{file} can't be written", details=(f"found     {error}",)) from error
