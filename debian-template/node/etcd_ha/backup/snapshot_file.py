"""What a file is that is to be restored from: a whole snapshot, or what looks like one.

etcd appends the SHA-256 of a database to a snapshot (etcd's server/etcdserver/api/v3rpc/maintenance.go). The
size of a database is a multiple of 512. A database begins with a page whose magic number is at byte 16
(go.etcd.io/bbolt, db.go).
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from etcd_ha.errors import EtcdHaError

_DIGEST = hashlib.sha256().digest_size
_MAGIC = (0xED0CDAED).to_bytes(4, sys.byteorder)
_PIECE = 1 << 20


class Kind(Enum):
    """What a file is; the value says it to a reader."""

    WHOLE = "a snapshot with a correct checksum"
    DAMAGED = "a snapshot that does not match its checksum: at least one byte has changed"
    PART = "a .part file: an incomplete download, without a checksum"
    COPY = "a copy of a member's database (member/snap/db): no checksum, and without what is only in the log"
    CUT = "a truncated snapshot"
    OTHER = "not a snapshot of etcd"


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """A file as it was read. digest: SHA-256 of all of it, in hexadecimal; size: bytes."""

    path: Path
    kind: Kind
    digest: str
    size: int


def read(path: Path) -> SnapshotFile:
    """Read a file to its end. Raises EtcdHaError where it can't be read."""
    whole, content = hashlib.sha256(), hashlib.sha256()
    begin, held, size = b"", b"", 0
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                begin = begin or piece[:20]
                whole.update(piece)
                size += len(piece)
                held += piece
                content.update(held[:-_DIGEST])
                held = held[-_DIGEST:]
    except OSError as error:
        raise EtcdHaError(
            f"{path} can't be read", details=("expected  a snapshot of etcd", f"found     {error.strerror}")
        ) from error
    return SnapshotFile(path, _kind(path, begin, size, held == content.digest()), whole.hexdigest(), size)


def _kind(path: Path, begin: bytes, size: int, matches: bool) -> Kind:
    if size > _DIGEST and matches:
        return Kind.WHOLE
    if size % 512 == _DIGEST and size > 512:
        # Whatever it begins with: the byte that has changed may be of the magic number.
        return Kind.DAMAGED
    if begin[16:20] != _MAGIC:
        return Kind.OTHER
    if path.suffix == ".part":
        return Kind.PART
    return Kind.COPY if size % 512 == 0 else Kind.CUT
