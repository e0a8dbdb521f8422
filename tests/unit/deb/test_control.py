"""The control file of a package, however the package is packed."""

from __future__ import annotations

import gzip
import io
import lzma
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.deb.control import read_control
from builder.deb.repack import Member, packed_archive
from builder.errors import EtcdDebError

CONTROL = b"Package: etcd-ha\nVersion: 3.6.7-1\nArchitecture: amd64\nDescription: a summary\n a line\n"


def tar(name: str, content: bytes = CONTROL) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        folder = tarfile.TarInfo("./")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def package(folder: Path, **members: bytes) -> Path:
    """A package of these members; each has the dots of its name as underscores."""
    deb = folder / "etcd-ha.deb"
    deb.write_bytes(
        packed_archive(Member(name.replace("_", "."), 0, content) for name, content in members.items())
    )
    return deb


def zstd(content: bytes) -> bytes:
    return subprocess.run(["zstd", "-q", "-c"], input=content, capture_output=True, check=True).stdout


@pytest.mark.parametrize("name", ["./control", "control"])
@pytest.mark.parametrize(
    ("member", "compress"),
    [
        ("control_tar", bytes),
        ("control_tar_gz", gzip.compress),
        ("control_tar_xz", lzma.compress),
        ("control_tar_zst", zstd),
    ],
    ids=["plain", "gzip", "xz", "zstd"],
)
def test_control_file_is_read_in_every_compression_of_dpkg(
    tmp_path: Path, member: str, compress: Callable[[bytes], bytes], name: str
) -> None:
    deb = package(tmp_path, **{"debian-binary": b"2.0\n", member: compress(tar(name)), "data_tar_xz": b""})
    control = read_control(deb)
    assert control.dump() == CONTROL.decode()


GOOD = {"debian-binary": b"2.0\n", "control_tar_gz": gzip.compress(tar("./control")), "data_tar_xz": b""}
BROKEN: dict[str, dict[str, bytes | None]] = {
    "without debian-binary": {"debian-binary": None},
    "without data": {"data_tar_xz": None},
    "without control": {"control_tar_gz": None},
    "with two of control": {"control_tar": tar("./control")},
    "with no control file inside": {"control_tar_gz": gzip.compress(tar("./md5sums"))},
    "that is cut": {"control_tar_gz": GOOD["control_tar_gz"][:-20]},
    "that is damaged": {"control_tar_gz": b"\x1f\x8b\x08" + b"x" * 100},
    "of another compression": {"control_tar_gz": lzma.compress(tar("./control"))},
    "with damaged xz": {"control_tar_gz": None, "control_tar_xz": b"x" * 100},
    "with damaged zstd": {"control_tar_gz": None, "control_tar_zst": b"x" * 100},
    "with no tar inside": {"control_tar_gz": gzip.compress(b"x" * 1024)},
}


@pytest.mark.parametrize("how", BROKEN)
def test_package_is_refused(tmp_path: Path, how: str) -> None:
    parts: dict[str, bytes | None] = {**GOOD, **BROKEN[how]}
    deb = package(tmp_path, **{name: content for name, content in parts.items() if content is not None})
    with pytest.raises(EtcdDebError, match=r"can't read .*etcd-ha\.deb as a Debian package"):
        read_control(deb)


@pytest.mark.parametrize("content", [b"", b"!<arch>\n", b"!<arch>\n" + b"x" * 60, b"no archive"])
def test_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "etcd-ha.deb").write_bytes(content)
    with pytest.raises(EtcdDebError, match=r"can't read .* as a Debian package"):
        read_control(tmp_path / "etcd-ha.deb")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EtcdDebError, match=r"can't read .*gone\.deb as") as refused:
        read_control(tmp_path / "gone.deb")
    assert "No such file" in str(refused.value.details)
