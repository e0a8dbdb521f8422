"""The lab's releases: laid out as GitHub's, the same bytes each time, made once."""

import hashlib
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.releases import releases
from tests.support.releases.releases import Origin, WrongRelease, ensure, pack, version_of

A_DAY = (1_600_000_000, 1_600_000_000)


def write_programs(folder: Path, version: str, *names: str) -> dict[str, Path]:
    """Scripts that tell a version as etcd's programs do."""
    folder.mkdir(parents=True, exist_ok=True)
    programs = {name: folder / name for name in names}
    for name, path in programs.items():
        word = "Version" if name == "etcd" else "version"
        path.write_text(f"#!/bin/sh\necho '{name} {word}: {version}'\n")
        path.chmod(0o755)
        os.utime(path, A_DAY)
    return programs


def origin_of(version: str, calls: list[str], *, said: str | None = None) -> Origin:
    def unpack(folder: Path) -> Path:
        calls.append(version)
        write_programs(folder / "bin", version, *releases.PROGRAMS)
        return folder / "bin"

    return Origin(f"origin-{version}", f"an origin of {version}", unpack, said)


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """ensure() with two origins of ours and a folder of its own."""
    monkeypatch.setattr(releases, "RELEASES", tmp_path / "releases")
    monkeypatch.setattr(releases, "PINS", tmp_path / "releases/SHA256SUMS")
    calls: list[str] = []
    origins = (origin_of("3.5.1", calls), origin_of("3.5.30", calls))

    def make(*wanted: str) -> dict[str, str]:
        calls.clear()
        have = ensure(*wanted, origins=origins)
        return {**have, "unpacked": " ".join(calls)}

    return make


def test_tarball_has_the_same_bytes_whenever_and_wherever_it_is_packed(tmp_path: Path) -> None:
    first = pack(write_programs(tmp_path / "a", "3.5.1", "etcd", "etcdctl"), "etcd-v3.5.1-linux-amd64", "x")
    second = pack(write_programs(tmp_path / "b", "3.5.1", "etcdctl", "etcd"), "etcd-v3.5.1-linux-amd64", "x")
    assert first == second


def test_tarball_is_laid_out_as_githubs(tmp_path: Path) -> None:
    programs = write_programs(tmp_path, "3.5.1", *releases.PROGRAMS)
    packed = pack(programs, "etcd-v3.5.1-linux-amd64", "x")
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        members = {member.name: (member.mode, member.uid, member.mtime) for member in archive}
    top = "etcd-v3.5.1-linux-amd64"
    assert members == {
        **dict.fromkeys((top, f"{top}/Documentation"), (0o755, 0, A_DAY[0])),
        **{f"{top}/{name}": (0o755, 0, A_DAY[0]) for name in releases.PROGRAMS},
        **{
            f"{top}/{name}": (0o644, 0, A_DAY[0])
            for name in ("README.md", "README-etcdctl.md", "README-etcdutl.md", "Documentation/README.md")
        },
    }


def test_documents_of_the_release_take_the_place_of_the_notes(tmp_path: Path) -> None:
    documents = {"README-etcdctl.md": b"upstream's", "READMEv2-etcdctl.md": b"of 3.5"}
    packed = pack(write_programs(tmp_path, "3.5.1", *releases.PROGRAMS), "top", "x", documents)
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        found = {name: archive.extractfile(f"top/{name}") for name in documents}
        assert {name: file.read() for name, file in found.items() if file} == documents


def test_every_digest_is_right_beside_its_tarball_and_among_the_pins(
    held: Callable[..., dict[str, str]],
) -> None:
    held()
    lines = releases.PINS.read_text().splitlines()
    assert len(lines) == 2
    for line in lines:
        digest, name = line.split("  ")
        folder = releases.RELEASES / name.removeprefix("etcd-").split("-")[0]
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        assert (folder / "SHA256SUMS").read_text() == f"{line}\n"


def test_what_is_there_is_not_fetched_again(held: Callable[..., dict[str, str]]) -> None:
    assert held()["unpacked"] == "3.5.1 3.5.30"
    assert held()["unpacked"] == ""


def test_wanted_version_fetches_no_more_than_it_takes(held: Callable[..., dict[str, str]]) -> None:
    assert held("v3.5.1")["unpacked"] == "3.5.1"
    assert held("3.5.30")["unpacked"] == "3.5.30"


def test_lost_release_is_made_again(held: Callable[..., dict[str, str]]) -> None:
    held()
    (releases.RELEASES / "v3.5.30/SHA256SUMS").unlink()
    assert held()["unpacked"] == "3.5.30"


def test_version_that_no_registry_holds_is_refused_with_those_that_they_do(
    held: Callable[..., dict[str, str]],
) -> None:
    with pytest.raises(WrongRelease, match=r"holds etcd 3\.6\.7; they hold 3\.5\.1 .*, 3\.5\.30 "):
        held("3.6.7")


@pytest.mark.usefixtures("held")
def test_release_of_a_known_version_is_made_alone_and_left_alone() -> None:
    calls: list[str] = []
    origins = (
        origin_of("3.5.1", calls),
        *(origin_of(version, calls, said=version) for version in ("3.6.7", "3.7.3")),
    )
    ensure("3.7.3", origins=origins)
    assert calls == ["3.7.3"]
    ensure("3.5.1", origins=origins)
    assert calls == ["3.7.3", "3.5.1"]


@pytest.mark.usefixtures("held")
def test_origin_that_holds_another_version_than_it_is_known_for_is_refused() -> None:
    with pytest.raises(WrongRelease, match=r"expected etcd 3\.6\.7, .*, found 3\.6\.8"):
        ensure(origins=[origin_of("3.6.8", [], said="3.6.7")])


@pytest.mark.usefixtures("held")
def test_release_that_could_not_be_made_whole_leaves_nothing() -> None:
    def unpack(folder: Path) -> Path:
        write_programs(folder, "3.6.7", "etcd")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure(origins=[Origin("broken-off", "x", unpack, "3.6.7")])
    assert [path.name for path in releases.RELEASES.iterdir()] == [".lock"]


def test_programs_of_different_versions_are_refused(tmp_path: Path) -> None:
    programs = {
        **write_programs(tmp_path, "3.5.1", "etcd"),
        **write_programs(tmp_path, "3.5.2", "etcdctl"),
    }
    with pytest.raises(WrongRelease, match="expected one version"):
        version_of(programs)
