"""Downloads are kept whole, filled once, and shared."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest

from builder import cache
from builder.cache import cache_folder, cached
from builder.errors import DownloadFailed, Interrupted
from builder.progress import Progress
from builder.release import RemoteOrigin
from tests.unit.samples import FILE, Heard

ORIGIN = RemoteOrigin("https://mirror.invalid:8443/etcd")


def good(out: BinaryIO, _: Path) -> None:
    out.write(b"whole")


def names() -> set[str]:
    return {path.name for path in cache_folder().rglob("*") if path.is_file() and path.suffix != ".lock"}


def test_a_file_is_filled_once(tmp_path: Path) -> None:
    first = cached(ORIGIN, FILE, good, Progress())

    def never(_: BinaryIO, __: Path) -> None:
        raise AssertionError("filled twice")

    assert cached(ORIGIN, FILE, never, Progress()) == first
    assert first.read_bytes() == b"whole"
    assert first.parts[-3:] == ("mirror.invalid_8443_etcd", FILE.version.tag, FILE.name)
    assert not first.is_relative_to(tmp_path)


def test_every_source_has_files_of_its_own() -> None:
    other = RemoteOrigin("https://other.invalid/etcd")
    assert cached(ORIGIN, FILE, good, Progress()) != cached(other, FILE, good, Progress())


@pytest.mark.parametrize("reason", [DownloadFailed("cut"), Interrupted(), KeyboardInterrupt()])
def test_what_was_not_filled_to_the_end_is_removed(reason: BaseException) -> None:
    def fail(out: BinaryIO, _: Path) -> None:
        out.write(b"half")
        raise reason

    with pytest.raises(type(reason)):
        cached(ORIGIN, FILE, fail, Progress())
    assert names() == set()


def test_in_flight_the_name_ends_in_part() -> None:
    seen = set()

    def look(_: BinaryIO, __: Path) -> None:
        seen.update(names())

    cached(ORIGIN, FILE, look, Progress())
    assert all(name.endswith(".part") for name in seen)
    assert len(seen) == 1


def test_what_a_killed_process_left_is_swept_up() -> None:
    folder = cached(ORIGIN, FILE, good, Progress()).parent
    (folder / FILE.name).unlink()
    (folder / f".{FILE.name}.abc.part").write_bytes(b"half")
    cached(ORIGIN, FILE, good, Progress())
    assert names() == {FILE.name}


def test_two_at_the_same_time_fill_it_once_and_the_second_says_that_it_waits() -> None:
    entered, leave = threading.Event(), threading.Event()
    fills: list[Path] = []

    def slow(out: BinaryIO, path: Path) -> None:
        fills.append(path)
        entered.set()
        assert leave.wait(30)
        out.write(b"whole")

    class Waiting(Heard):
        def step(self, message: str) -> None:
            super().step(message)
            leave.set()

    second = Waiting()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(cached, ORIGIN, FILE, slow, Progress())
        assert entered.wait(30)
        again = pool.submit(cached, ORIGIN, FILE, slow, second)
        assert first.result(30) == again.result(30)
    assert len(fills) == 1
    assert second.steps == [f"waiting for another etcd-deb that fetches {FILE.name}"]


def test_waiting_for_another_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "WAIT_FOR_OTHER", 0.1)
    monkeypatch.setattr(cache, "POLL", 0.06)

    def inside(_: BinaryIO, __: Path) -> None:
        cached(ORIGIN, FILE, good, Progress())

    with pytest.raises(DownloadFailed, match=r"another etcd-deb has been fetching"):
        cached(ORIGIN, FILE, inside, Progress())
