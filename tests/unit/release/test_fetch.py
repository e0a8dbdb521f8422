"""What is asked, in which order, and what is kept of it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from builder.errors import DownloadFailed, NoSuchRelease, VerificationFailed
from builder.release.cache import cache_folder
from builder.release.fetch import Fetched, Sources, fetch, hear
from builder.release.github import GitHub
from builder.release.keep import keep_release, pin_release
from builder.release.origin import FolderOrigin, ReleaseFile, RemoteOrigin
from builder.release.pins import Pins, read_pins
from builder.system.progress import Progress
from builder.version import Architecture, UpstreamVersion
from tests.support.faults.answers import Status
from tests.support.releases.fake_release import publish, sha256
from tests.support.releases.release_server import ReleaseServer
from tests.unit.samples import FILE, Heard, folder_sources, pinning, sources

TARBALL = b"a tarball"
DIGEST, OTHER = sha256(TARBALL), "1" * 64
RELEASE = FILE.version


def lines(digest: str, name: str = FILE.name) -> str:
    return f"{digest}  {name}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one release and its own SHA256SUMS."""
    return publish(tmp_path / "releases", {"amd64": TARBALL}, version=str(RELEASE))


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """GitHub's digests, to be filled by the test."""
    digests: dict[str, str] = {}

    def tell(_: GitHub, release: UpstreamVersion, __: Progress) -> dict[str, str]:
        if not digests:
            raise NoSuchRelease(f"GitHub has no {release}")
        return digests

    monkeypatch.setattr(GitHub, "digests", tell)
    return digests


@pytest.fixture
def mirror(server: ReleaseServer, github: dict[str, str]) -> Sources:
    """A mirror with a release, and a witness that knows nothing of it yet."""
    assert github == {}
    publish(server.root / "mirror", {"amd64": TARBALL}, version=str(RELEASE))
    login = server.url.replace("https://", "https://jane:secret@")
    return sources(RemoteOrigin(f"{login}/mirror"), witness=f"{server.other_url}/witness")


def let_witness_say(server: ReleaseServer, text: str) -> None:
    path = server.root / "witness" / RELEASE.tag / "SHA256SUMS"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def fetched(found: Sources, *, witnesses: bool = True) -> Fetched:
    return fetch(FILE, found, Progress(), witnesses=witnesses)


def test_a_folder_serves_its_files_and_what_the_witnesses_said(folder: Path) -> None:
    (folder / RELEASE.tag / "SHA256SUMS.storage.invalid").write_text(lines(DIGEST))
    found = fetched(folder_sources(folder))
    assert found.path == folder / RELEASE.tag / FILE.name
    assert found.url == f"file:{FILE.name}"
    assert [said.witness for said in found.hearing.testimonies] == [
        "SHA256SUMS in the folder",
        "SHA256SUMS.storage.invalid in the folder",
    ]


def test_a_file_of_the_users_own_folder_is_never_discarded(folder: Path) -> None:
    found = fetched(folder_sources(folder))
    found.discard()
    assert found.path.exists()


def test_a_folder_without_the_file_says_what_is_there(folder: Path) -> None:
    with pytest.raises(NoSuchRelease) as caught:
        fetch(ReleaseFile(RELEASE, Architecture.S390X), folder_sources(folder), Progress(), witnesses=True)
    assert FILE.name in caught.value.render()
    assert f"--arch s390x --output {folder}" in caught.value.render()


def test_a_list_in_the_folder_that_is_no_text_is_heard_and_a_folder_is_not(folder: Path) -> None:
    (folder / RELEASE.tag / "SHA256SUMS.binary.invalid").write_bytes(b"\xff\xfe")
    (folder / RELEASE.tag / "SHA256SUMS.d.invalid").mkdir()
    heard = hear(RELEASE, folder_sources(folder), Progress()).testimonies
    assert [said.file for said in heard] == ["SHA256SUMS", "SHA256SUMS.binary.invalid"]


@pytest.mark.parametrize(
    "name", ["SHA256SUMS~", "SHA256SUMS.orig", "SHA256SUMS.asc", ".SHA256SUMS.mirror.invalid"]
)
def test_a_copy_of_a_list_is_no_second_witness(folder: Path, name: str) -> None:
    (folder / RELEASE.tag / name).write_text(lines(DIGEST))
    heard = hear(RELEASE, folder_sources(folder), Progress()).testimonies
    assert [said.file for said in heard] == ["SHA256SUMS"]


def test_a_pinned_file_is_fetched_without_asking_a_witness(server: ReleaseServer, mirror: Sources) -> None:
    found = fetched(mirror, witnesses=False)
    assert found.hearing.testimonies == ()
    assert [request.path for request in server.requests] == [f"/mirror/{RELEASE.tag}/{FILE.name}"]


def test_a_second_build_takes_the_tarball_from_the_cache(server: ReleaseServer, mirror: Sources) -> None:
    assert fetched(mirror, witnesses=False).path == fetched(mirror, witnesses=False).path
    assert len(server.requests) == 1


def test_both_origins_are_asked_and_github_is_not_where_both_spoke(
    server: ReleaseServer, mirror: Sources, github: dict[str, str]
) -> None:
    let_witness_say(server, lines(DIGEST))
    github[FILE.name] = OTHER
    heard = fetched(mirror).hearing
    assert [said.file for said in heard.testimonies] == ["SHA256SUMS", f"SHA256SUMS.{mirror.witness}"]
    assert heard.silent == ()


def test_where_an_origin_is_silent_github_is_asked_and_the_silent_one_is_named(
    mirror: Sources, github: dict[str, str]
) -> None:
    github[FILE.name] = DIGEST
    heard = fetched(mirror).hearing
    assert [said.witness for said in heard.testimonies] == [
        f"SHA256SUMS of {mirror.origin}",
        "asset digests of api.invalid",
    ]
    assert len(heard.silent) == 1
    assert heard.silent[0].startswith(f"SHA256SUMS of {mirror.witness}: ")


@pytest.mark.parametrize(
    "again",
    [
        "{server}/mirror",
        "{server}/mirror/",
        "{server}/other",
        "https://joe:other@127.0.0.1:{port}/mirror",
        "https://127.0.0.1.:{port}/other",
    ],
)
def test_the_same_server_twice_is_one_witness(server: ReleaseServer, mirror: Sources, again: str) -> None:
    publish(server.root / "other", {"amd64": TARBALL}, version=str(RELEASE))
    port = urlsplit(server.url).port
    witness = again.format(server=server.url, port=port)
    heard = hear(RELEASE, sources(mirror.origin, witness=witness, api=witness), Progress())
    assert len(heard.testimonies) == 1
    assert mirror.origin != mirror.witness


def test_a_login_in_the_source_gets_neither_into_the_package_nor_into_the_cache(mirror: Sources) -> None:
    found = fetched(mirror)
    assert "secret" not in found.url
    assert "secret" not in str(found.path)
    assert "@" not in found.url


def test_a_login_in_the_source_is_not_shown(server: ReleaseServer, mirror: Sources) -> None:
    progress = Heard()
    server.script_always(f"/mirror/{RELEASE.tag}/{FILE.name}", Status(403))
    with pytest.raises(DownloadFailed) as caught:
        fetch(FILE, mirror, progress, witnesses=False)
    assert "secret" not in caught.value.render() + "".join(progress.steps)
    assert "Basic " in server.requests[0].headers["authorization"]


def test_the_fallback_for_the_tarball_belongs_to_the_default_source(
    server: ReleaseServer, mirror: Sources
) -> None:
    publish(server.root / "witness", {"amd64": TARBALL}, version=str(RELEASE))
    server.script_always(f"/mirror/{RELEASE.tag}/{FILE.name}", Status(403))
    with pytest.raises(DownloadFailed):
        fetched(mirror, witnesses=False)
    default = sources(mirror.origin, witness=mirror.witness.base, default=True)
    assert fetched(default, witnesses=False).url.startswith(mirror.witness.base)


def test_an_architecture_that_the_release_lacks_is_told_from_a_missing_release(mirror: Sources) -> None:
    with pytest.raises(NoSuchRelease) as caught:
        fetch(ReleaseFile(RELEASE, Architecture.S390X), mirror, Progress(), witnesses=True)
    assert caught.value.summary == "etcd v3.6.99 has no release for s390x"
    absent = ReleaseFile(UpstreamVersion(3, 6, 98), Architecture.AMD64)
    with pytest.raises(NoSuchRelease) as caught:
        fetch(absent, mirror, Progress(), witnesses=True)
    assert caught.value.summary == f"{mirror.origin} has no etcd v3.6.98"


def test_a_kept_release_is_one_that_a_folder_serves_and_verifies(
    tmp_path: Path, server: ReleaseServer, mirror: Sources
) -> None:
    let_witness_say(server, lines(DIGEST))
    (kept,) = keep_release(RELEASE, (Architecture.AMD64,), mirror, Pins({}), tmp_path / "kept", Progress())
    assert kept.read_bytes() == TARBALL
    again = keep_release(
        *(RELEASE, (Architecture.AMD64,), folder_sources(tmp_path / "kept"), Pins({})),
        *(tmp_path / "copy", Progress()),
    )
    assert [path.name for path in again] == [FILE.name]


def test_what_was_not_verified_is_not_kept(tmp_path: Path, mirror: Sources) -> None:
    with pytest.raises(VerificationFailed):
        keep_release(RELEASE, (Architecture.AMD64,), mirror, pinning(OTHER), tmp_path / "kept", Progress())
    assert not (tmp_path / "kept").exists()
    assert [path for path in cache_folder().rglob("*") if path.suffix == ".gz"] == []


def test_a_pin_is_recorded_once_two_witnesses_agree(folder: Path, tmp_path: Path) -> None:
    (folder / RELEASE.tag / "SHA256SUMS.storage.invalid").write_text(lines(DIGEST))
    assert pin_release(RELEASE, folder_sources(folder), tmp_path / "pins", Progress()) == {FILE.name: DIGEST}
    pin = read_pins(str(tmp_path / "pins")).get(FILE.name)
    assert pin is not None
    assert pin.sha256 == DIGEST


@pytest.mark.parametrize("second", [None, lines(OTHER), lines(DIGEST, "etcd-v3.6.99-linux-arm64.tar.gz")])
def test_no_pin_is_recorded_where_they_do_not(folder: Path, tmp_path: Path, second: str | None) -> None:
    if second:
        (folder / RELEASE.tag / "SHA256SUMS.storage.invalid").write_text(second)
    with pytest.raises(VerificationFailed):
        pin_release(RELEASE, folder_sources(folder), tmp_path / "pins", Progress())
    assert not (tmp_path / "pins").exists()


def test_a_release_that_no_witness_names_is_missing(tmp_path: Path) -> None:
    with pytest.raises(NoSuchRelease):
        pin_release(RELEASE, folder_sources(tmp_path), tmp_path / "pins", Progress())
    assert isinstance(folder_sources(tmp_path).origin, FolderOrigin)
