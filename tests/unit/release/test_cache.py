"""Downloads are kept whole, filled once, and shared."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest

from builder.errors import DownloadFailed, Interrupted
from builder.release.cache import cache_folder, cached, contents, discard, prune
from builder.release.origin import ReleaseFile, RemoteOrigin
from builder.system import lock
from builder.system.lock import StillLocked
from builder.system.progress import Progress
from tests.unit.samples import FILE, Heard, version

MUCH = 10**9
ORIGIN = RemoteOrigin("https://mirror.invalid:8443/etcd")


def good(out: BinaryIO, _: Path) -> None:
    out.write(b"whole")


def names() -> set[str]:
    return {path.name for path in cache_folder().rglob("*") if path.is_file() and path.suffix != ".lock"}


def test_a_file_is_filled_once(tmp_path: Path) -> None:
    first = cached(ORIGIN, FILE, good, Progress(), limit=MUCH)

    def never(_: BinaryIO, __: Path) -> None:
        raise AssertionError("filled twice")

    assert cached(ORIGIN, FILE, never, Progress(), limit=MUCH) == first
    assert first.read_bytes() == b"whole"
    assert first.parts[-3:] == ("mirror.invalid_8443_etcd", FILE.version.tag, FILE.name)
    assert not first.is_relative_to(tmp_path)


def test_every_source_has_files_of_its_own() -> None:
    other = RemoteOrigin("https://other.invalid/etcd")
    assert cached(ORIGIN, FILE, good, Progress(), limit=MUCH) != cached(
        other, FILE, good, Progress(), limit=MUCH
    )


@pytest.mark.parametrize("reason", [DownloadFailed("cut"), Interrupted(), KeyboardInterrupt()])
def test_what_was_not_filled_to_the_end_is_removed(reason: BaseException) -> None:
    def fail(out: BinaryIO, _: Path) -> None:
        out.write(b"half")
        raise reason

    with pytest.raises(type(reason)):
        cached(ORIGIN, FILE, fail, Progress(), limit=MUCH)
    assert names() == set()


def test_in_flight_the_name_ends_in_part() -> None:
    seen = set()

    def look(_: BinaryIO, __: Path) -> None:
        seen.update(names())

    cached(ORIGIN, FILE, look, Progress(), limit=MUCH)
    assert all(name.endswith(".part") for name in seen)
    assert len(seen) == 1


def test_what_a_killed_process_left_is_swept_up() -> None:
    folder = cached(ORIGIN, FILE, good, Progress(), limit=MUCH).parent
    (folder / FILE.name).unlink()
    (folder / f".{FILE.name}.abc.part").write_bytes(b"half")
    cached(ORIGIN, FILE, good, Progress(), limit=MUCH)
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
        first = pool.submit(cached, ORIGIN, FILE, slow, Progress(), limit=MUCH)
        assert entered.wait(30)
        again = pool.submit(cached, ORIGIN, FILE, slow, second, limit=MUCH)
        assert first.result(30) == again.result(30)
    assert len(fills) == 1
    (said,) = second.steps
    assert said.startswith(
        f"waiting for another etcd-deb that is fetching {FILE.name}: process {os.getpid()} ("
    )


def test_waiting_for_another_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "WAIT_FOR_OTHER", 0.1)

    def inside(_: BinaryIO, __: Path) -> None:
        cached(ORIGIN, FILE, good, Progress(), limit=MUCH)

    with pytest.raises(StillLocked, match=r"another etcd-deb that is fetching .* has not finished") as caught:
        cached(ORIGIN, FILE, inside, Progress(), limit=MUCH)
    assert f"held by   process {os.getpid()} (" in caught.value.render()


def other_process_uses(origin: RemoteOrigin, patch: int, used: int) -> Path:
    """A release that another process fetched at a time, and then ended."""
    program = (
        "from tests.unit.release.test_cache import *; import os;"
        f"path = cached(RemoteOrigin({origin.base!r}), file({patch}), good, Progress(), limit=MUCH);"
        f"os.utime(path, ({used}, {used})); print(path)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def file(patch: int) -> ReleaseFile:
    return ReleaseFile(version(f"3.6.{patch}"), FILE.architecture)


def test_what_was_used_longest_ago_makes_room_and_what_is_in_use_stays() -> None:
    oldest, old, newer = (other_process_uses(ORIGIN, patch, patch * 100) for patch in (1, 2, 3))
    assert cached(ORIGIN, file(1), good, Progress(), limit=MUCH) == oldest
    os.utime(oldest, (1, 1))
    heard = Heard()
    new = cached(ORIGIN, file(4), good, heard, limit=3 * len(b"whole"))
    assert {found.path for found in contents()} == {oldest, newer, new}
    assert heard.steps == [f"removed the 0 MB used least recently from the cache: {old.name}"]
    assert not old.parent.exists()


def test_all_that_nobody_uses_can_be_removed() -> None:
    used = other_process_uses(ORIGIN, 1, 100)
    path = cached(ORIGIN, FILE, good, Progress(), limit=MUCH)
    left = path.with_name(f".{FILE.name}.abc.part")
    left.write_bytes(b"half")
    for other in ("README", "v1.0.0/etcd-v1.0.0-linux-amd64.tar.gz", "own/v1.0.0/notes"):
        (cache_folder() / other).parent.mkdir(parents=True, exist_ok=True)
        (cache_folder() / other).write_bytes(b"not the cache's")
    done = prune(0)
    assert [one.path for one in done.removed] == [used]
    assert {one.path for one in done.in_use} == {one.path for one in done.kept} == {path, left}
    discard(path)
    assert [one.path for one in prune(0).removed] == [left]
    assert names() == {"README", "etcd-v1.0.0-linux-amd64.tar.gz", "notes"}
    assert not list(cache_folder().rglob("*.lock"))


def test_a_file_that_was_discarded_is_filled_again() -> None:
    for _ in range(2):
        discard(cached(ORIGIN, FILE, good, Progress(), limit=MUCH))
    cached(ORIGIN, FILE, good, Progress(), limit=MUCH).unlink()
    assert cached(ORIGIN, FILE, good, Progress(), limit=MUCH).read_bytes() == b"whole"


def test_a_cache_smaller_than_one_release_holds_the_one_in_use() -> None:
    assert cached(ORIGIN, FILE, good, Progress(), limit=0).read_bytes() == b"whole"
