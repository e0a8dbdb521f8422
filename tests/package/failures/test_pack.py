"""What can fail on this machine: a full disk at each stage, a missing program; and builds side by side."""

import os
import random
import subprocess
from pathlib import Path

import pytest

from tests.package.failures.conftest import Origins
from tests.support.account import (
    Account,
    Result,
    assert_built,
    assert_nothing_left,
    assert_refused,
    programs_without,
)
from tests.support.faults.answers import Stall
from tests.support.releases.fake_release import VERSION, Tarball, binaries, good_tarball, tarball_name
from tests.support.releases.tiny_elf import MACHINES
from tests.support.sample import sampled

FULL = "no space left on device"
# Three programs of a mebibyte each that no compression makes smaller.
RANDOM = random.Random(2).randbytes(1024**2)  # noqa: S311
LARGE = good_tarball(padding=RANDOM)
# Runs a command with a small disk at $1, and writes what is left on it into $3.
SMALL_DISK = """
disk=$1 report=$3
mount -t tmpfs -o "size=$2" tmpfs "$disk"
shift 3
status=0
"$@" || status=$?
find "$disk" -mindepth 1 ! -name '*.lock' ! -type d >"$report"
find "$disk" -mindepth 1 -maxdepth 1 -name 'etcd-deb-*' >>"$report"
exit "$status"
"""


def build_on_small_disk(
    account: Account, origins: Origins, disk: Path, size: str, *options: str
) -> tuple[Result, str]:
    """A build of the large release where `disk` holds only `size`, and what was left on that disk."""
    account.trusts(origins.file(origins.tarball))
    disk.mkdir(exist_ok=True)
    report = account.folder / "left"
    rights = () if os.geteuid() == 0 else ("--map-root-user",)
    under = ("unshare", "--mount", *rights, "sh", "-ec", SMALL_DISK, "sh", str(disk), size, str(report))
    result = account.run(*account.build_words(VERSION, origins.source, *options), under=under)
    return result, report.read_text()


def assert_full(account: Account, result: Result, doing: str, *, cached: bool) -> None:
    assert (result.status, result.out) == (1, ""), result
    assert f"etcd-deb: error: {FULL} while {doing}" in result.err
    assert "hint: " in result.err
    good = frozenset(map(tarball_name, MACHINES)) if cached else frozenset()
    assert_nothing_left(account, cached=good)


def test_disk_full_while_fetching_leaves_no_part(account: Account, origins: Origins) -> None:
    origins.publish(amd64=LARGE)
    result, left = build_on_small_disk(account, origins, account.cache, "1m")
    assert_full(account, result, f"fetching {tarball_name()}", cached=False)
    assert left == ""


def test_disk_full_while_copying_the_tarball_leaves_nothing(account: Account, origins: Origins) -> None:
    origins.publish(amd64=LARGE)
    result, left = build_on_small_disk(account, origins, account.work, "2m")
    assert_full(account, result, f"copying {tarball_name()}", cached=True)
    assert left == ""


# Room for the copy of the tarball.
def test_disk_full_while_unpacking_leaves_nothing(account: Account, origins: Origins) -> None:
    origins.publish(amd64=LARGE)
    result, left = build_on_small_disk(account, origins, account.work, "5m")
    assert_full(account, result, "unpacking ", cached=True)
    assert left == ""


# Beside the copy of the tarball, room for the tree, for the tree and its staged copy, for these and data.tar.
@pytest.mark.parametrize("size", sampled(["8m", "12m", "16m"], "12m"))
def test_disk_full_while_packing_leaves_nothing(account: Account, origins: Origins, size: str) -> None:
    origins.publish(amd64=LARGE)
    result, left = build_on_small_disk(account, origins, account.work, size)
    assert_full(account, result, "running dpkg-buildpackage", cached=True)
    assert left == ""


def test_disk_full_in_the_output_folder_leaves_no_package(account: Account, origins: Origins) -> None:
    origins.publish(amd64=LARGE)
    result, left = build_on_small_disk(account, origins, account.output, "512k")
    assert_full(account, result, "writing the packages", cached=True)
    assert left == ""


@pytest.mark.soak
def test_disk_full_at_the_second_package_leaves_none(account: Account, origins: Origins) -> None:
    origins.publish(amd64=LARGE, arm64=good_tarball("arm64", padding=RANDOM))
    options = ("--arch", "amd64", "--arch", "arm64")
    result, left = build_on_small_disk(account, origins, account.output, "1500k", *options)
    assert_full(account, result, "writing the packages", cached=True)
    assert left == ""


@pytest.mark.soak
def test_output_that_is_no_folder_is_refused(account: Account, origins: Origins) -> None:
    account.output.write_text("not ours\n")
    result = account.build(VERSION, origins.source)
    assert (result.status, result.out) == (1, ""), result
    assert f"etcd-deb: error: {account.output}: " in result.err
    assert "hint: " in result.err
    assert "Traceback" not in result.err
    assert account.output.read_text() == "not ours\n"
    assert account.scraps() == set()


def test_missing_dpkg_buildpackage_is_named_with_its_package(account: Account, origins: Origins) -> None:
    account.variables["PATH"] = programs_without(account.folder / "bin", "dpkg-buildpackage")
    result = account.build(VERSION, origins.source)
    assert (result.status, result.out) == (1, ""), result
    assert "etcd-deb: error: dpkg-buildpackage is not installed" in result.err
    assert "hint: apt install dpkg-dev" in result.err
    assert_nothing_left(account, cached=frozenset({tarball_name()}))


def test_failing_dpkg_buildpackage_is_shown_with_its_last_lines(account: Account, origins: Origins) -> None:
    shim = account.folder / "bin" / "dh_builddeb"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\necho the reason of the lab >&2\nexit 25\n")
    shim.chmod(0o755)
    account.variables["PATH"] = f"{shim.parent}:{os.environ['PATH']}"
    result = account.build(VERSION, origins.source)
    assert (result.status, result.out) == (1, ""), result
    assert "etcd-deb: error: dpkg-buildpackage failed with exit status" in result.err
    assert "the reason of the lab" in result.err
    assert "hint: " in result.err
    assert_nothing_left(account, cached=frozenset({tarball_name()}))


def test_two_builds_started_together_both_succeed(account: Account, origins: Origins) -> None:
    stall = Stall(100)
    origins.server.script(origins.tarball, stall)
    words = account.build_words(VERSION, origins.source)
    first = account.start(*words)
    stall.await_client()
    second = account.start(*words)
    second.await_message("waiting for another etcd-deb")
    stall.release()
    for result in (first.finish(), second.finish()):
        assert_built(account, result, f"etcd-ha_{VERSION}-1_amd64")
    assert len(origins.server.asked(origins.tarball)) == 1
    assert account.made() == {
        f"etcd-ha_{VERSION}-1_amd64.deb",
        f"etcd-ha_{VERSION}-1_amd64.buildinfo",
        f"etcd-ha_{VERSION}-1_amd64.changes",
        f"etcd-ha_{VERSION}.deb",
    }


def test_all_architectures_are_built_on_one_machine(account: Account, origins: Origins) -> None:
    origins.publish(**{architecture: good_tarball(architecture) for architecture in MACHINES})
    result = account.build(VERSION, origins.source, "--arch", "all")
    assert_built(account, result, *(f"etcd-ha_{VERSION}-1_{architecture}" for architecture in MACHINES))
    for architecture in MACHINES:
        packed = account.folder / architecture
        deb = account.output / f"etcd-ha_{VERSION}-1_{architecture}.deb"
        subprocess.run(["dpkg-deb", "-x", str(deb), str(packed)], check=True)
        for name, data in binaries(architecture).items():
            assert (packed / "usr/lib/etcd-ha/bin" / name).read_bytes() == data


@pytest.mark.soak
def test_wrong_machine_in_one_of_all_architectures_leaves_no_package(
    account: Account, origins: Origins
) -> None:
    tarballs = {architecture: good_tarball(architecture) for architecture in MACHINES}
    tarballs["s390x"] = Tarball("s390x").programs(binaries("s390x", machine=MACHINES["ppc64el"])).gz()
    origins.publish(**tarballs)
    result = account.build(VERSION, origins.source, "--arch", "all")
    assert (result.status, result.out) == (3, ""), result
    assert "etcd-deb: error: etcd is not built for s390x" in result.err
    assert_nothing_left(account, cached=frozenset(tarball_name(name) for name in MACHINES if name != "s390x"))


def test_lacking_one_of_two_architectures_leaves_no_package(account: Account, origins: Origins) -> None:
    result = account.build(VERSION, origins.source, "--arch", "amd64", "--arch", "arm64")
    assert result.status == 1
    assert "arm64" in result.err
    assert_nothing_left(account, cached=frozenset({tarball_name()}))


def test_assert_refused_sees_a_traceback(account: Account) -> None:
    crashed = Result(1, "", "etcd-deb: error: x\nTraceback\nhint: y\n")
    with pytest.raises(AssertionError):
        assert_refused(account, crashed, 1)
