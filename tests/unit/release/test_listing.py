"""Which releases there are, and which one a request means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from builder import shipped
from builder.errors import NoSuchRelease
from builder.release.fetch import Sources
from builder.release.github import GitHub, Release
from builder.release.listing import list_releases, resolve
from builder.release.origin import RemoteOrigin
from builder.release.pins import Pin, Pins
from builder.system.progress import Progress
from builder.version import parse_version
from tests.support.faults.answers import Status
from tests.support.releases.release_server import ReleaseServer
from tests.unit.samples import PIN_LIST, Heard, folder_sources, sources, version

FOLDERS = (
    "v3.5.9",
    "v3.5.10",
    "v3.6.0-rc.1",
    "v3.6.0",
    "v3.7.0-rc.0",
    "v3.4.23",
    "lost+found",
    "3.6.1",
    "v3.6",
    "v3",
)
INDEX = b"""<html><pre><a href="../">../</a>
<a href="v3.5.9/">v3.5.9/</a> <a href='/etcd/v3.5.10/'>v3.5.10/</a> <A HREF="v9.9.9/">
<a href="https://mirror.invalid/etcd/v3.6.0/">v3.6.0</a> <a href=v3.7.0-rc.0/>rc</a>
<a href="v3.8.0.txt">notes</a> <a href="v3.6.x/">x</a></pre></html>"""


def resolved(asked: str, found: Sources, progress: Progress | None = None) -> str:
    return str(resolve(parse_version(asked), found, progress or Progress()))


def listed(found: Sources, pins: Pins) -> list[str]:
    return [str(release.version) for release in list_releases(found, pins, Progress())]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FOLDERS:
        (tmp_path / "releases" / name).mkdir(parents=True)
    (tmp_path / "releases" / "v3.9.9").touch()
    return tmp_path / "releases"


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> list[Release]:
    """What GitHub lists, to be filled by the test; asking it needs no network."""
    releases: list[Release] = []

    def tell(_: GitHub, __: Progress) -> Sequence[Release]:
        return tuple(releases)

    monkeypatch.setattr(GitHub, "releases", tell)
    return releases


@pytest.mark.parametrize(
    ("asked", "version"),
    [
        ("3.5", "3.5.10"),
        ("3.6", "3.6.0"),
        ("latest", "3.6.0"),
        ("v3.7.0-rc.0", "3.7.0-rc.0"),
        ("3.4", "3.4.23"),
    ],
)
def test_a_series_means_its_newest_release_and_latest_the_newest_of_all(
    folder: Path, asked: str, version: str
) -> None:
    assert resolved(asked, folder_sources(folder)) == version


def test_a_full_version_asks_nobody(tmp_path: Path) -> None:
    progress = Heard()
    assert resolved("3.6.98", folder_sources(tmp_path / "absent"), progress) == "3.6.98"
    assert progress.steps == []


@pytest.mark.parametrize("asked", ["3.7", "3.8"])
def test_a_series_without_a_release_is_refused_even_with_pre_releases(folder: Path, asked: str) -> None:
    with pytest.raises(NoSuchRelease) as caught:
        resolved(asked, folder_sources(folder))
    assert caught.value.summary == f"{folder} has no release of etcd {asked}"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoSuchRelease, match="is not a folder"):
        resolved("latest", folder_sources(tmp_path / "absent"))


def test_releases_are_listed_newest_first_with_pin_and_support(folder: Path) -> None:
    pins = Pins({"etcd-v3.6.0-linux-arm64.tar.gz": Pin("1" * 64, PIN_LIST)})
    found = list_releases(folder_sources(folder), pins, Progress())
    assert [(release.version.tag, release.pinned, release.supported) for release in found] == [
        ("v3.7.0-rc.0", False, True),
        ("v3.6.0", True, True),
        ("v3.6.0-rc.1", False, True),
        ("v3.5.10", False, True),
        ("v3.5.9", False, True),
        ("v3.4.23", False, False),
    ]


def test_a_pin_of_3_6_10_does_not_pin_3_6_1(tmp_path: Path) -> None:
    (tmp_path / "v3.6.1").mkdir()
    pins = Pins({"etcd-v3.6.10-linux-amd64.tar.gz": Pin("1" * 64, PIN_LIST)})
    (only,) = list_releases(folder_sources(tmp_path), pins, Progress())
    assert not only.pinned


def test_the_folders_that_a_mirrors_index_page_links_to_are_releases(server: ReleaseServer) -> None:
    server.script_always("/etcd/", Status(200, body=INDEX))
    mirror = sources(RemoteOrigin(f"{server.url}/etcd"))
    assert listed(mirror, Pins({})) == ["3.7.0-rc.0", "3.6.0", "3.5.10", "3.5.9"]


@pytest.mark.parametrize("answer", [Status(404), Status(403), Status(200, body=b"<html>Welcome</html>")])
def test_where_a_mirror_has_no_index_github_is_asked(
    server: ReleaseServer, github: list[Release], answer: Status
) -> None:
    github.append(Release(version("3.6.7"), date(2026, 1, 2)))
    server.script_always("/etcd/", answer)
    progress = Heard()
    assert resolved("3.6", sources(RemoteOrigin(f"{server.url}/etcd")), progress) == "3.6.7"
    assert progress.steps[-1].endswith("asking api.invalid")


def test_with_githubs_own_downloads_as_source_github_is_asked_at_once(github: list[Release]) -> None:
    github.append(Release(version("3.6.7"), date(2026, 1, 2)))
    default = sources(RemoteOrigin("https://downloads.invalid"), default=True)
    (release,) = list_releases(default, Pins({}), Progress())
    assert (release.version.tag, release.day) == ("v3.6.7", date(2026, 1, 2))


def test_the_day_a_series_ended_is_known_for_each_series_before_the_supported_ones() -> None:
    text = (shipped.CONF / "end-of-life.toml").read_text()
    assert '"3.4" = ' in text
