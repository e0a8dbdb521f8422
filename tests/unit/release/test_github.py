"""GitHub's API: pages of releases, digests of assets, the token and the rate limit."""

from __future__ import annotations

import json
from datetime import date

import pytest

from builder.errors import DownloadFailed, NoSuchRelease, UsageError
from builder.release import github as github_module
from builder.release.github import PER_PAGE, GitHub
from builder.release.origin import RemoteOrigin
from builder.system.progress import Progress
from tests.support.faults.answers import Fault, Status, rate_limit
from tests.support.releases.release_server import ReleaseServer
from tests.unit.samples import FILE, version

DIGEST = "1" * 64


def entry(tag: str, **more: object) -> dict[str, object]:
    return {"tag_name": tag, "draft": False, "published_at": "2026-03-17T08:09:10Z", **more}


def page(value: object) -> Status:
    return Status(200, {"Content-Type": "application/json"}, json.dumps(value).encode())


@pytest.fixture
def github(server: ReleaseServer) -> GitHub:
    return GitHub(RemoteOrigin(f"{server.url}/api"), timeout=5)


def tags(github: GitHub) -> list[str]:
    return [release.version.tag for release in github.releases(Progress())]


def script_digests(server: ReleaseServer, answer: Fault) -> None:
    server.script_always("/api/releases/tags/v3.6.99", answer)


def test_releases_have_a_version_and_a_day(server: ReleaseServer, github: GitHub) -> None:
    server.script("/api/releases", page([entry("v3.6.7")]))
    (release,) = github.releases(Progress())
    assert (release.version, release.day) == (version("3.6.7"), date(2026, 3, 17))


def test_drafts_and_tags_of_other_things_are_left_out(server: ReleaseServer, github: GitHub) -> None:
    found = [entry("v3.6.7"), entry("v3.6.8", draft=True), entry("api/v3.6.7"), entry("v3.6"), "junk", {}]
    server.script("/api/releases", page(found))
    assert tags(github) == ["v3.6.7"]


def test_pages_are_read_until_one_is_not_full(server: ReleaseServer, github: GitHub) -> None:
    full = [entry(f"v3.5.{number}") for number in range(PER_PAGE)]
    server.script("/api/releases", page(full), page(full), page([entry("v3.6.7")]), page(full))
    assert len(tags(github)) == 2 * PER_PAGE + 1
    assert [request.path.partition("?")[2] for request in server.requests] == [
        f"per_page={PER_PAGE}&page={number}" for number in (1, 2, 3)
    ]


def linked(server: ReleaseServer, tag: str, following: str | None) -> Status:
    """A page of one release, with a Link header as GitHub's; None for the last page."""
    link = f'<{server.url}/api/releases?page=1>; rel="first"'
    link += f', <{following}>; rel="next"' if following else ""
    return Status(200, {"Link": link}, json.dumps([entry(tag)]).encode())


def test_pages_that_are_not_full_are_followed_by_their_link(server: ReleaseServer, github: GitHub) -> None:
    # GitHub's own leads to /repositories/11225014/releases.
    server.script("/api/releases", linked(server, "v3.6.7", f"{server.url}/repositories/1/releases?page=2"))
    server.script("/repositories/1/releases", linked(server, "v3.6.8", "releases?page=3"))
    server.script("/repositories/1/releases", linked(server, "v3.6.9", None))
    assert tags(github) == ["v3.6.7", "v3.6.8", "v3.6.9"]


def test_a_full_page_whose_link_names_no_next_is_the_last(server: ReleaseServer, github: GitHub) -> None:
    last = Status(200, {"Link": '<a>; rel="prev"'}, json.dumps([{}] * PER_PAGE).encode())
    server.script("/api/releases", last)
    assert tags(github) == []
    assert len(server.requests) == 1


@pytest.mark.parametrize("following", ["https://elsewhere.invalid/releases", "//elsewhere.invalid/releases"])
def test_a_next_page_elsewhere_is_refused_and_gets_no_token(
    server: ReleaseServer, github: GitHub, following: str
) -> None:
    server.script("/api/releases", linked(server, "v3.6.7", following))
    with pytest.raises(DownloadFailed, match="gave an unexpected answer"):
        tags(github)


def test_a_list_that_does_not_end_is_refused(
    server: ReleaseServer, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(github_module, "MOST_PAGES", 3)
    server.script_always("/api/releases", page([{}] * PER_PAGE))
    with pytest.raises(DownloadFailed, match="gave an unexpected answer"):
        tags(github)
    assert len(server.requests) == 3


def test_pages_that_lead_in_a_circle_are_refused(server: ReleaseServer, github: GitHub) -> None:
    server.script_always("/api/releases", linked(server, "v3.6.7", f"{server.url}/api/releases?page=2"))
    with pytest.raises(DownloadFailed, match="gave an unexpected answer"):
        tags(github)
    assert len(server.requests) == 2


def test_digests_are_those_of_the_assets_that_have_one(server: ReleaseServer, github: GitHub) -> None:
    assets = [
        {"name": FILE.name, "digest": f"sha256:{DIGEST}"},
        {"name": "SHA256SUMS", "digest": None},
        {"name": "old.tar.gz"},
        {"name": "odd.tar.gz", "digest": "md5:1"},
        "junk",
    ]
    script_digests(server, page({"assets": assets}))
    assert github.digests(version("3.6.99"), Progress()) == {FILE.name: DIGEST}


@pytest.mark.parametrize(
    "answer",
    [
        page([]),
        page({"assets": None}),
        page({"assets": []}),
        page({"assets": [{"name": FILE.name, "digest": None}]}),
        Status(200, body=b"<html>Login</html>"),
        Status(200, body=b"[" * 100_000),
        Status(200, body=b"[" + b"9" * 5000 + b"]"),
    ],
    ids=["a list", "no assets", "none uploaded", "no digests", "a page", "brackets", "a number"],
)
def test_another_answer_than_digests_is_refused(server: ReleaseServer, github: GitHub, answer: Fault) -> None:
    script_digests(server, answer)
    with pytest.raises(DownloadFailed, match="gave an unexpected answer"):
        github.digests(version("3.6.99"), Progress())


def test_another_answer_than_a_list_of_releases_is_refused(server: ReleaseServer, github: GitHub) -> None:
    server.script("/api/releases", page({"message": "hello"}))
    with pytest.raises(DownloadFailed, match="gave an unexpected answer"):
        tags(github)


def test_a_release_that_github_does_not_have_is_missing(github: GitHub) -> None:
    with pytest.raises(NoSuchRelease):
        github.digests(version("3.6.99"), Progress())


def test_the_rate_limit_is_said_at_once_with_the_time_it_ends(server: ReleaseServer, github: GitHub) -> None:
    server.script_always(
        "/api/releases",
        Status(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000000"}),
    )
    with pytest.raises(DownloadFailed) as caught:
        tags(github)
    assert caught.value.render() == (
        f"the API rate limit of {github.api} is used up\n"
        f"  fetching  {github.api.base}/releases?per_page=100&page=1\n"
        "  available again at 22:13 UTC\n"
        "hint: set GITHUB_TOKEN (no rights needed), or name a full version that is pinned, such as v3.6.7"
    )
    assert len(server.requests) == 1


def test_the_rate_limit_of_a_token_says_to_wait(
    server: ReleaseServer, github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "github_pat_lab")
    server.script_always("/api/releases", rate_limit())
    with pytest.raises(DownloadFailed) as caught:
        tags(github)
    assert caught.value.hint == "wait until then"


@pytest.mark.parametrize("text", ["github_pat_lab", " github_pat_lab\n"])
def test_the_token_is_sent_to_the_api(
    server: ReleaseServer, github: GitHub, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", text)
    server.script("/api/releases", page([]))
    assert tags(github) == []
    assert server.requests[0].headers["authorization"] == "Bearer github_pat_lab"


def test_without_a_token_none_is_sent(server: ReleaseServer, github: GitHub) -> None:
    server.script("/api/releases", page([]))
    tags(github)
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("text", ["secret\nX-Other: 1", "sécret", "secret token"])
def test_a_token_that_is_none_is_refused_and_not_shown(
    server: ReleaseServer, github: GitHub, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", text)
    with pytest.raises(UsageError) as caught:
        tags(github)
    assert "cret" not in caught.value.render()
    assert server.requests == ()
