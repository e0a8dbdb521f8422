"""Names of a release's files, and where they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import UsageError
from builder.release.origin import (
    FolderOrigin,
    Origin,
    ReleaseFile,
    RemoteOrigin,
    parse_https,
    parse_source,
    without_login,
)
from builder.version import Architecture
from tests.unit.samples import version

RELEASE = version("3.7.0-rc.0")


def test_a_tarball_has_upstreams_name() -> None:
    assert ReleaseFile(version("3.6.7"), Architecture.AMD64).name == "etcd-v3.6.7-linux-amd64.tar.gz"
    file = ReleaseFile(RELEASE, Architecture.PPC64EL)
    assert file.name == "etcd-v3.7.0-rc.0-linux-ppc64le.tar.gz"
    assert file.directory == "etcd-v3.7.0-rc.0-linux-ppc64le"


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://mirror.invalid/etcd/", RemoteOrigin("https://mirror.invalid/etcd")),
        ("HTTP://mirror.invalid/etcd", RemoteOrigin("http://mirror.invalid/etcd")),
        ("http://127.0.0.1:8080", RemoteOrigin("http://127.0.0.1:8080")),
        ("http://[::1]:8080/x", RemoteOrigin("http://[::1]:8080/x")),
        ("/srv/releases", FolderOrigin(Path("/srv/releases"))),
        ("releases", FolderOrigin(Path("releases"))),
        ("file:///srv/a%20b", FolderOrigin(Path("/srv/a b"))),
        ("file:/srv/releases", FolderOrigin(Path("/srv/releases"))),
    ],
)
def test_a_source_is_a_url_or_a_folder(text: str, origin: Origin) -> None:
    assert parse_source(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        *("", "ftp://mirror.invalid", "https://", "http://:80/x", "http://[::1", "s3://x"),
        *("https://mirror.invalid:x/", "https://mirror.invalid:99999/", "https://mirror.invalid/a\nb"),
        *(f"https://{'a' * 300}/", f"https://{'a.' * 200}a/", "https://a..b/", "https://a b/", "https:x"),
        *("/srv/a\0b", "file:", "file:/a%00b"),
    ],
)
def test_anything_else_is_no_source(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_source(text)
    assert caught.value.summary == f"{text!r} is not a source of releases"


def test_plain_http_is_refused_where_it_is_no_source() -> None:
    with pytest.raises(UsageError) as caught:
        parse_https("http://witness.invalid", "witness")
    assert caught.value.summary == "setting 'witness' is not an https URL"
    for text in ("https://witness.invalid/etcd/", "HTTPS://witness.invalid/etcd"):
        assert parse_https(text, "witness") == RemoteOrigin("https://witness.invalid/etcd")


def test_files_lie_below_the_tag() -> None:
    assert (
        RemoteOrigin("https://mirror.invalid/etcd").url(RELEASE, "SHA256SUMS")
        == "https://mirror.invalid/etcd/v3.7.0-rc.0/SHA256SUMS"
    )
    assert FolderOrigin(Path("/srv")).path(RELEASE, "SHA256SUMS") == Path("/srv/v3.7.0-rc.0/SHA256SUMS")


def test_an_origin_is_named_by_its_host_without_the_login() -> None:
    assert str(RemoteOrigin("https://jane:secret@mirror.invalid:8443/etcd")) == "mirror.invalid:8443"
    assert str(FolderOrigin(Path("/srv/releases"))) == "/srv/releases"


def test_a_login_is_taken_out_of_a_url_and_nothing_else() -> None:
    assert (
        without_login("https://jane:s@mirror.invalid:8443/a@b?c=d") == "https://mirror.invalid:8443/a@b?c=d"
    )
    assert without_login("https://mirror.invalid/x") == "https://mirror.invalid/x"


@pytest.mark.parametrize(
    ("text", "other", "same_server", "same_place"),
    [
        ("https://a.invalid/etcd", "https://A.INVALID:443//etcd/", True, True),
        ("https://a.invalid/etcd", "https://jane:secret@a.invalid./%65tcd", True, True),
        ("https://a.invalid/etcd", "https://a.invalid/other", True, False),
        ("https://a.invalid/etcd", "http://a.invalid:80/etcd", True, False),
        ("https://b\u00fccher.invalid", "https://xn--bcher-kva.invalid", True, True),
        ("https://a.invalid/etcd", "https://a.invalid:8443/etcd", False, False),
        ("https://a.invalid/etcd", "https://b.invalid/etcd", False, False),
        ("http://[::1]:8080/x", "http://[0::1]:8080/x", True, True),
    ],
)
def test_origins_are_compared_as_origins(text: str, other: str, same_server: bool, same_place: bool) -> None:
    one, two = RemoteOrigin(text), RemoteOrigin(other)
    assert (one.server == two.server, one.is_same(two)) == (same_server, same_place)
