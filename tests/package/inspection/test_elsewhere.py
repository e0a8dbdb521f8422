"""Debian 12 and 13 make packages that differ as documented, and each is built again as it was there."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from builder.deb.compare import differences
from builder.deb.deb_file import read_deb
from builder.settings import COMPRESSIONS
from tests.package.conftest import digest
from tests.package.inspection.forgeries import POSTINST, more, taken_apart
from tests.package.surroundings import CHECKOUT, DAYS, HOSTILE_FILES, HOSTILE_VARIABLES, NOBODY
from tests.support.account import Account
from tests.support.machines.chroot import Chroot, chroot
from tests.support.releases.fake_release import VERSION, good_tarball, publish, tarball_name

# What pyproject.toml names, but for isal, which Debian 12 lacks, and what a build needs.
PACKAGES = (
    *("python3", "python3-click", "python3-debian", "python3-jinja2", "python3-pyelftools"),
    *("python3-requests", "debhelper", "dpkg-dev", "make", "po-debconf", "xz-utils", "gzip", "zstd"),
)
SUITES = ("bookworm", "trixie")
DEB = f"etcd-ha_{VERSION}-1_amd64.deb"
EMPTY, HOSTILE = "/empty", "/hostile"
PREPARE = f"mkdir {EMPTY}; chown -R nobody: {EMPTY} {HOSTILE}; chmod -R a+rX /releases /pins"
DOCUMENTED = Path(__file__).resolve().parents[3] / "docs/explanation/packing.md"


@dataclass(frozen=True)
class Elsewhere:
    """A machine of a Debian release, with this etcd-deb and a release of etcd."""

    suite: str
    root: Chroot

    def run(self, *words: str, form: str = "checkout", user: str = "root", home: str = EMPTY) -> str:
        variables = {"PYTHONPATH": f"/{form}", "HOME": home, **(HOSTILE_VARIABLES if home == HOSTILE else {})}
        where = ("--source", "/releases", "--pins", "/pins")
        as_user = ("setpriv", f"--reuid={user}", "--regid=nogroup", "--clear-groups", "--")
        command = (*(as_user if user != "root" else ()), "python3", "-m", "builder", *words, *where)
        return self.root.run(*command, env=variables).stdout

    def build(self, compression: str, **how: str) -> Path:
        """The package, outside."""
        self.root.run("rm", "-rf", "/tmp/dist")  # noqa: S108
        words = ("build", VERSION, "--arch", "amd64", "--output", "/tmp/dist", "--compression", compression)  # noqa: S108
        self.run(*words, **how)
        return self.root.root / "tmp/dist" / DEB


@pytest.fixture(scope="module")
def machines(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Elsewhere]]:
    folder = tmp_path_factory.mktemp("machines")
    releases = publish(folder / "releases", {"amd64": good_tarball()})
    account = Account(folder / "account")
    account.trusts(releases / f"v{VERSION}" / tarball_name())
    with ExitStack() as stack:
        made = {}
        for suite in SUITES:
            root = stack.enter_context(chroot(suite, *PACKAGES))
            for part in ("builder", "conf", "debian-template"):
                root.put(CHECKOUT / part, f"/checkout/{part}")
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(root.root / "wheel")
            root.put(releases, "/releases")
            root.put(account.pins, "/pins")
            for name, text in HOSTILE_FILES.items():
                file = root.root / HOSTILE[1:] / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            root.run("sh", "-ec", PREPARE)
            made[suite] = Elsewhere(suite, root)
        yield made


@pytest.fixture
def account(machines: dict[str, Elsewhere], tmp_path: Path) -> Account:
    made = Account(tmp_path / "account")
    made.pins = machines["trixie"].root.root / "pins"
    return made


def inspected(
    machines: dict[str, Elsewhere], account: Account, package: Path
) -> tuple[int, dict[str, object]]:
    """What `inspect --rebuild` finds on the machine that runs the tests."""
    releases = machines["trixie"].root.root / "releases"
    words = ("inspect", "--rebuild", package, "--source", releases, "--pins", account.pins, "--json")
    result = account.start(*words).finish(within=900)
    assert result.out, result.err
    assert account.scraps() == set()
    found: dict[str, object] = json.loads(result.out)
    return result.status, found


@pytest.mark.soak
@pytest.mark.parametrize("suite", SUITES)
def test_package_of_each_debian_is_built_again_there_and_here(
    machines: dict[str, Elsewhere], account: Account, suite: str
) -> None:
    package = machines[suite].build("xz")
    there = machines[suite].run("inspect", "--rebuild", f"/tmp/dist/{DEB}")  # noqa: S108
    assert f"built again here, on debian {suite}, with the same bytes" in there
    status, found = inspected(machines, account, package)
    assert (status, found["verdict"]) == (0, "rebuilt"), found["reason"]
    assert f"debian {suite}, with the same bytes" in str(found["reason"])


@pytest.mark.soak
def test_forgery_of_a_package_of_debian_13_is_found_here(
    machines: dict[str, Elsewhere], account: Account, tmp_path: Path
) -> None:
    package = taken_apart(machines["trixie"].build("gzip"))
    package.edit(POSTINST, more)
    status, found = inspected(machines, account, package.write(tmp_path / "forged.deb"))
    assert (status, found["verdict"]) == (3, "different"), found["reason"]
    assert isinstance(found["differences"], list)
    # The forger has packed what he left as it was by another gzip.
    members = {one["member"] for one in found["differences"]}
    assert members == {f"control.tar {POSTINST}", "ar data.tar.gz"}


@pytest.mark.soak
def test_two_releases_of_debian_differ_in_the_members_that_are_documented(
    machines: dict[str, Elsewhere],
) -> None:
    one, other = (read_deb(machines[suite].build("gzip")) for suite in SUITES)
    members = {difference.member for difference in differences(one, other)}
    section = DOCUMENTED.read_text().split("\n## Debian 12 and Debian 13")[1].split("\n## ")[0]
    assert members == {
        *(f"control.tar ./{name}" for name in ("md5sums", "postinst", "postrm")),
        "data.tar ./usr/share/doc/etcd-ha/toolchain",
    }
    for member in members:
        assert f"`{member.split()[1]}`" in section


@pytest.mark.soak
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("suite", SUITES)
def test_all_circumstances_on_each_debian_give_one_digest(
    machines: dict[str, Elsewhere], suite: str, compression: str
) -> None:
    machine = machines[suite]
    found: dict[str, list[tuple[str, ...]]] = {}
    for day in DAYS:
        machine.root.run("find", "/checkout", "/wheel", "-exec", "touch", "-d", f"@{DAYS[day]}", "{}", "+")
        for form, user, home in product(("checkout", "wheel"), ("root", NOBODY), (EMPTY, HOSTILE)):
            package = machine.build(compression, form=form, user=user, home=home)
            found.setdefault(digest(package), []).append((day, form, user, home))
    print(suite, compression, {name: len(ways) for name, ways in found.items()})  # noqa: T201
    assert len(found) == 1, found
