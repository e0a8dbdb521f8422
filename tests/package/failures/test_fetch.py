"""Releases that can't be had: each ends with a cause, a next step and no file; what can be retried passes."""

import random
import socketserver
import threading
from pathlib import Path

import pytest

from tests.package.failures.conftest import Origins
from tests.support.account import Account, assert_built, assert_nothing_left, assert_refused
from tests.support.faults.answers import (
    Claim,
    Cut,
    Fault,
    HangUp,
    IgnoreRange,
    Stall,
    Status,
    rate_limit,
    redirect,
)
from tests.support.releases.fake_release import VERSION, good_tarball, publish, tarball_name
from tests.support.releases.release_server import ReleaseServer

PACKAGE = f"etcd-ha_{VERSION}-1_amd64"
# Large enough that a cut connection leaves something to resume.
LARGE = good_tarball(padding=random.Random(1).randbytes(1_000_000))  # noqa: S311


@pytest.mark.parametrize("series", ["3.6", "3.5"])
def test_unknown_version_is_refused(account: Account, origins: Origins, series: str) -> None:
    result = account.build(f"v{series}.98", origins.source)
    assert_refused(account, result, 1, f"v{series}.98", "etcd-deb versions")


@pytest.mark.parametrize("version", ["3.6.x", "v3", "3.6.7.8", "3.6.7-1", "../../etc", "newest", ""])
def test_malformed_version_is_refused_before_anything_is_asked(
    account: Account, origins: Origins, version: str
) -> None:
    result = account.build(version, origins.source)
    assert_refused(account, result, 2, repr(version), "v3.6.7")
    assert origins.server.requests == ()


def test_unknown_architecture_is_refused(account: Account, origins: Origins) -> None:
    result = account.build(VERSION, origins.source, "--arch", "x86_64")
    assert_refused(account, result, 2, "x86_64", "amd64")
    assert origins.server.requests == ()


def test_architecture_that_the_release_lacks_is_refused(account: Account, origins: Origins) -> None:
    result = account.build(VERSION, origins.source, "--arch", "s390x")
    assert_refused(account, result, 1, "s390x", tarball_name("amd64"))


def test_not_found_is_refused_at_once(account: Account, origins: Origins) -> None:
    account.trusts(origins.file(origins.tarball))
    origins.server.script_always(origins.tarball, Status(404))
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 1, VERSION)
    assert len(origins.server.asked(origins.tarball)) == 1


def test_rate_limit_is_named_with_the_token_that_lifts_it(account: Account, origins: Origins) -> None:
    origins.server.script_always("/api/releases", rate_limit())
    result = account.build("3.6", origins.source)
    assert_refused(account, result, 1, "rate limit", "UTC", "GITHUB_TOKEN")


def test_rate_limit_of_a_token_says_to_wait(account: Account, origins: Origins) -> None:
    origins.server.script_always("/api/releases", rate_limit())
    result = account.run(
        *account.build_words("latest", origins.source), variables={"GITHUB_TOKEN": "github_pat_lab"}
    )
    assert_refused(account, result, 1, "rate limit", "UTC", "wait")
    assert "github_pat_lab" not in result.err


def test_mirror_without_an_index_is_made_up_for_by_the_api(account: Account, origins: Origins) -> None:
    origins.list_at_api({"tag_name": f"v{VERSION}", "published_at": "some day"}, {"tag_name": "v3.6.7"})
    result = account.run("source", "3.6", "--source", origins.source, "--output", account.folder / "tree")
    assert result.status == 0, result.err
    assert "has no index page" in result.err
    assert (account.folder / "tree" / f"etcd-ha-{VERSION}").is_dir()


def test_server_error_three_times_then_success_builds(account: Account, origins: Origins) -> None:
    account.trusts(origins.file(origins.tarball))
    origins.server.script(origins.tarball, Status(500), Status(502), Status(503))
    result = account.build(VERSION, origins.source)
    assert_built(account, result, PACKAGE)


def test_server_error_that_stays_is_refused(account: Account, origins: Origins) -> None:
    account.trusts(origins.file(origins.tarball))
    origins.server.script_always(origins.tarball, Status(500))
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 1, "500")
    assert len(origins.server.asked(origins.tarball)) == 4


def test_cut_connection_is_resumed_where_it_broke(account: Account, origins: Origins) -> None:
    origins.publish(amd64=LARGE)
    account.trusts(origins.file(origins.tarball))
    origins.server.script(origins.tarball, Cut(700_000))
    result = account.build(VERSION, origins.source)
    assert_built(account, result, PACKAGE)
    whole, rest = origins.server.asked(origins.tarball)
    assert whole.range is None
    assert rest.range is not None
    assert 0 < int(rest.range.removeprefix("bytes=").removesuffix("-")) <= 700_000


@pytest.mark.parametrize(
    "second", [IgnoreRange(), Cut(300_000, ignore_range=True)], ids=["then whole", "then cut again"]
)
def test_cut_connection_passes_with_a_server_that_ignores_range(
    account: Account, origins: Origins, second: Fault
) -> None:
    origins.publish(amd64=LARGE)
    account.trusts(origins.file(origins.tarball))
    origins.server.script(origins.tarball, Cut(700_000), second, IgnoreRange())
    result = account.run("fetch", VERSION, *_from(account, origins))
    assert result.status == 0, result.err
    assert (account.folder / "mirror" / f"v{VERSION}" / tarball_name()).read_bytes() == LARGE


def _from(account: Account, origins: Origins) -> tuple[str | Path, ...]:
    return "--source", origins.source, "--pins", account.pins, "--output", account.folder / "mirror"


def test_hang_up_before_an_answer_is_tried_again(account: Account, origins: Origins) -> None:
    origins.server.script(origins.checksums, HangUp())
    result = account.run("fetch", VERSION, *_from(account, origins))
    assert result.status == 0, result.err
    assert len(origins.server.asked(origins.checksums)) == 2


def test_hang_up_in_the_handshake_is_no_matter_of_certificates(account: Account) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), ReadAndClose) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        try:
            result = account.build(VERSION, f"https://127.0.0.1:{server.server_address[1]}")
        finally:
            server.shutdown()
    assert_refused(account, result, 1, "failed to connect to 127.0.0.1")
    assert "is not trusted" not in result.err


class ReadAndClose(socketserver.BaseRequestHandler):
    """Takes the client's hello and closes the connection."""

    def handle(self) -> None:
        self.request.recv(65536)


def test_redirect_in_a_circle_is_refused(account: Account, origins: Origins) -> None:
    origins.server.script_always(origins.tarball, redirect(origins.tarball))
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 1, "redirects", "--source")


def test_silent_server_is_a_time_out(account: Account, origins: Origins) -> None:
    account.trusts(origins.file(origins.tarball))
    account.variables["ETCD_DEB_TIMEOUT"] = "1"
    origins.server.script(origins.tarball, Stall(), Stall(10))
    origins.server.script_always(origins.tarball, Stall(heads=False))
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 1, "timeout", "127.0.0.1")


def test_redirect_to_plain_http_is_refused(account: Account, origins: Origins) -> None:
    account.trusts(origins.file(origins.tarball))
    with ReleaseServer(origins.server.root) as plain:
        origins.server.script_always(origins.tarball, redirect(f"{plain.url}{origins.tarball}"))
        result = account.build(VERSION, origins.source)
        assert plain.requests == ()
    assert_refused(account, result, 1, "plain http", "https")


@pytest.mark.parametrize("setting", ["WITNESS", "API"])
def test_plain_http_is_refused_for_a_witness(account: Account, origins: Origins, setting: str) -> None:
    with ReleaseServer(origins.server.root) as plain:
        account.variables[f"ETCD_DEB_{setting}"] = f"{plain.url}/{setting.lower()}"
        result = account.build(VERSION, origins.source)
        assert plain.requests == ()
    assert_refused(account, result, 2, "https")


def test_certificate_of_an_unknown_ca_is_refused(account: Account, origins: Origins) -> None:
    del account.variables["REQUESTS_CA_BUNDLE"]
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 1, "certificate", "not trusted", "REQUESTS_CA_BUNDLE")
    assert origins.server.requests == ()


def test_missing_list_of_certificates_is_named(account: Account, origins: Origins) -> None:
    account.variables["REQUESTS_CA_BUNDLE"] = "/nonexistent/ca.pem"
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 1, "/nonexistent/ca.pem", "REQUESTS_CA_BUNDLE")


@pytest.mark.parametrize("declared", [True, False])
def test_file_beyond_any_release_is_refused(account: Account, origins: Origins, declared: bool) -> None:
    account.trusts(origins.file(origins.tarball))
    origins.server.script_always(origins.tarball, Claim(300 * 1024**2, declared=declared))
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 1, "too large", "268435456")
    assert len(origins.server.asked(origins.tarball)) == 1


def test_cache_forgets_what_a_killed_build_left(account: Account, origins: Origins) -> None:
    publish(origins.server.root / "mirror", {"amd64": LARGE})
    account.trusts(origins.file(origins.tarball))
    stall = Stall(500_000)
    origins.server.script(origins.tarball, stall)
    killed = account.start("fetch", VERSION, *_from(account, origins))
    stall.await_client()
    killed.kill()
    assert killed.finish().status < 0
    result = account.run("fetch", VERSION, *_from(account, origins))
    assert result.status == 0, result.err
    assert account.cached() == {tarball_name()}


def test_unknown_setting_names_the_nearest_known_one(account: Account, origins: Origins) -> None:
    settings = account.folder / "etcd-deb.toml"
    settings.write_text('compresion = "xz"\n')
    result = account.run("--config", settings, *account.build_words(VERSION, origins.source))
    assert_refused(account, result, 2, "compresion", str(settings), "did you mean compression?")
    assert origins.server.requests == ()


def test_unknown_setting_in_the_environment_is_named(account: Account, origins: Origins) -> None:
    account.variables["ETCD_DEB_COMPRESION"] = "xz"
    result = account.build(VERSION, origins.source)
    assert_refused(account, result, 2, "ETCD_DEB_COMPRESION", "did you mean ETCD_DEB_COMPRESSION?")


def test_nothing_is_left_after_help(account: Account) -> None:
    result = account.run("--help")
    assert (result.status, result.err) == (0, "")
    assert_nothing_left(account)
