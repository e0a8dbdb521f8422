"""Every value of a repository is judged where it enters, before anything is written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.account import Result
from tests.support.archives.publisher import Publisher


def state(publisher: Publisher) -> dict[str, str]:
    """All that clients and the next publisher read."""
    root = publisher.repository
    files = (path for path in root.rglob("*") if path.is_file() and path.name != "lock")
    return {str(path.relative_to(root)): path.read_bytes().hex() for path in files}


def assert_said(result: Result, status: int, *words: str) -> None:
    assert result.status == status, result
    assert "Traceback" not in result.err, result.err
    for word in ("expected  ", "found     ", *words):
        assert word in result.err, result.err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--url", "http://x\nTrusted: yes"),
        ("--url", "http://x Trusted"),
        ("--url", "http://x\u2028Trusted: yes"),
        ("--url", "http://"),
        ("--url", "http://[x"),
        ("--url", "http://x:port"),
        ("--url", "apt.example.org"),
        ("--url", ""),
        ("--origin", "a\nb"),
        ("--origin", "a\nTrusted: yes"),
        ("--origin", ""),
        ("--origin", " "),
        ("--origin", "a" * 101),
        ("--origin", "a <b@example.org>"),
        ("--gnupg-home", "a\nb"),
        ("--gnupg-home", "~no-such-user-here/keys"),
        ("--valid-days", "3650000"),
        ("--valid-days", "9" * 400),
    ],
)
def test_value_that_a_repository_cannot_have_is_refused_and_changes_nothing(
    publisher: Publisher, option: str, value: str
) -> None:
    before = state(publisher)
    assert_said(publisher.init(option, value), 2, option)
    assert state(publisher) == before
    assert publisher.publish(publisher.deb("3.6.7-1")).status == 0


def test_refused_repository_is_not_begun(publisher: Publisher, tmp_path: Path) -> None:
    fresh = Publisher(tmp_path / "fresh", publisher.gnupg_home)
    assert_said(fresh.init("--url", "http://x\nTrusted: yes"), 2)
    assert not fresh.repository.exists()


@pytest.mark.parametrize(
    "url", ["https://apt.example.org:8443/debian/", "file:///srv/apt", "s3://bucket/apt"]
)
def test_url_that_apt_can_read_is_taken(publisher: Publisher, url: str) -> None:
    assert publisher.init("--url", url).status == 0
    assert f"\nURIs: {url.rstrip('/')}\n" in publisher.sources


@pytest.mark.parametrize(
    ("field", "value", "mended"),
    [
        ("url", None, "--url"),
        ("url", "http://x\nTrusted: yes", "--url"),
        ("origin", 7, "--origin"),
        ("origin", ["etcd-ha"], "--origin"),
        ("valid_days", None, "--valid-days"),
        ("valid_days", "14", "--valid-days"),
        ("valid_days", 1.5, "--valid-days"),
        ("valid_days", True, "--valid-days"),
        ("valid_days", 3650000, "--valid-days"),
        ("key", None, None),
        ("key", 12, None),
        ("gnupg_home", 3, None),
    ],
)
def test_setting_of_the_file_that_cannot_be_is_said_and_mended_by_the_command_given(
    publisher: Publisher, field: str, value: object, mended: str | None
) -> None:
    file = publisher.repository / ".etcd-deb/repository.json"
    right = file.read_text()
    file.write_text(json.dumps(json.loads(right) | {field: value}))
    assert_said(
        publisher.publish(publisher.deb("3.6.7-1")),
        1,
        "the settings of the repository in",
        f"setting   {field}",
    )
    result = publisher.repo("init")
    assert_said(result, 1, "the settings of the repository in", f"setting   {field}")
    if mended is None:
        assert "hint: restore the file from a backup" in result.err
        file.write_text(right)
    else:
        given = re.search(r"hint: to set another value: etcd-deb (repo init .*)", result.err)
        assert given, result.err
        assert mended in given[1]
        assert publisher.run(*given[1].split()).status == 0
    assert publisher.publish(publisher.deb("3.6.7-1")).status == 0
    assert publisher.problems() == []


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"7", b"\xff\xfe", b"{", b"[" * 100_000])
def test_file_of_settings_that_is_none_is_said(publisher: Publisher, content: bytes) -> None:
    file = publisher.repository / ".etcd-deb/repository.json"
    file.write_bytes(content)
    for result in (publisher.repo("list"), publisher.init()):
        assert result.status == 1
        assert "the settings of the repository in" in result.err
        assert "Traceback" not in result.err


@pytest.mark.parametrize("words", [["--new-key"], ["--key"]])
def test_key_of_a_living_repository_is_not_replaced_by_init(
    publisher: Publisher, gnupg_home: Path, words: list[str]
) -> None:
    if words == ["--key"]:
        with_other = Publisher(publisher.folder / "other", gnupg_home)
        made = with_other.run(
            *("repo", "init", str(with_other.repository), "--gnupg-home", str(gnupg_home)),
            *("--new-key", "--suite", "trixie", "--origin", "another"),
        )
        words = ["--key", re.findall("^key +(\\w+)$", made.out, re.MULTILINE)[0]]
    before = state(publisher)
    result = publisher.repo("init", *words)
    assert_said(result, 2, "already has a signing key")
    assert state(publisher) == before


def test_key_of_a_living_repository_may_be_named_again(publisher: Publisher) -> None:
    (key,) = re.findall(r'"key": "(\w+)"', (publisher.repository / ".etcd-deb/repository.json").read_text())
    assert publisher.repo("init", "--key", key, "--suite", "bookworm").status == 0


def test_suites_without_settings_get_no_key_by_guess(publisher: Publisher) -> None:
    (publisher.repository / ".etcd-deb/repository.json").unlink()
    before = state(publisher)
    for words in ([], ["--new-key"]):
        result = publisher.repo("init", "--gnupg-home", str(publisher.gnupg_home), "--suite", "forky", *words)
        assert result.status == 1
        assert "has suites, but no settings that name their key" in result.err
    assert state(publisher) == before


def test_user_without_a_home_is_an_error_that_is_told(publisher: Publisher) -> None:
    file = publisher.repository / ".etcd-deb/repository.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"gnupg_home": ""}))
    nobody = ["env", "-u", "HOME", "unshare", "--user", "--map-user=54321"]
    result = publisher.run(*publisher.publish_words(publisher.deb("3.6.7-1")), under=nobody)
    assert result.status == 1
    assert "Traceback" not in result.err, result.err
