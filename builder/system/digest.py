"""SHA-256 of what is read, and of a file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

CHUNK = 1024 * 1024


class Readable(Protocol):
    """A stream, or what reads like one."""

    def read(self, size: int, /) -> bytes: ...


def _leave(_: bytes) -> None:
    pass


def digest_of(stream: Readable, take: Callable[[bytes], object] = _leave) -> tuple[str, int]:
    """SHA-256 and size of the rest of a stream. take: is given each piece, as the write() of a copy is.

    hashlib.file_digest() would allocate its buffer again for each of many small files.
    """
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK):
        take(chunk)
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def file_digest(path: Path) -> str:
    """SHA-256 of a file. Raises OSError."""
    with path.open("rb", buffering=0) as stream:
        return digest_of(stream)[0]
