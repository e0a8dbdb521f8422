"""A release kept for machines without a way out: fetch, pin, versions, and builds without a network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from tests.package.conftest import STATIC
from tests.support.account import Account, Result, assert_built
from tests.support.releases.fake_release import (
    VERSION,
    checksum_lines,
    good_tarball,
    publish,
    sha256,
    tarball_name,
)
from tests.support.releases.release_server import ReleaseServer
from tests.support.upload import Upload

TARBALL = tarball_name()
NO_NETWORK = ("unshare", "--net", "--map-root-user")


@pytest.fixture
def account(tmp_path: Path) -> Account:
    """A user who has built nothing yet and pinned nothing."""
    return Account(tmp_path / "account")


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A made-up release in a folder laid out as on GitHub."""
    return publish(tmp_path / "release", {"amd64": good_tarball()})


@pytest.fixture
def server(release: Path, account: Account, tmp_path: Path) -> Iterator[ReleaseServer]:
    """The release at two https origins: /mirror, and its checksums alone at /witness."""
    authority = trustme.CA()
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    for origin in ("mirror", "witness"):
        (tmp_path / "www" / origin / f"v{VERSION}").mkdir(parents=True)
        sums = release / f"v{VERSION}/SHA256SUMS"
        (tmp_path / "www" / origin / f"v{VERSION}/SHA256SUMS").write_text(sums.read_text())
    (tmp_path / f"www/mirror/v{VERSION}" / TARBALL).symlink_to(release / f"v{VERSION}" / TARBALL)
    with ReleaseServer(tmp_path / "www", authority) as server:
        account.variables |= {
            "REQUESTS_CA_BUNDLE": str(bundle),
            "ETCD_DEB_SOURCE": f"{server.url}/mirror",
            "ETCD_DEB_WITNESS": f"{server.other_url}/witness",
            "ETCD_DEB_API": f"{server.other_url}/api",
        }
        yield server


def digest_of(release: Path, version: str = VERSION) -> str:
    return sha256((release / f"v{version}" / tarball_name("amd64", version)).read_bytes())


def fetched(account: Account) -> Path:
    """The folder that `etcd-deb fetch` filled, with nothing pinned: two witnesses vouch."""
    kept = account.folder / "kept"
    result = account.run("fetch", VERSION, "--pins", account.pins, "--output", kept)
    assert result.status == 0, result.err
    assert result.out == f"{kept}/v{VERSION}/{TARBALL}\n"
    return kept


def test_fetched_folder_builds_without_a_network(account: Account, server: ReleaseServer) -> None:
    kept = fetched(account)
    asked = len(server.requests)
    offline = Account(account.folder / "offline")
    words = offline.build_words(VERSION, kept, "--compression", "zstd", "--json")
    result = offline.run(*words, under=NO_NETWORK)
    assert_built(offline, result, f"etcd-ha_{VERSION}-1_amd64")
    assert len(server.requests) == asked
    (built,) = json.loads(result.out)
    assert len(built["provenance"]["vouchers"]) == 2, built


def test_fetched_folder_makes_a_source_tree_without_a_network(
    account: Account, server: ReleaseServer
) -> None:
    kept = fetched(account)
    asked = len(server.requests)
    tree = account.folder / "tree"
    words = ("source", VERSION, "--source", kept, "--pins", account.pins, "--output", tree)
    result = account.run(*words, under=NO_NETWORK)
    assert (result.status, result.out) == (0, f"{tree}/etcd-ha-{VERSION}\n"), result.err
    made = {path.name for path in (tree / f"etcd-ha-{VERSION}").iterdir()}
    assert made == {"bin", "completions", "debian", "doc"}
    assert list((tree / f"etcd-ha-{VERSION}/debian").rglob("*.j2")) == []
    assert len(server.requests) == asked


def test_network_is_really_gone_in_these_tests(account: Account, server: ReleaseServer) -> None:
    words = ("fetch", VERSION, "--pins", account.pins, "--output", account.folder / "kept")
    result = account.run(*words, under=NO_NETWORK)
    assert (result.status, result.out) == (1, ""), result
    assert server.requests == ()


def test_fetched_folder_that_was_changed_is_refused(account: Account, server: ReleaseServer) -> None:
    kept = fetched(account)
    with (kept / f"v{VERSION}" / TARBALL).open("ab") as tarball:
        tarball.write(b"\0")
    result = account.build(VERSION, kept)
    assert (result.status, result.out) == (3, ""), result
    assert TARBALL in result.err
    assert account.made() == set()
    assert server.asked(f"/mirror/v{VERSION}/{TARBALL}") != ()


def pin(account: Account) -> Result:
    return account.run("pin", VERSION, "--pins", account.pins)


def test_pin_records_what_two_witnesses_agreed_on(
    account: Account, server: ReleaseServer, release: Path
) -> None:
    line = checksum_lines({TARBALL: digest_of(release)})
    result = pin(account)
    assert (result.status, result.out) == (0, line), result.err
    assert account.pins.read_text() == line
    # The tarball itself is not needed for that.
    assert server.asked(f"/mirror/v{VERSION}/{TARBALL}") == ()
    assert pin(account).out == line
    assert account.pins.read_text() == line
    required = account.build(VERSION, release, "--require-pin", "--compression", "zstd")
    assert_built(account, required, f"etcd-ha_{VERSION}-1_amd64")


def test_pin_records_nothing_where_the_witnesses_disagree(account: Account, server: ReleaseServer) -> None:
    sums = server.root / f"witness/v{VERSION}/SHA256SUMS"
    sums.write_text(checksum_lines({TARBALL: "0" * 64}))
    result = pin(account)
    assert (result.status, result.out) == (3, ""), result
    assert "0" * 64 in result.err
    assert account.pins.read_text() == ""


def test_versions_of_a_folder_are_listed_newest_first(account: Account, release_folder: Path) -> None:
    name = tarball_name("amd64", STATIC)
    account.pins.write_text(checksum_lines({name: digest_of(release_folder, STATIC)}))
    words = ("versions", "--source", release_folder, "--pins", account.pins, "--json")
    result = account.run(*words, under=NO_NETWORK)
    assert result.status == 0, result.err
    listed = json.loads(result.out)
    folders = {path.name.removeprefix("v") for path in release_folder.glob("v*")}
    assert {release["version"] for release in listed} == folders
    numbers = [tuple(map(int, release["version"].split("."))) for release in listed]
    assert numbers == sorted(numbers, reverse=True)
    assert [release["version"] for release in listed if release["pinned"]] == [STATIC]


def test_build_tells_scripts_what_it_made(upload: Callable[..., Upload], release_folder: Path) -> None:
    made = upload(STATIC)
    (built,) = json.loads(made.said)
    stem = made.folder / f"etcd-ha_{STATIC}-1_amd64"
    assert {name: built[name] for name in ("deb", "buildinfo", "changes")} == {
        name: f"{stem}.{name}" for name in ("deb", "buildinfo", "changes")
    }
    assert (built["version"], built["architecture"]) == (f"{STATIC}-1", "amd64")
    assert built["size"] == Path(built["deb"]).stat().st_size
    assert built["provenance"]["sha256"] == digest_of(release_folder, STATIC)
    assert (made.folder / f"etcd-ha_{STATIC}.deb").resolve() == Path(built["deb"]).resolve()
