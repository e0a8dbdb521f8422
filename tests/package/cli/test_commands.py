"""The commands beside build, on real packages: inspect, doctor, and a signed upload."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.cli.commands.doctor import NEEDS
from tests.package.conftest import STATIC, digest
from tests.support.account import Account, programs_without
from tests.support.releases import releases
from tests.support.releases.fake_release import VERSION, good_tarball, publish, tarball_name
from tests.support.upload import Upload


@pytest.fixture
def account(tmp_path: Path) -> Account:
    made = Account(tmp_path / "account")
    made.pins = releases.PINS
    return made


def inspected(
    account: Account, package: Path, folder: Path, pins: Path, *options: str
) -> tuple[int, dict[str, object]]:
    where = ("--source", folder, "--pins", pins)
    result = account.run("inspect", package, *where, "--json", *options)
    assert result.out, result.err
    found: dict[str, object] = json.loads(result.out)
    return result.status, found


def test_inspect_recognizes_the_programs_of_the_release(
    account: Account, upload: Callable[..., Upload], release_folder: Path
) -> None:
    status, found = inspected(account, upload(STATIC).deb, release_folder, releases.PINS)
    assert (status, found["verdict"], found["version"]) == (0, "release", f"{STATIC}-1")
    assert found["architecture"] == "amd64"
    provenance = found["provenance"]
    assert isinstance(provenance, dict)
    assert provenance["vouchers"] == ["pin in SHA256SUMS"]
    assert found["programs"] == provenance["programs"]


@pytest.mark.soak
def test_real_package_is_built_again_with_the_same_bytes(
    account: Account, upload: Callable[..., Upload], release_folder: Path
) -> None:
    package = upload(STATIC).deb
    status, found = inspected(account, package, release_folder, releases.PINS, "--rebuild")
    assert (status, found["verdict"], found["sha256"]) == (0, "rebuilt", digest(package)), found


def test_inspect_refuses_a_tarball_that_the_pins_name_otherwise(
    account: Account, upload: Callable[..., Upload], release_folder: Path, tmp_path: Path
) -> None:
    pins = tmp_path / "pins"
    pins.write_text(f"{'0' * 64}  etcd-v{STATIC}-linux-amd64.tar.gz\n")
    status, found = inspected(account, upload(STATIC).deb, release_folder, pins)
    assert (status, found["verdict"]) == (3, "different")


def test_inspect_refuses_what_is_no_package_of_ours(account: Account, tmp_path: Path) -> None:
    control = tmp_path / "tree/DEBIAN/control"
    control.parent.mkdir(parents=True)
    control.write_text(
        "Package: other\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: other\n"
    )
    package = tmp_path / "other.deb"
    subprocess.run(["dpkg-deb", "--build", tmp_path / "tree", package], check=True, capture_output=True)
    result = account.run("inspect", package)
    assert (result.status, result.out) == (1, "")
    assert "was not built by etcd-deb" in result.err


@pytest.mark.parametrize(
    ("missing", "status", "told"),
    [
        (
            ("dpkg-buildpackage", "zstd", "gpg"),
            1,
            [
                "Required programs are missing. Install them with: apt install dpkg-dev",
                "Optional programs are missing. Install them with: apt install gnupg zstd",
            ],
        ),
        (
            ("zstd", "rsync"),
            0,
            [
                "All programs that a build needs are installed.",
                "Optional programs are missing. Install them with: apt install rsync zstd",
            ],
        ),
        ((), 0, ["All programs that a build needs are installed."]),
    ],
    ids=["needed", "optional", "nothing"],
)
def test_doctor_tells_what_a_build_needs_from_what_it_does_not(
    account: Account, tmp_path: Path, missing: tuple[str, ...], status: int, told: list[str]
) -> None:
    path = programs_without(tmp_path / "bin", *missing)
    result = account.run("doctor", variables={"PATH": path})
    assert result.status == status
    lines = result.out.splitlines()
    assert {line.split()[0] for line in lines if line.split()[1] == "missing"} == set(missing)
    assert lines[-len(told) :] == told


def made_up(account: Account, folder: Path) -> Path:
    """A release that is only made up, and pinned."""
    source = publish(folder / "releases", {"amd64": good_tarball()})
    account.pins = folder / "pins"
    account.trusts(source / f"v{VERSION}" / tarball_name())
    return source


def test_build_works_where_doctor_says_so(account: Account, tmp_path: Path) -> None:
    optional = [need.program for need in NEEDS if not need.required]
    account.variables["PATH"] = programs_without(tmp_path / "bin", *optional)
    assert account.run("doctor").status == 0
    source = made_up(account, tmp_path)
    result = account.build(VERSION, source, "--arch", "amd64")
    assert result.status == 0, result.err


def test_key_signs_what_dpkg_says_of_the_build(account: Account, tmp_path: Path) -> None:
    source = made_up(account, tmp_path)
    # gpg's sockets need a short path.
    home = tmp_path / "gpg"
    home.mkdir(mode=0o700)
    variables = {"GNUPGHOME": str(home)}
    gpg = ["gpg", "--homedir", str(home), "--batch"]
    who = "Lab <lab@example.org>"
    quick = ["--passphrase", "", "--quick-generate-key", who, "ed25519", "sign", "never"]
    try:
        subprocess.run([*gpg, *quick], check=True, capture_output=True)
        options = ("--key", "lab@example.org", "--arch", "amd64")
        result = account.build(VERSION, source, *options, variables=variables)
        assert result.status == 0, result.err
        for suffix in ("changes", "buildinfo"):
            file = account.output / f"etcd-ha_{VERSION}-1_amd64.{suffix}"
            checked = subprocess.run([*gpg, "--verify", file], capture_output=True, text=True, check=False)
            assert checked.returncode == 0, checked.stderr
    finally:
        ended = ["gpgconf", "--homedir", str(home), "--kill", "all"]
        subprocess.run(ended, check=True)
