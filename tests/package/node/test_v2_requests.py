"""Requests of the v2 store in the write-ahead log, at which etcd 3.7 ends; real etcd on loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.package.node.node_functions import Answer, call
from tests.support.clients.gateway import Gateway
from tests.support.releases.loopback_etcd import free_ports, loopback_etcd, options_of, programs

# An entry of term 2, with that index; then its data: a request 1, PUT.
ENTRY = b"\x08\x00\x10\x02\x18%b\x22\x3a\x08\x01\x12\x03PUT\x1a\x10/0/members/1/attributes"


@dataclass(frozen=True)
class Member:
    """A cluster of one, with its data in folder/data, on which any version of etcd can be run."""

    folder: Path
    url: str
    flags: Sequence[str]

    def programs(self, version: str) -> Path:
        where = self.folder / version / "programs"
        return where if where.is_dir() else programs(where.parent, version)

    def run(self, version: str, *more: str) -> None:
        """Let it run, and write to it."""
        with loopback_etcd(self.programs(version), self.folder, self.url, [*self.flags, *more]):
            gateway = Gateway(self.url, 5)
            assert all(gateway.put(f"key{number}", "value") for number in range(20))
            gateway.close()

    def last_words(self, version: str) -> str:
        """What an etcd that ends by itself has said."""
        words = [str(self.programs(version) / "etcd"), *self.flags]
        done = subprocess.run(words, stderr=subprocess.PIPE, text=True, check=False, timeout=40)
        assert done.returncode != 0
        return done.stderr


@pytest.fixture
def member(tmp_path: Path) -> Member:
    port, peer_port = free_ports(2)
    url = f"http://127.0.0.1:{port}"
    options = options_of(tmp_path, "n", url, f"http://127.0.0.1:{peer_port}")
    return Member(tmp_path, url, [f"--{name}={value}" for name, value in options.items()])


def unreadable(data: Path) -> Answer:
    script = 'unreadable_request "$1" "$1/member/wal" 3.7.3'
    return call("wal", script, str(data))


def test_3_7_ends_at_a_request_of_3_5_that_is_found_and_not_behind_a_snapshot(
    member: Member, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    member.run("3.5.35")
    member.run("3.6.16")
    found = unreadable(data)
    assert (found.status, found.err) == (0, "")
    what, where, why = found.out.splitlines()
    assert what.startswith("etcd 3.7.3 would not start: ")
    assert where == f"entry 4 of the log in {data}/member/wal; the newest snapshot is of entry 0"
    assert "unmarshal should never fail" in why
    assert "panic: unmarshal should never fail" in member.last_words("3.7.3")
    member.run("3.6.16", "--snapshot-count=10")
    assert unreadable(data) == Answer(1, "", "")
    member.run("3.7.3")


def test_what_3_6_and_3_7_write_is_read(member: Member, tmp_path: Path) -> None:
    for version in ("3.6.16", "3.7.3"):
        member.run(version)
        assert unreadable(tmp_path / "data") == Answer(1, "", "")


@pytest.mark.parametrize("index", [1, 127, 128, 300, 10 << 7, 2**31, 2**40 + 5])
def test_the_last_request_counts_by_its_index(tmp_path: Path, index: int) -> None:
    rest, varint = index, b""
    while rest > 127:
        rest, varint = rest >> 7, varint + bytes([rest % 128 + 128])
    log = tmp_path / "member/wal"
    log.mkdir(parents=True)
    for number, written in enumerate((b"\x01", varint + bytes([rest]))):
        (log / f"{number:016x}-{index:016x}.wal").write_bytes(b"x\n" + ENTRY % written + b"y" * 100)
    assert call("wal", 'last_v2_request "$1"', str(log)) == Answer(0, f"{index}\n", "")
    snapshots = tmp_path / "member/snap"
    snapshots.mkdir()
    (snapshots / f"{2:016x}-{index - 1:016x}.snap").touch()
    assert unreadable(tmp_path).status == 0
    (snapshots / f"{1:016x}-{index:016x}.snap").touch()
    assert unreadable(tmp_path).status == 1


def test_a_log_that_is_not_read_is_not_called_clean(tmp_path: Path) -> None:
    missing = unreadable(tmp_path)
    assert (missing.status, missing.out) == (2, f"{tmp_path}/member/wal/*.wal can't be read\n")
    log = tmp_path / "member/wal"
    log.mkdir(parents=True)
    (log / "0.wal").mkdir()
    assert unreadable(tmp_path) == Answer(2, "grep failed\n", "")
