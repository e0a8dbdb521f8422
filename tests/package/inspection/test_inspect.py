"""inspect says what it compared, and calls no forged package the release's own."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from builder.deb.tar_part import TOOLCHAIN
from builder.inspection import rebuild as rebuilding
from builder.inspection.inspect import Verdict, inspect, inspect_by_rebuild
from builder.package.provenance import BUILDER
from tests.package.genuine import Genuine
from tests.package.inspection.forgeries import (
    CRON,
    ETCD,
    ETCDCTL,
    FORGERIES,
    NOT_READ,
    POSTINST,
    Package,
    provenance_says,
    taken_apart,
)
from tests.support.releases.fake_release import VERSION
from tests.support.sample import sampled


@pytest.fixture
def built_once(genuine: Genuine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a build would make again, here or in a chroot, was made before."""
    monkeypatch.setattr(rebuilding, "pack", lambda *_: SimpleNamespace(deb=genuine.deb))
    monkeypatch.setattr(rebuilding, "pack_in_chroot", lambda *_: genuine.deb)


# Every third: all bytes are compared, whichever were forged. The quick look has all of them below.
@pytest.mark.usefixtures("built_once")
@pytest.mark.parametrize("name", sampled(FORGERIES, *list(FORGERIES)[::3]))
def test_rebuild_names_the_member_of_each_forgery(genuine: Genuine, tmp_path: Path, name: str) -> None:
    change, member = FORGERIES[name]
    package = taken_apart(genuine.deb)
    change(package)
    finding = genuine.found(inspect_by_rebuild, package.write(tmp_path / "forged.deb"))
    assert finding.verdict is Verdict.DIFFERENT, finding
    assert member in "\n".join(map(str, finding.differences)), finding
    assert finding.compared == ()


@pytest.mark.parametrize("name", FORGERIES)
def test_quick_look_names_the_member_or_says_that_it_did_not_compare_it(
    genuine: Genuine, tmp_path: Path, name: str
) -> None:
    change, member = FORGERIES[name]
    package = taken_apart(genuine.deb)
    change(package)
    finding = genuine.found(inspect, package.write(tmp_path / "forged.deb"))
    if name in NOT_READ:
        assert finding.verdict is Verdict.RELEASE
        not_read = "; ".join(finding.not_compared)
        for words in ("maintainer scripts", "other fields of the control file", "md5sums",
                      "content of each file that is not a program", "order", "compression"):  # fmt: skip
            assert words in not_read
    else:
        assert finding.verdict is Verdict.DIFFERENT, finding
        assert member.split(":")[0] in "\n".join(map(str, finding.differences)), finding


def _renamed_by_a_header(package: Package) -> None:
    """Readers of pax see the release's program at its path; others see the one that follows."""
    package.form = tarfile.PAX_FORMAT
    genuine = package.find(ETCD)
    package.add(ETCD, b"evil\n", mode=0o755)
    evil, _ = package.data[-1]
    genuine.name, genuine.pax_headers = "./usr/share/x", {"path": ETCD}
    evil.pax_headers = {"path": "./usr/share/y"}


@pytest.mark.parametrize(
    "change",
    [
        _renamed_by_a_header,
        lambda deb: deb.add("./usr/lib/x/../etcd-ha/bin/etcd", b"evil\n", mode=0o755),
        lambda deb: deb.add("./usr/lib/etcd-ha/bin", type=tarfile.SYMTYPE, linkname="/tmp/evil"),  # noqa: S108
        FORGERIES["same path by ././"][0],
        FORGERIES["hard link"][0],
        FORGERIES["data twice"][0],
        FORGERIES["bytes after the tar"][0],
    ],
)
@pytest.mark.parametrize("look", [inspect, inspect_by_rebuild])
def test_package_that_says_it_is_of_another_etcd_deb_hides_no_program_by_that(
    genuine: Genuine,
    tmp_path: Path,
    look: Callable[..., object],
    change: Callable[[Package], None],
) -> None:
    package = taken_apart(genuine.deb)
    provenance_says(builder="etcd-deb 0.0.1")(package)
    change(package)
    finding = genuine.found(look, package.write(tmp_path / "forged.deb"))
    assert finding.verdict is Verdict.DIFFERENT, finding


def test_forgery_that_changes_nothing_is_the_genuine_package(genuine: Genuine, tmp_path: Path) -> None:
    """The other tests change what they say, and nothing else."""
    again = taken_apart(genuine.deb).write(tmp_path / "again.deb")
    finding = genuine.found(inspect, again)
    assert finding.verdict is Verdict.RELEASE
    assert any(what.startswith("the list of members") for what in finding.compared)


def test_genuine_package_is_built_again_with_the_same_bytes(genuine: Genuine) -> None:
    status, found = genuine.look(genuine.deb, "--rebuild")
    assert (status, found["verdict"], found["differences"]) == (0, "rebuilt", [])
    assert found["compared"] == ["every byte of the package"]


def test_forged_package_is_built_again_and_nothing_of_it_runs(genuine: Genuine, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    evil = f"#!/bin/sh\ntouch {marker}\n".encode()
    package = taken_apart(genuine.deb)
    for script in (POSTINST, "./config", ETCD, ETCDCTL):
        package.put(script, evil)
    status, found = genuine.look(package.write(tmp_path / "forged.deb"), "--rebuild")
    assert (status, found["verdict"]) == (3, "different")
    differences = found["differences"]
    assert isinstance(differences, list)
    assert {one["member"] for one in differences} == {
        *("control.tar ./config", f"control.tar {POSTINST}", f"data.tar {ETCD}", f"data.tar {ETCDCTL}"),
    }
    assert not marker.exists()


@pytest.mark.parametrize("options", [(), ("--rebuild",)], ids=["look", "rebuild"])
def test_release_that_can_not_be_had_is_a_status_of_its_own(
    genuine: Genuine, tmp_path: Path, options: tuple[str, ...]
) -> None:
    package = taken_apart(genuine.deb)
    provenance_says(url="https://github.com/etcd-io/etcd/releases/download/x")(package)
    forged = package.write(tmp_path / "forged.deb")
    where = ("--source", tmp_path, "--pins", genuine.account.pins)
    result = genuine.account.run("inspect", forged, *where, *options)
    assert result.status == 4
    last = result.out.splitlines()[-1]
    assert last.startswith("result")
    assert "not compared" in last
    assert f"has no etcd-v{VERSION}" in last
    # The package's own words stand below what says whose they are.
    says, found = result.out.index("it says"), result.out.index("found")
    assert says < result.out.index("vouched for by") < found
    assert "compared      " not in result.out.replace("not compared", "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"builder": "etcd-deb 0.0.1"}, f"it was built by etcd-deb 0.0.1, and this is {BUILDER}"),
        ({"builder": ""}, "a version of etcd-deb that its provenance does not name"),
    ],
)
def test_package_of_another_etcd_deb_is_not_built_again(
    genuine: Genuine, tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    package = taken_apart(genuine.deb)
    provenance_says(**changes)(package)
    finding = genuine.found(inspect_by_rebuild, package.write(tmp_path / "other.deb"))
    assert finding.verdict is Verdict.UNKNOWN
    assert reason in finding.reason


@pytest.mark.usefixtures("built_once")
def test_toolchain_that_can_not_be_had_proves_nothing_but_what_no_build_leaves_does(
    genuine: Genuine, tmp_path: Path
) -> None:
    package = taken_apart(genuine.deb)
    package.edit(TOOLCHAIN, lambda text: re.sub(rb"(?m)^debhelper .*$", b"debhelper 99", text))
    finding = genuine.found(inspect_by_rebuild, package.write(tmp_path / "other.deb"))
    assert finding.verdict is Verdict.UNKNOWN
    assert "debhelper 99, and debian bookworm has" in finding.reason
    package.add(CRON, b"* * * * * root evil\n")
    finding = genuine.found(inspect_by_rebuild, package.write(tmp_path / "other.deb"))
    assert finding.verdict is Verdict.DIFFERENT
    assert CRON in "\n".join(map(str, finding.differences))


def test_release_of_debian_that_can_not_be_made_here_is_said_with_the_reason(
    genuine: Genuine, tmp_path: Path
) -> None:
    package = taken_apart(genuine.deb)
    package.edit(TOOLCHAIN, lambda text: text.replace(text.split(b"\n")[0], b"ubuntu noble"))
    status, found = genuine.look(package.write(tmp_path / "other.deb"), "--rebuild")
    assert (status, found["verdict"]) == (4, "unknown")
    assert "can't set up ubuntu noble on this machine" in str(found["reason"])
