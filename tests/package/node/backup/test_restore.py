"""A cluster that lost all its members comes back from a backup, with every key of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from tests.package.node.backup.keeper_nodes import KeeperNode, running, three
from tests.support.releases.releases import NEWEST
from tests.support.sample import sampled
from tests.support.wait import wait_for

KEYS = 60


def revision_of(node: KeeperNode) -> int:
    said = node.etcdctl("endpoint", "status", "-w", "fields")
    return next(int(line.split()[-1]) for line in said.splitlines() if line.startswith('"Revision"'))


def write(node: KeeperNode, count: int, value: str) -> None:
    for number in range(count):
        node.etcdctl("put", f"/service/main/{number}", value)


def keys(node: KeeperNode) -> dict[str, str]:
    lines = node.etcdctl("get", "--prefix", "/service/").splitlines()
    return dict(zip(lines[::2], lines[1::2], strict=True))


def watch_since(node: KeeperNode, revision: int) -> str:
    """What a client is told that asks for all changes since a revision."""
    with suppress(subprocess.TimeoutExpired):
        return subprocess.run(
            [node.programs["etcdctl"], f"--endpoints={node.client_url}", "watch", f"--rev={revision}",
             "--prefix", "/service/"],
            capture_output=True, text=True, timeout=5, check=False, stdin=subprocess.DEVNULL,
        ).stderr  # fmt: skip
    return "still waiting"


def lose(node: KeeperNode) -> None:
    """The member's disk, new and empty."""
    subprocess.run(["rm", "-r", node.data], check=True)
    node.data.mkdir(mode=0o700)


@pytest.mark.parametrize("minor", sampled(NEWEST, "3.7"))
def test_all_three_come_back_from_the_newest_backup(
    minor: str, tmp_path: Path, programs_of: Callable[[str], Mapping[str, Path]]
) -> None:
    nodes = three(tmp_path, programs_of(NEWEST[minor]))
    first = nodes[0]
    with running(nodes):
        write(first, KEYS, "saved")
        saved, watched = keys(first), revision_of(first)
        (backup,) = nodes[1].done("backup").splitlines()
        write(first, 3, "after the backup")
        before = revision_of(first)
        assert nodes[1].done("backup", "verify") == f"{backup}: intact\n"
    for node in nodes:
        lose(node)
    for node in nodes:
        said = node.keeper("restore", "--yes", backup)
        assert not said.returncode, said.stderr
        assert node.data.stat().st_uid == (node.data / "member/snap/db").stat().st_uid
        assert {path.name for path in node.data.iterdir()} == {"member"}
    with running(nodes):
        for node in nodes:
            assert keys(node) == saved
            assert revision_of(node) > before
        assert "required revision has been compacted" in watch_since(first, watched)
        assert "another cluster" not in first.done("backup", "--dry-run")
        # Of a cluster that lives it is refused, unless it is this very restore.
        assert "cluster" in nodes[2].keeper("restore", "--yes", backup).stderr
        write(first, 1, "goes on")
        wait_for("the others to have it", lambda: keys(nodes[2])["/service/main/0"] == "goes on", within=10)
