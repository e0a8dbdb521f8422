"""A suite that follows upstream: releases appear, break, are mended and disappear."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.support.account import Result
from tests.support.archives.publisher import SUITE, Publisher
from tests.support.faults.answers import Status
from tests.support.releases.fake_release import Tarball, binaries, publish
from tests.support.releases.release_server import ReleaseServer


class Upstream:
    """A mirror that lists its releases, and a witness beside it."""

    def __init__(self, server: ReleaseServer) -> None:
        self.server = server
        self.listed: list[str] = []

    def release(self, version: str, *, agreed: bool = True) -> None:
        """A release appears; where it is not agreed, the witness has other digests."""
        for origin in ("mirror", "witness"):
            padding = b"" if agreed or origin == "mirror" else b"other"
            programs = binaries("amd64", version=version, padding=padding)
            tarball = Tarball("amd64", version).programs(programs).gz()
            publish(self.server.root / origin, {"amd64": tarball}, version=version)
        self.list(*self.listed, version)

    def list(self, *versions: str) -> None:
        self.listed = list(dict.fromkeys(versions))
        links = "".join(f'<a href="v{version}/">v{version}/</a>\n' for version in self.listed)
        self.server.script_always("/mirror/", Status(200, body=links.encode()))


@pytest.fixture
def upstream(tmp_path: Path, publisher: Publisher) -> Iterator[Upstream]:
    """Nothing is released yet; the publisher asks here and trusts its certificate."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "www").mkdir()
    with ReleaseServer(tmp_path / "www", ca) as server:
        publisher.account.variables |= {
            "REQUESTS_CA_BUNDLE": str(tmp_path / "ca.pem"),
            "ETCD_DEB_SOURCE": f"{server.url}/mirror",
            "ETCD_DEB_WITNESS": f"{server.other_url}/witness",
            "ETCD_DEB_API": f"{server.other_url}/api",
        }
        yield Upstream(server)


def sync(publisher: Publisher, *options: str) -> Result:
    return publisher.run("sync", "--repo", publisher.repository, "--suite", SUITE, *options)


def test_suite_follows_upstream(publisher: Publisher, upstream: Upstream) -> None:
    upstream.release("3.6.98")
    upstream.release("3.6.99")
    assert sync(publisher).status == 0
    assert publisher.versions() == {"3.6.99-1"}, "of a series that the suite has not, the newest"

    upstream.release("3.6.100", agreed=False)
    upstream.release("3.6.101")
    broken = sync(publisher, "--json")
    assert broken.status == 1
    assert "witness" in broken.err
    said = json.loads(broken.out)
    assert [failure["version"] for failure in said["failed"]] == ["3.6.100"]
    assert publisher.versions() == {"3.6.99-1", "3.6.101-1"}, "one that fails stops no other"

    upstream.release("3.6.100")
    upstream.list("3.6.100", "3.6.101")
    assert sync(publisher).status == 0
    assert publisher.versions() == {"3.6.99-1", "3.6.100-1", "3.6.101-1"}, "what disappeared upstream stays"
    assert publisher.problems() == []

    publisher.repo("prune", SUITE, "--keep", "1")
    assert sync(publisher).status == 0
    assert publisher.versions() == {"3.6.101-1"}, "what was pruned stays away"


@pytest.mark.alone
def test_nothing_new_costs_one_request_and_less_than_a_second(
    publisher: Publisher, upstream: Upstream
) -> None:
    upstream.release("3.6.99")
    assert sync(publisher).status == 0
    before = (publisher.repository / "dists" / SUITE).resolve()
    asked = len(upstream.server.requests)
    began = time.monotonic()
    again = sync(publisher)
    assert time.monotonic() - began <= 1
    assert (again.status, again.out) == (0, "trixie has all upstream releases\n")
    assert len(upstream.server.requests) == asked + 1
    assert (publisher.repository / "dists" / SUITE).resolve() == before


def test_what_github_advises_of_is_marked_on_the_page_from_the_next_sync_on(
    publisher: Publisher, upstream: Upstream
) -> None:
    publisher.account.variables["ETCD_DEB_SOURCE"] = "https://github.com/etcd-io/etcd/releases/download"
    releases = [{"tag_name": "v3.6.99", "draft": False, "published_at": "2026-11-01T00:00:00Z"}]
    rows = [{"vulnerable_version_range": "< 3.6.100", "patched_versions": "3.6.100"}]
    advisory = {"ghsa_id": "GHSA-aaaa-bbbb-cccc", "summary": "Something <new>", "vulnerabilities": rows}
    assert publisher.publish(publisher.deb("3.6.99-1")).status == 0
    page = publisher.repository / "index.html"
    server = upstream.server
    server.script_always("/api/releases", Status(200, body=json.dumps(releases).encode()))
    server.script_always("/api/security-advisories", Status(200, body=json.dumps([advisory]).encode()))
    assert "known faults" not in page.read_text()
    words = ("--series", "3.6", "--arch", "amd64")
    assert sync(publisher, *words).status == 0
    marked = page.read_text()
    assert "Something &lt;new&gt;</a>: in 3.6.99-1; fixed in 3.6.100" in marked
    assert publisher.problems() == []

    server.script_always("/api/security-advisories", Status(403))
    again = sync(publisher, *words)
    assert again.status == 0
    assert "using the known faults as of " in again.err
    assert page.read_text() == marked
    (cached,) = publisher.folder.rglob("account/**/advisories.json")
    cached.write_text("[")
    assert sync(publisher, *words).status == 0
    assert page.read_text() == marked

    publisher.account.variables["XDG_CACHE_HOME"] = str(publisher.folder / "another")
    assert publisher.problems() == [], "the page is the same whoever looks"
    kept = publisher.repository / ".etcd-deb/advisories.json"
    kept.write_text("{")
    (said, *_) = publisher.problems()
    assert said == f"can't read the advisories in {kept}: rm {kept}"


def test_series_and_architectures_are_chosen(publisher: Publisher, upstream: Upstream) -> None:
    upstream.release("3.6.99")
    upstream.release("3.7.99")
    assert sync(publisher, "--series", "3.7", "--arch", "amd64", "--arch", "arm64").status == 1
    assert publisher.versions() == {"3.7.99-1"}, "arm64 is not there, and stops nobody"
    assert sync(publisher, "--series", "nonsense").status == 2


@pytest.mark.parametrize(
    "take_back",
    [("remove", SUITE, "3.6.100-1"), pytest.param(("rollback", SUITE), marks=pytest.mark.soak)],
)
def test_what_was_taken_back_stays_away_until_it_is_released(
    publisher: Publisher, upstream: Upstream, take_back: tuple[str, ...]
) -> None:
    for version in ("3.6.99", "3.6.100"):
        upstream.release(version)
        assert sync(publisher).status == 0
    assert publisher.repo(*take_back).status == 0
    again = sync(publisher)
    assert again.status == 0
    assert "withheld  v3.6.100 for amd64" in again.out
    assert publisher.versions() == {"3.6.99-1"}
    assert "3.6.100-1         amd64  withheld" in publisher.repo("list").out
    assert json.loads(sync(publisher, "--json").out)["withheld"] == [
        {"version": "3.6.100", "architecture": "amd64"}
    ]
    upstream.release("3.6.101")
    assert sync(publisher).status == 0
    assert publisher.versions() == {"3.6.99-1", "3.6.101-1"}, "what follows comes"
    assert publisher.repo("release", SUITE, "3.6.100-1").status == 0
    assert publisher.repo("release", SUITE, "3.6.100-1").status == 2
    assert sync(publisher).status == 0
    assert publisher.versions() == {"3.6.99-1", "3.6.100-1", "3.6.101-1"}
    assert publisher.problems() == []


def test_published_sources_never_change_their_series(publisher: Publisher, upstream: Upstream) -> None:
    upstream.release("3.6.99")
    assert sync(publisher).status == 0
    first = publisher.sources
    assert "\nComponents: 3.6\n" in first
    upstream.release("3.7.99")
    assert sync(publisher).status == 0
    assert "\nComponents: 3.6\n" in publisher.sources
    for series in ("3.6", "3.7"):
        own = (publisher.repository / f"{SUITE}_{series}.sources").read_text()
        assert f"\nComponents: {series}\n" in own
    publisher.repo("prune", SUITE, "--keep", "1")
    publisher.repo("remove", SUITE, "3.6.99-1")
    assert "\nComponents: 3.6\n" in publisher.sources, "also where it has nothing now"
    assert publisher.problems() == []
