"""A package that was built on another Debian release is built again as it was there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.account import Account
from tests.lab.chroot import Chroot, chroot
from tests.lab.fake_release import VERSION, good_tarball, publish, tarball_name
from tests.package.forgeries import POSTINST, more, taken_apart
from tests.package.surroundings import CHECKOUT

# What pyproject.toml names beside each dependency, and what `etcd-deb doctor` asks for.
PACKAGES = (
    *("python3", "python3-click", "python3-debian", "python3-isal", "python3-jinja2", "python3-pyelftools"),
    *("python3-requests", "debhelper", "dpkg-dev", "make", "po-debconf", "xz-utils", "gzip", "zstd"),
)
DEB = f"etcd-ha_{VERSION}-1_amd64.deb"


@dataclass(frozen=True)
class Elsewhere:
    """A machine of another Debian release, with this checkout and a release of etcd."""

    root: Chroot

    def run(self, *words: str, check: bool = True) -> tuple[int, str]:
        environment = {"PYTHONPATH": "/checkout", "HOME": "/root"}
        where = ("--source", "/releases", "--pins", "/pins")
        done = self.root.run("python3", "-m", "builder", *words, *where, env=environment, check=check)
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def trixie(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    releases = publish(tmp_path_factory.mktemp("releases"), {"amd64": good_tarball()})
    account = Account(tmp_path_factory.mktemp("account") / "a")
    account.trusts(releases / f"v{VERSION}" / tarball_name())
    with chroot("trixie", *PACKAGES) as root:
        for part in ("builder", "conf", "debian-template"):
            root.put(CHECKOUT / part, f"/checkout/{part}")
        root.put(releases, "/releases")
        root.put(account.pins, "/pins")
        yield Elsewhere(root)


@pytest.fixture(scope="module")
def account(trixie: Elsewhere, tmp_path_factory: pytest.TempPathFactory) -> Account:
    made = Account(tmp_path_factory.mktemp("here") / "a")
    made.pins = trixie.root.root / "pins"
    return made


@pytest.mark.soak
def test_package_of_debian_13_is_built_again_there_and_here(trixie: Elsewhere, account: Account) -> None:
    trixie.run("build", VERSION, "--arch", "amd64", "--output", "/dist")
    package = trixie.root.root / "dist" / DEB
    status, out = trixie.run("inspect", "--rebuild", f"/dist/{DEB}")
    assert status == 0
    assert "built again here, on debian trixie, with the same bytes" in out
    status, found = rebuilt(trixie, account, package)
    assert (status, found["verdict"]) == (0, "rebuilt"), found
    assert "in a chroot of debian trixie, with the same bytes" in str(found["reason"])
    assert account.scraps() == set()


@pytest.mark.soak
def test_forgery_of_a_package_of_debian_13_is_found_here(
    trixie: Elsewhere, account: Account, tmp_path: Path
) -> None:
    trixie.run("build", VERSION, "--arch", "amd64", "--compression", "gzip", "--output", "/gzip")
    package = taken_apart(trixie.root.root / "gzip" / DEB)
    package.edit(POSTINST, more)
    status, found = rebuilt(trixie, account, package.write(tmp_path / "forged.deb"))
    assert (status, found["verdict"]) == (3, "different"), found
    assert [one["member"] for one in as_list(found["differences"])] == [f"control.tar {POSTINST}"]


def rebuilt(trixie: Elsewhere, account: Account, package: Path) -> tuple[int, dict[str, object]]:
    releases = trixie.root.root / "releases"
    words = ("inspect", "--rebuild", package, "--source", releases, "--pins", account.pins, "--json")
    result = account.start(*words).finish(within=600)
    assert result.out, result.err
    found: dict[str, object] = json.loads(result.out)
    return result.status, found


def as_list(value: object) -> list[dict[str, str]]:
    assert isinstance(value, list)
    return value
