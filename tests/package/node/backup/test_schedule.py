"""What the timers of three nodes do in five days, each at four times of a day; real etcd on loopback."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.package.node.backup.keeper_nodes import KeeperNode, three
from tests.package.node.node_shell import TEMPLATE
from tests.support.releases.releases import NEWEST

DAYS = tuple(f"2027-01-0{day}" for day in range(4, 9))
TIMES = ("00:10", "06:00", "12:00", "23:50")
# More than the disk must keep free, and what fills it.
DISK, FILLING = 100 << 20, 60 << 20

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted")


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A disk of its own for a folder."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def scheduled(node: KeeperNode, when: str, zone: str) -> subprocess.CompletedProcess[str]:
    """What the timer of the node starts, at that local time."""
    return subprocess.run(
        ["faketime", "-f", f"@{when}:00", "sh", str(TEMPLATE / "node/commands/backup"), "--scheduled"],
        env={**node.variables(), "TZ": zone},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def on_all(nodes: Sequence[KeeperNode], when: str, zone: str) -> list[subprocess.CompletedProcess[str]]:
    """In the same second."""
    with ThreadPoolExecutor(len(nodes)) as threads:
        return list(threads.map(lambda node: scheduled(node, when, zone), nodes))


def noted(node: KeeperNode) -> str:
    """What `etcd-ha status` shows of the last ones."""
    return (node.folder / "state/last-backup").read_text()


def backups(node: KeeperNode) -> list[str]:
    return sorted(path.name for path in node.backups.glob("backup-*"))


# In Berlin the day begins before it does by UTC.
@pytest.mark.soak
@pytest.mark.parametrize("zone", ["UTC", "CET-1", "EST5"])
def test_each_day_has_one_backup_of_the_whole_cluster_through_a_full_disk_and_a_dead_member(
    tmp_path: Path, programs_of: Callable[[str], Mapping[str, Path]], zone: str
) -> None:
    nodes = three(tmp_path, programs_of(NEWEST["3.6"]))
    first, second, third = nodes
    with contextlib.ExitStack() as world:
        for node in nodes:
            (node.folder / "backup.toml").write_text(f'to = "{node.backups}"\ndaily = 1\nweekly = 0\n')
            world.enter_context(small_disk(node.backups))
        members = [world.enter_context(contextlib.ExitStack()) for _ in nodes]
        for node, member in zip(nodes, members, strict=True):
            member.enter_context(node.runs())
        for node in nodes:
            node.serves()
        made = dict[str, KeeperNode]()

        def look(count: int) -> None:
            """One for each day so far was made, and the newest of each node is there."""
            there = {name: node for node in nodes for name in backups(node)}
            made.update(there)
            assert len(made) == count, made.keys()
            assert all(len(backups(node)) <= 1 for node in nodes), there
            assert all(
                max(name for name in made if made[name] is node) == name for name, node in there.items()
            )

        for count, day in enumerate(DAYS, 1):
            if day == DAYS[2]:
                # Two disks are full, and both nodes try first.
                for node in (first, second):
                    (node.backups / "filling").write_bytes(bytes(FILLING))
                    failed = scheduled(node, f"{day} 00:05", zone)
                    assert failed.returncode == 1
                    assert "has too little space" in failed.stderr
                    assert noted(node).startswith("failed 2027-01-0")
                    # Beside the last one that was made.
                    assert "\nmade 2027-01-0" in noted(node)
            if day == DAYS[3]:
                for node in (first, second):
                    (node.backups / "filling").unlink()
                members[1].close()
            if day == DAYS[4]:
                members[1].enter_context(second.runs())
                second.serves()
            for time in TIMES:
                done = on_all(nodes, f"{day} {time}", zone)
                look(count)
                if (day, time) == (DAYS[2], TIMES[0]):
                    # One with a full disk may have been the first again.
                    assert done[2].returncode == 0, done[2].stderr
                    continue
                assert [one.returncode for one in done] == [0, 0, 0], [one.stderr for one in done]
                for node in nodes:
                    assert (noted(node).startswith("made "), noted(node).count("\n")) == (True, 1)
        # Those of three nodes, of which one at least made two of five.
        left = [node.backups / name for node in nodes for name in backups(node)]
        assert len(left) < len(DAYS)
        for node in nodes:
            if backups(node):
                assert node.done("backup", "verify").count(": intact\n") == 1
        assert third.etcdctl("get", "/etcd-ha/backup/running") == ""
