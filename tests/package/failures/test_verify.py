"""What makes a tarball trusted: a pin alone, else two witnesses that agree; all else ends with exit 3."""

from pathlib import Path

import pytest

from tests.package.deb import Deb
from tests.package.failures.conftest import Origins
from tests.support.account import Account, Result, assert_built, assert_refused
from tests.support.faults.answers import Fault, Status, rate_limit
from tests.support.faults.pause import Pause
from tests.support.releases.fake_release import (
    VERSION,
    binaries,
    checksum_lines,
    good_tarball,
    sha256,
    tarball_name,
)

OTHER = "0" * 64


def fetch(account: Account, origins: Origins, *options: str) -> Result:
    """A fetch verifies as a build does, and stops after that."""
    return account.run(
        "fetch", VERSION, "--source", origins.source, "--pins", account.pins,
        "--output", account.folder / "mirror", *options,
    )  # fmt: skip


def make_source(account: Account, source: str | Path, *options: str) -> Result:
    """A source tree needs a verified tarball too, and its verb takes the options of build."""
    return account.run(
        "source", VERSION, "--source", source, "--pins", account.pins,
        "--output", account.folder / "tree", *options,
    )  # fmt: skip


def write_checksums(origins: Origins, path: str, digest: str, name: str = tarball_name()) -> None:
    origins.file(path).write_text(checksum_lines({name: digest}))


def test_digest_that_is_not_the_pins_is_refused(account: Account, origins: Origins) -> None:
    account.pins.write_text(checksum_lines({tarball_name(): OTHER}))
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 3, tarball_name(), f"expected  sha256 {OTHER}", str(account.pins))
    assert f"found     sha256 {sha256(good_tarball())}" in result.err


def test_fetch_of_a_bad_digest_leaves_nothing(account: Account, origins: Origins) -> None:
    account.pins.write_text(checksum_lines({tarball_name(): OTHER}))
    assert_refused(account, fetch(account, origins), 3, tarball_name(), OTHER)
    assert not (account.folder / "mirror").exists()


def test_pin_decides_alone(account: Account, origins: Origins) -> None:
    account.trusts(origins.file(origins.tarball))
    for path in (origins.checksums, origins.witness_checksums):
        write_checksums(origins, path, OTHER)
    result = make_source(account, origins.source, "--require-pin")
    assert result.status == 0, result.err
    assert [request.path for request in origins.server.requests] == [origins.tarball]


def test_two_witnesses_that_agree_are_enough(account: Account, origins: Origins) -> None:
    result = fetch(account, origins)
    assert result.status == 0, result.err
    assert origins.server.asked("/api") == ()


def test_missing_pin_is_refused_where_one_is_required(account: Account, origins: Origins) -> None:
    result = account.build(VERSION, origins.source, "--require-pin")
    assert_refused(account, result, 3, tarball_name(), "--require-pin", f"etcd-deb pin v{VERSION}")


def test_checksums_without_the_file_are_refused(account: Account, origins: Origins) -> None:
    for path in (origins.checksums, origins.witness_checksums):
        write_checksums(origins, path, OTHER, "etcd-v3.6.99-linux-arm64.tar.gz")
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 3, f"does not list {tarball_name()}", "--pins")


def test_checksums_that_are_a_web_page_are_refused(account: Account, origins: Origins) -> None:
    origins.file(origins.checksums).write_text("<html>log in to the proxy</html>\n")
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 3, "SHA256SUMS", "<html>", "proxy")


def test_witnesses_that_disagree_are_refused(account: Account, origins: Origins) -> None:
    write_checksums(origins, origins.witness_checksums, OTHER)
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 3, "disagree", OTHER, sha256(good_tarball()))


def test_witnesses_that_agree_on_another_digest_are_refused(account: Account, origins: Origins) -> None:
    for path in (origins.checksums, origins.witness_checksums):
        write_checksums(origins, path, OTHER)
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 3, f"expected  sha256 {OTHER}", tarball_name())


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Status(404), "has no"),
        (Status(401), "401"),
        (rate_limit(), "rate limit"),
        (Status(200, body=b"<html>"), "unexpected answer"),
        (Status(200, body=b'{"assets": []}'), "unexpected answer"),
    ],
    ids=["not found", "bad token", "rate limit", "web page", "no assets"],
)
def test_one_witness_is_too_few(account: Account, origins: Origins, fault: Fault, cause: str) -> None:
    origins.server.script_always(origins.witness_checksums, Status(404))
    origins.server.script_always(origins.api_release, fault)
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 3, "1 witness", tarball_name(), cause)


def test_github_digest_is_a_witness_and_alone_gets_the_token(account: Account, origins: Origins) -> None:
    origins.server.script_always(origins.witness_checksums, Status(404))
    origins.tell_api(amd64=good_tarball())
    account.variables |= {"GITHUB_TOKEN": "github_pat_lab"}
    result = fetch(account, origins)
    assert result.status == 0, result.err
    sent = {request.path: request.headers.get("authorization") for request in origins.server.requests}
    assert sent == {
        origins.tarball: None,
        origins.checksums: None,
        origins.witness_checksums: None,
        origins.api_release: "Bearer github_pat_lab",
    }


def test_github_digest_that_differs_is_refused(account: Account, origins: Origins) -> None:
    origins.server.script_always(origins.witness_checksums, Status(404))
    origins.tell_api(amd64=b"another file")
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 3, "disagree", sha256(b"another file"))


@pytest.mark.parametrize("path", ["mirror/", "witness"])
def test_source_and_witness_on_one_host_count_once(account: Account, origins: Origins, path: str) -> None:
    account.variables["ETCD_DEB_WITNESS"] = f"{origins.server.url}/{path}"
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 3, "1 witness")


def test_folder_with_one_witness_is_refused_without_a_network(account: Account, origins: Origins) -> None:
    result = account.build(VERSION, origins.file("/mirror"))
    assert_refused(account, result, 3, "1 witness", tarball_name())
    assert origins.server.requests == ()


def test_fetched_folder_carries_both_witnesses(account: Account, origins: Origins) -> None:
    assert fetch(account, origins).status == 0
    asked = origins.server.requests
    result = make_source(account, account.folder / "mirror")
    assert result.status == 0, result.err
    assert origins.server.requests == asked


def test_bad_file_in_the_cache_is_removed_and_the_next_build_fetches_anew(
    account: Account, origins: Origins
) -> None:
    account.trusts(origins.file(origins.tarball))
    assert fetch(account, origins).status == 0
    (cached,) = account.cache.rglob(tarball_name())
    cached.write_bytes(good_tarball()[:-1])
    first = account.build(VERSION, origins.source)
    assert_refused(account, first, 3, tarball_name(), "run the command again")
    assert fetch(account, origins).status == 0
    assert account.cached() == {tarball_name()}


@pytest.mark.parametrize("kind", ["absent", "folder", "bytes"])
def test_unreadable_pins_are_refused_before_anything_is_asked(
    account: Account, origins: Origins, kind: str
) -> None:
    account.pins.unlink()
    if kind == "folder":
        account.pins.mkdir()
    elif kind == "bytes":
        account.pins.write_bytes(b"\xff\xfe\x00")
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 1, "pins", str(account.pins), "--pins")
    assert origins.server.requests == ()


def test_pins_that_are_no_checksums_are_refused(account: Account, origins: Origins) -> None:
    account.pins.write_text(f"{OTHER[:-1]}  {tarball_name()}\n")
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 3, f"line 1 of {account.pins}")


@pytest.mark.parametrize("in_place", [True, False], ids=["written over", "another file"])
def test_tarball_that_changes_after_it_was_verified_is_not_packed(
    account: Account, origins: Origins, in_place: bool
) -> None:
    file = origins.file(origins.tarball)
    account.trusts(file)
    pause = Pause(account.folder / "pause")
    # The first time it is verified, the second time unpacked.
    variables = pause.at_event("open", rf"/{tarball_name()} rb? ", number=2)
    words = account.build_words(VERSION, origins.file("/mirror"), "--require-pin")
    build = account.start(*words, variables=variables)
    pause.await_arrival("the tarball to be unpacked")
    if not in_place:
        file.unlink()
    file.write_bytes(good_tarball(padding=b"another"))
    pause.release()
    assert_built(account, build.finish(), f"etcd-ha_{VERSION}-1_amd64")
    packed = Deb(account.output / f"etcd-ha_{VERSION}.deb").contents()
    assert packed["usr/lib/etcd-ha/bin/etcd"] == binaries()["etcd"]
