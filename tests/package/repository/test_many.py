"""Many packages in one publication."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from builder.repository.state.syncing import SIDE_BY_SIDE
from tests.support.archives.publisher import Publisher


@pytest.fixture
def copies(publisher: Publisher, tmp_path: Path) -> list[Path]:
    """Many names of one package."""
    deb = publisher.deb("3.6.7-1")
    folder = tmp_path / "copies"
    folder.mkdir()
    names = [folder / f"{number}.deb" for number in range(500)]
    for name in names:
        name.hardlink_to(deb)
    return names


def test_many_names_of_one_package_are_published_once(publisher: Publisher, copies: list[Path]) -> None:
    result = publisher.publish(*copies)
    assert result.status == 0, result.err
    assert publisher.versions() == {"3.6.7-1"}
    assert publisher.problems() == []


def test_one_broken_package_among_many_is_named(publisher: Publisher, copies: list[Path]) -> None:
    copies[-1].unlink()
    copies[-1].write_bytes(b"no ar archive")
    result = publisher.publish(*copies)
    assert (result.status, "Traceback" in result.err) == (1, False)
    assert f"can't read {copies[-1]} as a Debian package" in result.err
    assert publisher.versions() == set()


def test_many_packages_are_on_the_disk_before_one_has_its_name(publisher: Publisher, tmp_path: Path) -> None:
    several = [publisher.deb(f"3.6.{patch}-1") for patch in range(SIDE_BY_SIDE + 1)]
    log = tmp_path / "calls"
    under = ("strace", "-f", "-y", "-b", "execve", "-o", str(log), "-e", "trace=rename,fsync")
    assert publisher.run(*publisher.publish_words(*several), under=under).status == 0
    calls = re.findall(r" (rename\(.*/pool/|fsync\(\d+<.*/pool/.*\.deb>|fsync\()", log.read_text())
    named = [number for number, call in enumerate(calls) if call.startswith("rename")]
    synced = [number for number, call in enumerate(calls) if call.endswith(".deb>")]
    assert (len(named), len(synced)) == (len(several), len(several))
    assert max(synced) < min(named)
    assert "fsync(" in calls[named[-1] :], "the folder, for the names"
