"""What every command of the keeper's refuses alike; real etcd on loopback."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.package.node.keeper.nodes import Node, planned, running
from tests.package.node.keeper.space import compact, fill
from tests.package.node.node_shell import TEMPLATE

# A way to use each that would change something.
USES = (
    ("auth", "add-user", "17-main", "/postgresql-common/17-main/"),
    ("auth", "enable", "--yes"),
    ("backup",),
    ("defrag", "--yes"),
    ("downgrade", "--yes", "3.5"),
    ("join", "--yes"),
    ("leave", "--yes"),
    ("restore", "--yes", "snapshot.db"),
    ("tls", "disable", "--yes"),
    ("tls", "enable", "--yes"),
)
# Reads the files of root, and is another user.
NOBODY = (
    *(
        "setpriv",
        "--reuid=65534",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
    ),
    "--",
)


def named(use: Sequence[str]) -> str:
    return " ".join(use[:2])


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Node]]:
    """Members that stay what they are; a database has space to give back."""
    with running(planned(tmp_path_factory.mktemp("three"), "3.6.16", 3), 3) as found:
        assert fill(found[0], 12) == 12
        compact(found)
        yield found


def state(node: Node) -> tuple[str, dict[str, str], str, int]:
    """What these commands would change."""
    file = (node.folder / "etcd.yaml").read_text()
    return file, node.members(), node.etcdctl("auth", "status"), node.pid


def test_every_command_that_changes_a_cluster_is_here() -> None:
    modules = (TEMPLATE / "node/etcd_ha/commands").glob("[a-z]*.py")
    only_looks = {"check"}
    assert {use[0] for use in USES} == {path.stem for path in modules} - only_looks


@pytest.mark.parametrize("use", USES, ids=named)
def test_nobody_but_root_changes_a_cluster(three: Sequence[Node], use: Sequence[str]) -> None:
    first = three[0]
    before = state(first)
    done = subprocess.run(
        [*NOBODY, "sh", str(TEMPLATE / "node/commands" / use[0]), *use[1:]],
        env=first.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        1,
        f"etcd-ha: error: only root can do this\nhint: as root: etcd-ha {' '.join(use)}\n",
    )
    assert state(first) == before


@pytest.mark.parametrize("use", USES, ids=named)
def test_a_command_beside_another_one_on_the_node_is_refused_and_that_one_is_named(
    three: Sequence[Node], use: Sequence[str]
) -> None:
    first = three[0]
    before = state(first)
    with (first.folder / "etcd-ha.keeper.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("etcd-ha leave (process 4711)")
        lock.flush()
        done = first.tool(*use)
    assert done.returncode == 1, done.stdout
    assert "error: etcd-ha leave (process 4711) is running on this node" in done.stdout
    assert f"hint: after it has ended: etcd-ha {' '.join(use)}" in done.stdout
    assert state(first) == before


def begun(node: Node, use: Sequence[str], run: Path) -> subprocess.Popen[str]:
    """A use with a lock of its own, so that several wait for the cluster at the same time."""
    run.mkdir()
    return subprocess.Popen(
        ["sh", str(TEMPLATE / "node/commands" / use[0]), *use[1:]],
        env={**node.environment, "ETCD_HA_RUN": str(run)},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def test_without_a_quorum_every_command_on_members_says_so_and_which_are_missing(
    three: Sequence[Node], tmp_path: Path
) -> None:
    first, *others = three
    file = (first.folder / "etcd.yaml").read_text()
    for node in others:
        node.stop()
    try:
        # Two are for a node without a member or a lost cluster, and one judges certificates first.
        uses = [use for use in USES if use[0] not in ("join", "restore") and use[:2] != ("tls", "enable")]
        runs = {use: begun(first, use, tmp_path / named(use)) for use in uses}
        for use, process in runs.items():
            said, _ = process.communicate(timeout=120)
            assert process.returncode == 1, said
            assert "the cluster has no quorum" in said, use
            for node in others:
                assert f"{node.name} is not healthy: {node.url}: connection refused" in said, use
        assert (first.folder / "etcd.yaml").read_text() == file
        assert first.pid
    finally:
        for node in others:
            node.start()
        for node in others:
            node.serves()
