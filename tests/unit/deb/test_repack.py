"""Compressing what dpkg-deb left uncompressed."""

from __future__ import annotations

import gzip
import io
import lzma
import subprocess
import tarfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from debian.arfile import ArFile

from builder.deb.repack import repack

TIME = 1_700_000_000
SUFFIXES = {"xz": ".xz", "zstd": ".zst", "gzip": ".gz"}
# deb(5) and what dpkg 1.21 of bookworm reads: a zstd window of up to 128 MiB.
LARGEST_WINDOW = 27


def tar(**files: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size, member.mtime = len(content), TIME
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def header(name: str, size: int) -> bytes:
    """ar(5), as dpkg-deb writes it."""
    fields = (name.ljust(16), str(TIME).ljust(12), "0".ljust(6), "0".ljust(6), "100644".ljust(8))
    return "".join((*fields, str(size).ljust(10), "`\n")).encode()


CONTROL, DATA = tar(control=b"Package: etcd-ha\n"), tar(etcd=bytes(range(256)) * 600)
# An odd number of bytes, which ar(5) pads.
ODD = b"2.0"


def archive(*members: tuple[str, bytes]) -> bytes:
    return b"!<arch>\n" + b"".join(
        header(name, len(content)) + content + b"\n" * (len(content) % 2) for name, content in members
    )


DEB = archive(("debian-binary", b"2.0\n"), ("control.tar", CONTROL), ("data.tar", DATA))


def zstd(content: bytes) -> bytes:
    return subprocess.run(
        ["zstd", "-q", "-d", "-c", f"--long={LARGEST_WINDOW}"], input=content, capture_output=True, check=True
    ).stdout


DECOMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "xz": lzma.decompress,
    "zstd": zstd,
    "gzip": gzip.decompress,
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "etcd-ha.deb"
    path.write_bytes(DEB)
    return path


def members(package: Path) -> dict[str, bytes]:
    """Read by python-debian."""
    with package.open("rb") as file:
        return {member.name: member.read() for member in ArFile(fileobj=file).getmembers()}


@pytest.mark.parametrize("compression", SUFFIXES)
def test_members_keep_content_and_order_under_the_compressions_name(package: Path, compression: str) -> None:
    repack(package, compression)
    found = members(package)
    suffix = SUFFIXES[compression]
    assert list(found) == ["debian-binary", f"control.tar{suffix}", f"data.tar{suffix}"]
    assert found["debian-binary"] == b"2.0\n"
    assert DECOMPRESS[compression](found[f"control.tar{suffix}"]) == CONTROL
    assert DECOMPRESS[compression](found[f"data.tar{suffix}"]) == DATA
    assert package.stat().st_size < len(DEB)


@pytest.mark.parametrize("compression", SUFFIXES)
def test_the_same_package_gives_the_same_bytes_on_another_day(
    package: Path, compression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = package.with_name("again.deb")
    again.write_bytes(DEB)
    repack(package, compression)
    monkeypatch.setattr(time, "time", lambda: 1_000_000_000)
    repack(again, compression)
    assert package.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("compression", SUFFIXES)
def test_no_library_that_python_was_built_with_compresses(
    package: Path, compression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("another Python may have another version of it")

    for library in (gzip, lzma, zlib):
        monkeypatch.setattr(library, "compress", refuse)
    repack(package, compression)


def test_the_gzip_header_tells_neither_a_time_nor_a_name_nor_the_library(package: Path) -> None:
    repack(package, "gzip")
    # RFC 1952: no flags, no time, level neither fastest nor best, Unix.
    assert members(package)["data.tar.gz"][:10] == bytes.fromhex("1f8b0800000000000003")


@pytest.mark.parametrize("compression", SUFFIXES)
def test_times_owners_and_modes_stay_as_dpkg_deb_wrote_them(package: Path, compression: str) -> None:
    repack(package, compression)
    with package.open("rb") as file:
        assert {
            (int(found.mtime), int(found.owner), int(found.group), bytes(found.fmode).strip())
            for found in ArFile(fileobj=file).getmembers()
        } == {(TIME, 0, 0, b"100644")}


def test_members_of_odd_size_are_padded(package: Path) -> None:
    package.write_bytes(archive(("debian-binary", ODD), ("control.tar", CONTROL), ("data.tar", DATA)))
    repack(package, "gzip")
    found = members(package)
    assert found["debian-binary"] == ODD
    assert gzip.decompress(found["data.tar.gz"]) == DATA
    assert package.stat().st_size % 2 == 0


def test_xz_uses_one_block_that_every_dpkg_checks(package: Path) -> None:
    repack(package, "xz")
    data = members(package)["data.tar.xz"]
    assert data[:6] == b"\xfd7zXZ\x00"
    # Stream flags: 4 is CRC64, the check that xz(1) and dpkg-deb write.
    assert data[7] == lzma.CHECK_CRC64


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        DEB[:-5],
        DEB[:40],
        DEB.replace(b"`\n", b"xx", 1),
        archive(("debian-binary", b"2.0\n"), ("control.tar.xz", CONTROL), ("data.tar.xz", DATA)),
    ],
    ids=["empty", "text", "cut content", "cut header", "damaged header", "compressed already"],
)
def test_what_is_no_whole_uncompressed_package_is_refused_and_stays(package: Path, content: bytes) -> None:
    package.write_bytes(content)
    with pytest.raises(ValueError, match=r"archive|compressed already"):
        repack(package, "xz")
    assert package.read_bytes() == content
    assert list(package.parent.iterdir()) == [package]
