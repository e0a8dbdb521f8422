"""What a file is that somebody wants to restore, by its bytes alone."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest
from etcd_ha.backup.snapshot_file import Kind, read
from etcd_ha.errors import EtcdHaError

PAGE = bytes(16) + (0xED0CDAED).to_bytes(4, sys.byteorder) + bytes(4096 - 20)
DATABASE = PAGE * 5 + b"k" * 4096
SNAPSHOT = DATABASE + hashlib.sha256(DATABASE).digest()


def kind(folder: Path, content: bytes, name: str = "snapshot.db") -> Kind:
    (folder / name).write_bytes(content)
    return read(folder / name).kind


def test_a_snapshot_is_whole_and_its_digest_is_of_all_bytes(tmp_path: Path) -> None:
    (tmp_path / "snapshot.db").write_bytes(SNAPSHOT)
    found = read(tmp_path / "snapshot.db")
    assert (found.kind, found.size) == (Kind.WHOLE, len(SNAPSHOT))
    assert found.digest == hashlib.sha256(SNAPSHOT).hexdigest()


def test_a_snapshot_longer_than_what_is_read_at_once_is_whole(tmp_path: Path) -> None:
    content = PAGE + bytes(3 << 20)
    assert kind(tmp_path, content + hashlib.sha256(content).digest()) is Kind.WHOLE


@pytest.mark.parametrize("place", [0, 17, 5000, len(DATABASE) - 1, len(DATABASE), len(SNAPSHOT) - 1])
def test_one_changed_byte_is_damage_wherever_it_is(tmp_path: Path, place: int) -> None:
    content = bytearray(SNAPSHOT)
    content[place] ^= 1
    assert kind(tmp_path, bytes(content)) is Kind.DAMAGED


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (DATABASE, "db", Kind.COPY),
        (DATABASE, "snapshot.db", Kind.COPY),
        (DATABASE[:-4096], "snapshot.db.part", Kind.PART),
        (DATABASE[:-100], "snapshot.db.part", Kind.PART),
        (SNAPSHOT[:-5], "snapshot.db", Kind.CUT),
        (DATABASE[:-100], "snapshot.db", Kind.CUT),
        (b"", "snapshot.db", Kind.OTHER),
        (b"not a database" * 1000, "snapshot.db", Kind.OTHER),
        (hashlib.sha256(b"").digest(), "snapshot.db", Kind.OTHER),
    ],
)
def test_what_is_no_whole_snapshot_is_named_for_what_it_is(
    tmp_path: Path, content: bytes, name: str, expected: Kind
) -> None:
    assert kind(tmp_path, content, name) is expected


def test_a_file_that_is_not_there_is_no_kind(tmp_path: Path) -> None:
    with pytest.raises(EtcdHaError, match="can't be read"):
        read(tmp_path / "none.db")
