"""`etcd-deb serve`: the published tree and nothing else, as a client meets it."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.archives.publisher import Publisher, served

DEB = "pool/3.6/etcd-ha_3.6.7-1_amd64.deb"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, gnupg_home: Path) -> Iterator[tuple[Publisher, str]]:
    """A served repository, with files beside it and links in it that are nobody's business."""
    publisher = Publisher(tmp_path_factory.mktemp("site"), gnupg_home)
    assert publisher.init().status == 0
    assert publisher.publish(publisher.deb("3.6.7-1")).status == 0
    root = publisher.repository
    (publisher.folder / "secret").write_text("secret")
    (root / "backup.tar").write_text("secret")
    (root / "pool/3.6/link.deb").symlink_to(publisher.folder / "secret")
    (root / "pool/3.6/settings.deb").symlink_to("../../.etcd-deb/repository.json")
    (root / "pool/3.6/itself.deb").symlink_to("itself.deb")
    (root / "out").symlink_to(publisher.folder)
    with served(publisher) as url:
        yield publisher, urlsplit(url).netloc


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes


def ask(site: tuple[Publisher, str], path: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(HTTPConnection(site[1], timeout=10)) as connection:
        connection.request("GET", path, headers=named)
        got = connection.getresponse()
        return Answer(got.status, dict(got.headers), got.read())


@pytest.mark.parametrize(
    "path",
    [
        "/.etcd-deb/repository.json",
        "/%2eetcd-deb/repository.json",
        "/.etcd-deb/",
        "/pool/3.6/../../.etcd-deb/repository.json",
        "/pool/3.6/link.deb",
        "/pool/3.6/settings.deb",
        "/pool/3.6/itself.deb",
        "/out/secret",
        "/../secret",
        "/%2e%2e/secret",
        "/backup.tar",
        "/pool/",
        "/pool",
        "/dists/trixie/",
        "/%00",
        "/pool/%00",
        "/%ff",
        "/" + "a" * 300,
        "//",
        "/dists/trixie/InRelease/x",
    ],
)
def test_nothing_but_published_files_is_served(site: tuple[Publisher, str], path: str) -> None:
    answer = ask(site, path)
    content = answer.content
    if path == "//":
        assert content == (site[0].repository / "index.html").read_bytes()
        return
    assert answer.status == 404
    assert b"secret" not in content
    assert b"gnupg_home" not in content
    assert ask(site, "/").status == 200, "the server goes on"


@pytest.mark.parametrize(
    "path", ["index.html", "trixie.sources", "etcd-ha-archive-keyring.asc", DEB, "dists/trixie/InRelease"]
)
def test_published_file_is_served_whole(site: tuple[Publisher, str], path: str) -> None:
    answer = ask(site, f"/{path}")
    assert answer.status == 200
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.content == (site[0].repository / path).read_bytes()


@pytest.mark.parametrize(("asked", "first", "last"), [("bytes=0-9", 0, 9), ("bytes=100-", 100, None)])
def test_part_of_a_file_is_served(
    site: tuple[Publisher, str], asked: str, first: int, last: int | None
) -> None:
    whole = (site[0].repository / DEB).read_bytes()
    expected = whole[first : None if last is None else last + 1]
    answer = ask(site, f"/{DEB}", Range=asked)
    assert answer.status == 206
    assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(expected) - 1}/{len(whole)}"
    assert answer.content == expected


def test_part_that_is_not_there_is_refused_and_of_another_file_is_the_whole(
    site: tuple[Publisher, str],
) -> None:
    whole = (site[0].repository / DEB).read_bytes()
    beyond = ask(site, f"/{DEB}", Range=f"bytes={len(whole)}-")
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{len(whole)}")
    other = ask(site, f"/{DEB}", Range="bytes=5-", If_Range="Thu, 01 Jan 1970 00:00:00 GMT")
    assert (other.status, other.content) == (200, whole)
    for nonsense in ("bytes=x-", "bytes=5-1-2", "pages=1-2", f"bytes={'9' * 5000}-"):
        assert ask(site, f"/{DEB}", Range=nonsense).content == whole


def test_server_says_nothing_of_a_broken_request(site: tuple[Publisher, str]) -> None:
    host, _, port = site[1].partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GET /\xff\x00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b" 404 " in connection.recv(1000)
    assert "Traceback" not in (site[0].folder / "serve.log").read_text()
