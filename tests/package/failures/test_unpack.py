"""Tarballs that have the pinned digest and must be refused all the same: exit 3, and nothing is kept."""

import tarfile

import pytest

from tests.package.failures.conftest import Origins
from tests.support.account import Account, assert_refused
from tests.support.releases.fake_release import VERSION, Tarball, binaries, bomb, good_tarball
from tests.support.releases.tiny_elf import MACHINES, tiny_elf

TOP = Tarball().top
# sh_offset of the last section, which holds the sections' names, leads beyond any file.
DAMAGED = binaries()["etcd"][:-40] + b"\xff" * 8 + binaries()["etcd"][-32:]


def refuse(account: Account, origins: Origins, tarball: bytes, *words: str) -> None:
    origins.publish(amd64=tarball)
    account.trusts(origins.file(origins.tarball))
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 3, *words)


def good() -> Tarball:
    return Tarball().programs(binaries())


@pytest.mark.parametrize("name", ["../escaped", f"{TOP}/../../escaped", f"{TOP}/Documentation/../etcd"])
def test_parent_folder_in_a_path_is_refused(account: Account, origins: Origins, name: str) -> None:
    refuse(account, origins, good().file(name, b"#!/bin/sh\n").gz(), "not safe to unpack", name)
    assert not list(account.folder.rglob("escaped"))


def test_absolute_path_is_refused(account: Account, origins: Origins) -> None:
    escaped = account.folder / "escaped"
    refuse(
        account, origins, good().file(str(escaped), b"#!/bin/sh\n").gz(), "not safe to unpack", str(escaped)
    )
    assert not escaped.exists()


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        pytest.param(tarfile.SYMTYPE, "/etc/passwd", id="symlink"),
        pytest.param(tarfile.LNKTYPE, f"{TOP}/etcd", id="hard link"),
        pytest.param(tarfile.CHRTYPE, "", id="character device"),
        pytest.param(tarfile.BLKTYPE, "", id="block device"),
        pytest.param(tarfile.FIFOTYPE, "", id="pipe"),
    ],
)
@pytest.mark.parametrize("name", ["etcd", "Documentation/note.md"])
def test_special_file_is_refused(
    account: Account, origins: Origins, name: str, kind: bytes, target: str
) -> None:
    programs = {other: data for other, data in binaries().items() if other != name}
    tarball = Tarball().programs(programs).special(f"{TOP}/{name}", kind, target)
    refuse(account, origins, tarball.gz(), "not safe to unpack", f"{TOP}/{name}")


def test_second_etcd_is_refused(account: Account, origins: Origins) -> None:
    tarball = good().file(f"{TOP}/etcd", binaries()["etcd"])
    refuse(account, origins, tarball.gz(), f"{TOP}/etcd twice")


def test_second_etcd_under_another_spelling_is_refused(account: Account, origins: Origins) -> None:
    tarball = good().file(f"./{TOP}/etcd", binaries()["etcd"])
    refuse(account, origins, tarball.gz(), "twice")


@pytest.mark.parametrize("name", ["etcd", "Documentation/notes.md"])
def test_ten_gibibytes_of_zeros_are_refused(account: Account, origins: Origins, name: str) -> None:
    refuse(account, origins, bomb(f"{TOP}/{name}"), "not safe to unpack")


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>log in</html>", Tarball().programs(binaries()).raw()],
    ids=["empty", "web page", "plain tar"],
)
def test_file_that_is_no_gzip_is_refused(account: Account, origins: Origins, content: bytes) -> None:
    refuse(account, origins, content, "is damaged", "tar.gz")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_truncated_gzip_with_the_right_digest_is_refused(
    account: Account, origins: Origins, kept: float
) -> None:
    whole = good_tarball()
    refuse(account, origins, whole[: int(len(whole) * kept)], "is damaged")


def test_gzip_with_a_damaged_end_is_refused(account: Account, origins: Origins) -> None:
    refuse(account, origins, good_tarball()[:-8] + bytes(8), "is damaged")


@pytest.mark.parametrize("architecture", ["arm64", "ppc64el", "s390x"])
def test_elf_of_another_machine_is_refused(account: Account, origins: Origins, architecture: str) -> None:
    tarball = Tarball().programs(binaries(machine=MACHINES[architecture]))
    refuse(account, origins, tarball.gz(), "not built for amd64", "EM_X86_64")


@pytest.mark.parametrize("program", ["etcd", "etcdctl", "etcdutl"])
def test_one_program_of_another_machine_is_refused(account: Account, origins: Origins, program: str) -> None:
    mixed = binaries() | {program: binaries("arm64")[program]}
    refuse(account, origins, Tarball().programs(mixed).gz(), f"{program} is not built for amd64")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x7fELF", b"#!/bin/sh\necho etcd Version: 3.6.99\n", DAMAGED],
    ids=["empty", "magic alone", "script", "damaged section"],
)
def test_program_that_is_no_elf_is_refused(account: Account, origins: Origins, content: bytes) -> None:
    refuse(
        account, origins, Tarball().programs(binaries() | {"etcd": content}).gz(), "etcd is not an ELF file"
    )


@pytest.mark.parametrize("program", ["etcd", "etcdctl", "etcdutl"])
def test_program_that_says_another_version_is_refused(
    account: Account, origins: Origins, program: str
) -> None:
    mixed = binaries() | {program: binaries(version="3.6.9")[program]}
    refuse(
        account,
        origins,
        Tarball().programs(mixed).gz(),
        f"{program} reports another version",
        VERSION,
        "3.6.9",
    )


def test_program_without_go_build_information_is_refused(account: Account, origins: Origins) -> None:
    mixed = binaries() | {"etcd": tiny_elf(f"etcd Version: {VERSION}\n")}
    refuse(account, origins, Tarball().programs(mixed).gz(), "Go build information")


@pytest.mark.parametrize("program", ["etcd", "etcdctl", "etcdutl"])
def test_missing_program_is_refused(account: Account, origins: Origins, program: str) -> None:
    programs = {name: data for name, data in binaries().items() if name != program}
    refuse(account, origins, Tarball().programs(programs).gz(), f"missing   {TOP}/{program}")


def test_tarball_of_another_version_is_refused(account: Account, origins: Origins) -> None:
    tarball = Tarball(version="3.6.9").programs(binaries(version="3.6.9"))
    refuse(account, origins, tarball.gz(), f"missing   {TOP}/etcd")
