"""Only the programs leave a tarball, with modes and names of ours, and they are what the release says."""

from __future__ import annotations

import errno
import gzip
import os
import tarfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import NoReturn

import pytest

from builder.errors import VerificationFailed
from builder.package import examine as examine_module
from builder.package import unpack as unpack_module
from builder.package.examine import examine
from builder.package.unpack import Binaries, unpack
from builder.system.progress import Progress
from tests.support.releases.fake_release import MTIME, Tarball, binaries, sha256
from tests.support.releases.tiny_elf import EM_AARCH64, EM_S390, tiny_elf
from tests.unit.samples import FILE, Heard, examined, verified

GOOD = binaries()
TOP = FILE.directory


def unpacked(folder: Path, content: bytes) -> Binaries:
    return unpack(verified(folder, content), folder / "unpacked", Progress())


def refused(folder: Path, content: bytes) -> str:
    with pytest.raises(VerificationFailed) as caught:
        unpacked(folder, content)
    return caught.value.render()


def test_the_programs_are_taken_and_nothing_else(tmp_path: Path) -> None:
    content = Tarball().programs(GOOD).file(f"{TOP}/default.etcd", b"x").gz()
    found = unpacked(tmp_path, content)
    assert [program.name for program in found.programs] == ["etcd", "etcdctl", "etcdutl"]
    assert {path.name for path in (tmp_path / "unpacked").iterdir()} == set(GOOD)
    for program in found.programs:
        assert program.path.read_bytes() == GOOD[program.name]
        assert (program.sha256, program.size) == (sha256(GOOD[program.name]), len(GOOD[program.name]))


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_modes_are_ours_whatever_the_tarball_and_the_umask_say(tmp_path: Path, umask: int) -> None:
    content = Tarball()
    for name, data in GOOD.items():
        content.file(f"{TOP}/{name}", data, mode=0o4000)
    before = os.umask(umask)
    try:
        found = unpacked(tmp_path, content.gz())
    finally:
        os.umask(before)
    assert {program.path.stat().st_mode & 0o7777 for program in found.programs} == {0o755}


def test_the_date_of_the_release_is_the_newest_of_its_programs(tmp_path: Path) -> None:
    assert unpacked(tmp_path, Tarball().programs(GOOD).gz()).released == MTIME


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda tar: tar.special(f"{TOP}/link", tarfile.SYMTYPE, "/etc/passwd"), "a link to /etc/passwd"),
        (lambda tar: tar.special(f"{TOP}/link", tarfile.LNKTYPE, f"{TOP}/etcd"), "a link to"),
        (lambda tar: tar.special(f"{TOP}/null", tarfile.CHRTYPE), "a device or another special file"),
        (lambda tar: tar.special(f"{TOP}/pipe", tarfile.FIFOTYPE), "a device or another special file"),
        (lambda tar: tar.file(f"{TOP}/../etcd", b"x"), "points outside the folder"),
        (lambda tar: tar.file("/etc/etcd", b"x"), "points outside the folder"),
        (lambda tar: tar.file(f"{TOP}/etcd", b"x"), "twice"),
    ],
    ids=["symbolic link", "hard link", "device", "pipe", "way out", "absolute", "second etcd"],
)
def test_an_unsafe_member_refuses_the_whole_tarball(
    tmp_path: Path, spoil: Callable[[Tarball], Tarball], reason: str
) -> None:
    message = refused(tmp_path, spoil(Tarball().programs(GOOD)).gz())
    assert message.startswith(f"{FILE.name} is not safe to unpack")
    assert reason in message


def test_a_tarball_without_a_program_names_what_is_missing(tmp_path: Path) -> None:
    message = refused(tmp_path, Tarball().programs({"etcd": b"x", "etcdctl": b"x"}).gz())
    assert f"missing   {TOP}/etcdutl" in message


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-100],
        lambda _: b"no gzip",
        lambda _: gzip.compress(b"no tar" * 1000),
        lambda content: content[:600] + bytes(8) + content[608:],
    ],
    ids=["cut", "no gzip", "no tar", "damaged"],
)
def test_a_damaged_tarball_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    message = refused(tmp_path, damage(Tarball().programs(GOOD).gz()))
    assert message.splitlines()[0] in (f"{FILE.name} is damaged", f"{FILE.name} is not an etcd release")


# Larger than what is read at once, and not to be made smaller.
LARGE = Random(1).randbytes(3 * 1024**2)  # noqa: S311
WHOLE = Tarball().programs(binaries(padding=LARGE)).gz()


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.8])
def test_a_tarball_that_is_cut_inside_a_program_is_damaged(tmp_path: Path, kept: float) -> None:
    message = refused(tmp_path, WHOLE[: int(len(WHOLE) * kept)])
    assert message.startswith(f"{FILE.name} is damaged\n"), message


@pytest.mark.parametrize("place", [0.2, 0.5, 0.8, 0.99])
def test_a_bit_that_has_changed_is_damage_wherever_it_is(tmp_path: Path, place: float) -> None:
    at = int(len(WHOLE) * place)
    message = refused(tmp_path, WHOLE[:at] + bytes([WHOLE[at] ^ 1]) + WHOLE[at + 1 :])
    assert message.startswith(f"{FILE.name} is damaged\n"), message


def test_an_archive_that_ends_inside_a_program_is_damaged(tmp_path: Path) -> None:
    raw = Tarball().programs(binaries(padding=LARGE)).raw()
    assert refused(tmp_path, gzip.compress(raw[: len(raw) // 2])).startswith(f"{FILE.name} is damaged\n")


@pytest.mark.parametrize(
    "headers",
    [
        *({"mtime": time} for time in ("nan", "inf", "-inf", "-1", "1e300", "9999999999999")),
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.size": "x"},
        {"GNU.sparse.map": "0,x"},
    ],
    ids=str,
)
def test_an_extended_header_that_holds_nonsense_is_damage(tmp_path: Path, headers: dict[str, str]) -> None:
    rest = {name: data for name, data in GOOD.items() if name != "etcdctl"}
    content = Tarball().with_pax(f"{TOP}/etcdctl", GOOD["etcdctl"], headers).programs(rest).gz()
    assert refused(tmp_path, content).startswith(f"{FILE.name} is damaged\n")


def test_more_than_a_release_can_be_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack_module, "TOTAL_LIMIT", 50_000)
    message = refused(tmp_path, Tarball().programs(GOOD).file(f"{TOP}/large", bytes(60_000)).gz())
    assert "unpacks to more than 50000 bytes" in message


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (tiny_elf("", EM_S390), "expected  EM_AARCH64"),
        (b"#!/bin/sh\n", "expected  a program for arm64"),
        (tiny_elf("", EM_AARCH64), "has no Go build information"),
        (b"", "expected  a program for arm64"),
    ],
    ids=["another machine", "a script", "not built by Go", "empty"],
)
def test_a_program_that_is_none_of_the_release_is_refused(
    tmp_path: Path, program: bytes, reason: str
) -> None:
    found = examined(tmp_path).binaries
    found.programs[1].path.write_bytes(program)
    with pytest.raises(VerificationFailed) as caught:
        examine(found, Progress())
    assert "etcdctl" in caught.value.summary
    assert reason in caught.value.render()


def test_a_damaged_program_is_refused_wherever_the_damage_is(tmp_path: Path) -> None:
    found = examined(tmp_path).binaries
    whole = found.programs[0].path.read_bytes()
    random = Random(3)  # noqa: S311
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(random.randint(1, 4)):
            damaged[random.randrange(min(len(whole), 4096))] = random.randrange(256)
        found.programs[0].path.write_bytes(damaged)
        with suppress(VerificationFailed):
            examine(found, Progress())


def test_a_program_that_may_not_be_run_here_is_not_asked_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    found = unpacked(tmp_path, Tarball().programs(GOOD).gz())
    monkeypatch.setattr(examine_module, "run", refuse)
    monkeypatch.setattr(examine_module, "host_architecture", lambda: "amd64")
    progress = Heard()
    examine(found, progress)
    assert "warning: can't run etcd (Permission denied): its version was not checked" in progress.steps


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM, errno.EAGAIN])
def test_a_machine_that_has_not_enough_is_not_the_tarballs_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    found = unpacked(tmp_path, Tarball().programs(GOOD).gz())
    monkeypatch.setattr(examine_module, "host_architecture", lambda: "amd64")
    for name in ("run", "BytesIO"):
        with monkeypatch.context() as patch:
            patch.setattr(examine_module, name, refuse)
            with pytest.raises(OSError, match=os.strerror(number)):
                examine(found, Progress())
