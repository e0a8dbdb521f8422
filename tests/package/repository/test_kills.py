"""A publisher that is killed, or told that the disk is full, at every step that reaches the disk.

strace does it: SIGKILL, or ENOSPC, at the Nth call of one kind. After each: apt sees the old state or the new
one, every file of it is whole, and the next publication succeeds and leaves nothing lying around.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.repository.check import check
from builder.repository.state.layout import open_repository
from builder.repository.state.sweep import GRACE, KEPT_GENERATIONS
from builder.system.progress import Progress
from tests.package.repository.test_upkeep import age
from tests.support.archives.apt_client import AptClient
from tests.support.archives.publisher import Publisher
from tests.support.archives.tiny_deb import tiny_deb

CALLS = ("rename", "fsync", "write", "unlink", "unlinkat", "link", "symlink", "mkdir", "rmdir")
OLD = {f"3.6.{patch}-1" for patch in range(KEPT_GENERATIONS + 1)}
NEW = OLD | {"3.6.50-1", "3.7.0-1"}
SAMPLE = 3
# What people are told may be older than what clients see, until the next publication.
KILLED = "(a publisher was killed, or is running)"


class Victim:
    """A repository that is put back before each publication; its oldest generations are due to be removed."""

    def __init__(self, publisher: Publisher, apt: AptClient) -> None:
        self.publisher = publisher
        self.apt = apt
        for version in sorted(OLD):
            assert publisher.publish(publisher.deb(version)).status == 0
        age(publisher, GRACE * (KEPT_GENERATIONS + 1))
        self.kept = publisher.folder / "kept"
        publisher.repository.rename(self.kept)
        publisher.restore(self.kept)
        self.words = publisher.publish_words(publisher.deb("3.6.50-1"), publisher.deb("3.7.0-1"))
        self.next = publisher.publish_words(publisher.deb("3.6.99-1"))
        self.log = publisher.folder / "calls"

    def publish_under_strace(self, *options: str) -> int:
        """The status of a publication whose threads, but not the programs that it runs, are traced."""
        self.publisher.restore(self.kept)
        under = ("strace", "-f", "-b", "execve", "-o", str(self.log), *options)
        return self.publisher.run(*self.words, under=under).status

    def count(self) -> Counter[str]:
        """How often each call is made by a publication that nobody disturbs: by the busiest of its threads,

        since strace counts for each of them.
        """
        assert self.publish_under_strace("-e", f"trace={','.join(CALLS)}") == 0
        made = Counter(re.findall(r"^(\d+) +(\w+)\(", self.log.read_text(), re.MULTILINE))
        return Counter({call: max(n for (_, c), n in made.items() if c == call) for _, call in made})

    def assert_whole(self, what: str) -> None:
        """Old or new for clients; then the next publication."""
        repository = open_repository(self.publisher.repository)
        assert [line for line in check(repository, Progress()) if KILLED not in line] == [], what
        # A client of its own each time: apt would keep what it has.
        apt = AptClient(self.publisher.folder / "client" / what)
        seen = self.publisher.versions()
        assert seen in (OLD, NEW), what
        components = "3.6 3.7" if seen == NEW else "3.6"
        apt.use(
            re.sub(
                "^Components: .*$", f"Components: {components}", self.publisher.sources, flags=re.MULTILINE
            )
        )
        apt.update()
        assert apt.versions() == seen, what
        after = self.publisher.run(*self.next)
        assert after.status == 0, f"{what}: {after.err}"
        assert check(repository, Progress()) == (), what
        assert self.publisher.versions() == seen | {"3.6.99-1"}, what
        self.assert_tidy(what)

    def assert_tidy(self, what: str) -> None:
        """No file that nothing names."""
        root = self.publisher.repository
        named = {f"{version}" for version in self.publisher.versions()}
        assert {path.name.split("_")[1] for path in root.glob("pool/*/*")} == named, what
        hidden = [path for path in root.rglob(".*") if path != root / ".etcd-deb"]
        assert hidden == [], what
        assert not (root / ".etcd-deb/unfinished").exists(), what


@pytest.fixture
def victim(publisher: Publisher, apt: AptClient) -> Victim:
    return Victim(publisher, apt)


def every_step(victim: Victim) -> list[tuple[str, int]]:
    counted = victim.count()
    assert counted["rename"] > 4, counted
    assert counted["fsync"] > 8, counted
    return [(call, number) for call in CALLS for number in range(1, counted[call] + 1)]


def sample(steps: list[tuple[str, int]], size: int) -> list[tuple[str, int]]:
    """Some of the steps; others in each run, and the run says which."""
    return sorted(random.sample(steps, size))


def kill(victim: Victim, steps: list[tuple[str, int]]) -> None:
    for call, number in steps:
        victim.publish_under_strace("-e", f"inject={call}:signal=SIGKILL:when={number}")
        victim.assert_whole(f"killed at {call} {number}")


def fill_disk(victim: Victim, steps: list[tuple[str, int]]) -> None:
    for call, number in steps:
        victim.publish_under_strace("-e", f"inject={call}:error=ENOSPC:when={number}")
        victim.assert_whole(f"disk full at {call} {number}")


@pytest.mark.parametrize("disturb", [kill, fill_disk])
def test_any_step_may_fail_sample(
    victim: Victim, disturb: Callable[[Victim, list[tuple[str, int]]], None]
) -> None:
    disturb(victim, sample(every_step(victim), SAMPLE))


@pytest.mark.soak
@pytest.mark.parametrize("disturb", [kill, fill_disk])
def test_any_step_may_fail(victim: Victim, disturb: Callable[[Victim, list[tuple[str, int]]], None]) -> None:
    disturb(victim, every_step(victim))


def kill_at_random_times(victim: Victim, times: int) -> int:
    """How many of the publishers were killed before they ended by themselves."""
    victim.publisher.restore(victim.kept)
    began = time.monotonic()
    assert victim.publisher.run(*victim.words).status == 0
    whole = time.monotonic() - began
    killed = 0
    for number in range(times):
        victim.publisher.restore(victim.kept)
        started = victim.publisher.account.start(*victim.words)
        time.sleep(random.uniform(0, whole))  # noqa: S311
        started.kill()
        killed += started.finish().status != 0
        victim.assert_whole(f"killed at a random time, {number}")
    return killed


def test_random_kills_leave_the_repository_whole_sample(victim: Victim) -> None:
    assert kill_at_random_times(victim, SAMPLE) > 0


@pytest.mark.soak
def test_random_kills_leave_the_repository_whole(victim: Victim) -> None:
    assert kill_at_random_times(victim, 300) > 150


def test_read_only_pool_is_said_and_nothing_changes(publisher: Publisher) -> None:
    assert publisher.publish(publisher.deb("3.6.7-1")).status == 0
    read_only = """
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
shift
exec "$@"
"""
    pool = str(publisher.repository / "pool")
    result = publisher.run(
        *publisher.publish_words(publisher.deb("3.6.8-1")),
        under=["unshare", "--mount", "sh", "-ec", read_only, "sh", pool],
    )
    assert result.status == 1
    assert "Read-only file system" in result.err
    assert publisher.versions() == {"3.6.7-1"}
    assert publisher.problems() == []


def test_full_disk_names_the_file_and_leaves_the_old_state(publisher: Publisher, tmp_path: Path) -> None:
    assert publisher.publish(publisher.deb("3.6.7-1")).status == 0
    large = tiny_deb(tmp_path / "large", "3.6.8-1", payload=16 * 1024 * 1024)
    small_disk = """
mount -t tmpfs -o size=8m tmpfs "$1"
cp -a "$2/." "$1"
mount --bind "$1" "$2"
repository=$2
shift 2
"$@" && exit 0
status=$?
test "$(find "$repository" -path '*/pool/*.deb' | wc -l)" = 1
exit $status
"""
    disk = tmp_path / "disk"
    disk.mkdir()
    result = publisher.run(
        *publisher.publish_words(large),
        under=["unshare", "--mount", "sh", "-ec", small_disk, "sh", str(disk), str(publisher.repository)],
    )
    assert result.status == 1
    assert "no space left on device" in result.err
    assert large.name in result.err
