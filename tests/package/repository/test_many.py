"""Many packages in one publication: read by several processes, and synced all at once."""

from __future__ import annotations

import os
import re
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest

from builder.repository.incoming import MANY, READ_AT_ONCE, READERS
from builder.repository.state.syncing import EACH_BY_ITSELF
from tests.support.account import Started
from tests.support.archives.publisher import Publisher
from tests.support.wait import wait_for

DISTURBED = {"killed": "signal=SIGKILL", "full": "error=ENOSPC"}


@pytest.fixture
def copies(publisher: Publisher, tmp_path: Path) -> list[Path]:
    """So many names of one package that several processes read them."""
    deb = publisher.deb("3.6.7-1")
    folder = tmp_path / "copies"
    folder.mkdir()
    names = [folder / f"{number}.deb" for number in range(MANY)]
    for name in names:
        name.hardlink_to(deb)
    return names


@pytest.fixture
def several(publisher: Publisher) -> list[Path]:
    """More packages than are synced each by itself."""
    return [publisher.deb(f"3.6.{patch}-1") for patch in range(EACH_BY_ITSELF + 1)]


class Held:
    """A publisher whose readers wait: for packages that are pipes, into which nobody writes."""

    def __init__(self, publisher: Publisher, copies: list[Path]) -> None:
        self._pipes = [publisher.folder / f"pipe-{n}.deb" for n in range(min(os.cpu_count() or 1, READERS))]
        files: list[Path] = []
        for number, pipe in enumerate(self._pipes):
            os.mkfifo(pipe)
            # One is the first of what each reader takes.
            files += [pipe, *copies[number * (READ_AT_ONCE - 1) :][: READ_AT_ONCE - 1]]
        self._told = publisher.folder / "pid"
        under = ("sh", "-c", 'echo $$ > "$0"; exec "$@"', str(self._told))
        words = publisher.publish_words(*files, *copies)
        self.started: Started = publisher.account.start(*words, under=under)

    def __enter__(self) -> Held:
        try:
            self._writers = [
                wait_for(f"a reader at {pipe.name}", partial(_opened, pipe), within=30)
                for pipe in self._pipes
            ]
        except BaseException:
            self.started.kill()
            raise
        self._pid = self._told.read_text().strip()
        self.readers = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text().split()
        assert len(self.readers) == len(self._pipes)
        return self

    def send_to_all(self, number: signal.Signals) -> None:
        """A signal that comes to the readers when the publisher has begun to end."""
        self.started.send(number)
        status = Path(f"/proc/{self._pid}/status")

        def heeded() -> bool:
            """From the first of them on, a further SIGTERM is ignored."""
            ignored = re.search(r"^SigIgn:\s*(\w+)$", status.read_text(), re.MULTILINE)
            return ignored is not None and bool(int(ignored[1], 16) >> (signal.SIGTERM - 1) & 1)

        wait_for("the publisher to heed the signal", heeded, within=10)
        for pid in self.readers:
            os.kill(int(pid), number)

    def let_go(self) -> None:
        """The readers find empty files."""
        for writer in self._writers:
            writer.close()

    def assert_no_readers(self) -> None:
        """They are gone, or are zombies until their new parent sees to them."""

        def living() -> list[str]:
            stats = [Path(f"/proc/{pid}/stat") for pid in self.readers]
            return [stat.parent.name for stat in stats if stat.exists() and ") Z " not in stat.read_text()]

        wait_for("the readers to end", lambda: not living(), within=10)

    def __exit__(self, *error: object) -> None:
        # Readers that were left behind end with the pipe.
        self.let_go()
        with suppress(ProcessLookupError):
            self.started.kill()


def _opened(pipe: Path) -> BinaryIO | None:
    # Without O_NONBLOCK it would wait for a reader, with it it fails as long as there is none.
    with suppress(OSError):
        return os.fdopen(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK), "wb")
    return None


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
    assert f"{copies[-1]} can't be read as a Debian package" in result.err
    assert publisher.versions() == set()


def test_readers_end_with_a_publisher_that_is_killed(publisher: Publisher, copies: list[Path]) -> None:
    with Held(publisher, copies) as held:
        held.started.send(signal.SIGKILL)
        held.started.finish()
        held.assert_no_readers()


@pytest.mark.parametrize("which", [0, -1], ids=["first", "last"])
def test_reader_that_is_killed_is_told(publisher: Publisher, copies: list[Path], which: int) -> None:
    with Held(publisher, copies) as held:
        os.kill(int(held.readers[which]), signal.SIGKILL)
        result = held.started.finish()
        held.assert_no_readers()
    assert (result.status, "Traceback" in result.err) == (1, False)
    assert "a process that was reading the packages has been killed" in result.err
    assert publisher.versions() == set()


@pytest.mark.parametrize(
    ("number", "ended"),
    [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated"), (signal.SIGHUP, "terminated")],
)
def test_signal_to_all_readers_ends_them_without_noise(
    publisher: Publisher, copies: list[Path], number: signal.Signals, ended: str
) -> None:
    with Held(publisher, copies) as held:
        held.send_to_all(number)
        held.let_go()
        result = held.started.finish()
        held.assert_no_readers()
    assert (result.status, result.err) == (128 + number, f"etcd-deb: {ended}; nothing was left behind\n")
    assert publisher.versions() == set()


def test_many_packages_are_on_the_disk_before_one_has_its_name(
    publisher: Publisher, several: list[Path], tmp_path: Path
) -> None:
    log = tmp_path / "calls"
    under = ("strace", "-f", "-b", "execve", "-o", str(log), "-e", "trace=rename,syncfs,fsync")
    assert publisher.run(*publisher.publish_words(*several), under=under).status == 0
    calls = re.findall(r" (rename\(.*/pool/|syncfs\(|fsync\()", log.read_text())
    named = [number for number, call in enumerate(calls) if call.startswith("rename")]
    assert len(named) == len(several)
    assert calls.index("syncfs(") < named[0]
    assert "fsync(" in calls[named[-1] :], "the folder, for the names"


@pytest.mark.parametrize("how", DISTURBED)
def test_sync_of_many_may_fail(publisher: Publisher, several: list[Path], how: str) -> None:
    assert publisher.publish(publisher.deb("3.6.99-1")).status == 0
    under = ("strace", "-f", "-b", "execve", "-o", "/dev/null", "-e", f"inject=syncfs:{DISTURBED[how]}")
    result = publisher.run(*publisher.publish_words(*several), under=under)
    assert result.status != 0
    assert ("no space left on device" in result.err) == (how == "full")
    assert publisher.versions() == {"3.6.99-1"}
    assert publisher.problems() == []
    assert publisher.publish(several[0]).status == 0
    assert publisher.versions() == {"3.6.99-1", "3.6.0-1"}
    left = {path.name for path in publisher.repository.glob("pool/*/*")}
    assert left == {"etcd-ha_3.6.99-1_amd64.deb", several[0].name}
