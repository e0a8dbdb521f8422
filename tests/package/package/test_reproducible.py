"""The same release gives the same package, whoever builds it, where and when."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from debian.deb822 import BuildInfo

from builder.settings import COMPRESSIONS
from tests.package.conftest import DYNAMIC, STATIC
from tests.package.deb import CONTROL, DATA, Deb
from tests.package.surroundings import DAYS, Change, Surroundings, installed, nobody, surroundings
from tests.support.account import Account
from tests.support.command import run
from tests.support.releases import releases
from tests.support.releases.fake_release import (
    MTIME,
    VERSION,
    Tarball,
    binaries,
    publish,
    tarball_name,
)
from tests.support.sample import sampled
from tests.support.upload import Upload

Uploads = Callable[..., Upload]


def build_in(around: Surroundings, version: str, compression: str) -> Upload:
    """A build in these surroundings, and proof that they were in force."""
    account = around.account()
    words = account.build_words(version, releases.RELEASES, "--arch", "amd64", "--compression", compression)
    result = account.run(*words, under=around.under())
    assert result.status == 0, result.err
    made = Upload(account.output, version, "amd64", result.out)
    if Change.USER in around.changes:
        assert made.deb.stat().st_uid == nobody()
    if Change.CLOCK in around.changes:
        assert year_of(made) > year_of_this_machine()
    return made


def year_of(upload: Upload) -> int:
    """The year in which the package was made, as dpkg-genbuildinfo saw it."""
    with upload.buildinfo.open() as file:
        date = BuildInfo(file)["Build-Date"]
    return int(date.split()[3])


def year_of_this_machine() -> int:
    return int(run(["date", "+%Y"]).stdout)


# zstd, since other tests have the usual package made already.
@pytest.mark.parametrize("compression", sampled(COMPRESSIONS, "zstd"))
def test_other_surroundings_give_the_same_bytes(upload: Uploads, compression: str) -> None:
    assert os.geteuid() == 0, "building as another user needs root"
    usual = upload(STATIC, compression)
    with surroundings(*Change, without=Change.INSTALLED_AFTER) as around:
        other = build_in(around, STATIC, compression)
        assert_same(usual.deb, other.deb)


@pytest.mark.parametrize(
    "released",
    [pytest.param(MTIME, id="past", marks=pytest.mark.soak), pytest.param(2_000_000_000, id="future")],
)
def test_every_time_is_the_releases_whatever_the_day_etcd_deb_was_installed(
    tmp_path: Path, released: int
) -> None:
    tarball = Tarball(released=released).programs(binaries()).gz()
    source = publish(tmp_path / "releases", {"amd64": tarball})
    made = []
    for day in DAYS.values():
        account = Account(tmp_path / str(day))
        account.program = installed(tmp_path / f"installed-{day}", day)
        account.trusts(source / f"v{VERSION}" / tarball_name())
        result = account.build(VERSION, source, "--arch", "amd64", "--compression", "gzip")
        assert result.status == 0, result.err
        made.append(Upload(account.output, VERSION, "amd64", result.out).deb)
    assert_same(*made)
    times = {member.mtime for part in (CONTROL, DATA) for member in Deb(made[0]).members(part)}
    assert times == {released}


@pytest.mark.soak
@pytest.mark.parametrize("change", Change)
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("version", [STATIC, DYNAMIC])
def test_each_change_of_surroundings_gives_the_same_bytes(
    upload: Uploads, version: str, compression: str, change: Change
) -> None:
    usual = upload(version, compression)
    with surroundings(change) as around:
        assert_same(usual.deb, build_in(around, version, compression).deb)


@pytest.mark.soak
@pytest.mark.parametrize("version", [STATIC, DYNAMIC], ids=["static", "dynamic"])
def test_plain_dpkg_buildpackage_makes_the_same_contents(upload: Uploads, version: str) -> None:
    usual = Deb(upload(version).deb)
    with surroundings(Change.FOLDER, Change.ZONE, Change.LOCALE, Change.CLOCK) as around:
        account = around.account()
        words = ("--source", releases.RELEASES, "--pins", account.pins, "--output", account.folder / "tree")
        result = account.run("source", version, *words)
        assert result.status == 0, result.err
        tree = Path(result.out.strip())
        # Contents alone are compared, so that a fast compression does.
        environment = {**account.environment(), "DPKG_DEB_COMPRESSOR_LEVEL": "0"}
        # The second time on what the first one left.
        for _ in range(2):
            run(["dpkg-buildpackage", "-b", "-us", "-uc"], cwd=tree, env=environment, within=300)
            assert_same_contents(usual, Deb(tree.parent / usual.path.name))


def assert_same(expected: Path, found: Path) -> None:
    """The same bytes; else the members that differ are named first, and the other package is kept."""
    if expected.read_bytes() != found.read_bytes():
        kept = shutil.copy(found, expected.with_suffix(".other"))
        assert_same_contents(Deb(expected), Deb(Path(kept)))
        assert Deb(expected).archive_members() == Deb(found).archive_members()
        pytest.fail(f"the members are the same, the archives around them aren't: {expected} {kept}")


def assert_same_contents(expected: Deb, found: Deb) -> None:
    """The same members in the same order, and the same control files."""
    assert readable(expected) == readable(found)
    for part in (CONTROL, DATA):
        assert expected.members(part) == found.members(part)


def readable(deb: Deb) -> dict[str, str]:
    """The control files, all of them texts."""
    return {name: content.decode() for name, content in deb.contents(CONTROL).items()}
