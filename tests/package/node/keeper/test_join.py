"""A node becomes a member, as a new one or in the place of its dead one; real etcd on loopback."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.package.node.keeper.conftest import VERSIONS
from tests.package.node.keeper.nodes import Node, longest_gap, lost, planned, running, writing
from tests.package.node.keeper.runs import killed
from tests.support.sample import sampled
from tests.support.wait import wait_for

LONGEST_GAP = 1.0
STEPS = (
    "removing the dead member",
    "adding this node as a learner",
    "writing the members into etcd.yaml",
    "starting etcd",
    "waiting until it has caught up",
    "is a member of the cluster",
)
# Seconds after a step was announced.
AFTER = (0.0, 0.1, 0.4, 1.0)
PLACES = [(step, after) for step in STEPS[:-1] for after in AFTER]


@pytest.fixture(params=sampled(VERSIONS, "3.6.16"))
def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sequence[Node]]:
    """Three members, and a node that has an etcd.yaml of its own and no etcd yet."""
    with running(planned(tmp_path, request.param, 4), 3) as found:
        yield found


@pytest.fixture
def four(tmp_path: Path) -> Iterator[Sequence[Node]]:
    """The same of one version, for what no version changes."""
    with running(planned(tmp_path, "3.6.16", 4), 3) as found:
        yield found


def destroy(node: Node) -> None:
    """With its disk."""
    node.stop()
    shutil.rmtree(node.data)


def is_whole(nodes: Sequence[Node]) -> bool:
    """Whether exactly these are members that vote."""
    return sorted(nodes[0].members().values()) == sorted(node.name for node in nodes)


def test_a_member_that_lost_its_disk_is_replaced_under_a_writer(nodes: Sequence[Node]) -> None:
    *others, lost_one = nodes[:3]
    (old,) = (id_ for id_, name in others[0].members().items() if name == "pg3")
    with writing(others) as acknowledged:
        destroy(lost_one)
        done = lost_one.tool("join", "--yes", "--wait", "60")
    assert done.returncode == 0, done.stdout
    assert [line.partition(": ")[2] for line in done.stdout.splitlines()][-1].startswith("pg3 is a member")
    assert is_whole(nodes[:3])
    assert old not in others[0].members()
    assert lost_one.takes_writes()
    assert lost(acknowledged, lost_one) == []
    assert longest_gap(acknowledged) < LONGEST_GAP
    again = lost_one.tool("join")
    assert (again.returncode, again.stdout) == (0, "etcd-ha: pg3 is a member of the cluster, and healthy\n")


def test_a_new_node_joins_from_the_address_of_one_other_alone(nodes: Sequence[Node]) -> None:
    first, new = nodes[0], nodes[3]
    shown = new.tool("join", "--dry-run", first.url)
    assert shown.returncode == 0, shown.stdout
    assert "to do: adding this node as a learner" in shown.stdout
    assert len(first.members()) == 3
    done = new.tool("join", first.address)
    assert done.returncode == 0, done.stdout
    assert is_whole(nodes)
    assert new.takes_writes()


@pytest.mark.parametrize(
    ("step", "after"),
    sampled(PLACES, (STEPS[0], 0.1), (STEPS[1], 0.4), (STEPS[3], 0.0)),
    ids=lambda value: str(value).replace(" ", "_"),
)
def test_a_join_that_was_killed_anywhere_goes_on_when_it_is_run_again(
    four: Sequence[Node], step: str, after: float
) -> None:
    *others, lost_one = four[:3]
    with writing(others) as acknowledged:
        destroy(lost_one)
        said = killed(lost_one, step, after, "join", "--yes")
        assert step in said
        done = lost_one.tool("join", "--yes")
    assert done.returncode == 0, said + done.stdout
    assert is_whole(four[:3])
    assert lost_one.takes_writes()
    assert lost(acknowledged, lost_one) == []


def test_the_dead_member_is_removed_after_a_question_only(four: Sequence[Node]) -> None:
    first, _, third = four[:3]
    destroy(third)
    before = first.members()
    done = third.tool("join")
    assert done.returncode == 1
    assert "not confirmed" in done.stdout
    assert (
        "does not answer, and its data is not on this node. It will be removed from the cluster."
        in done.stdout
    )
    assert first.members() == before


def test_the_name_of_a_healthy_member_and_its_place_are_refused(four: Sequence[Node]) -> None:
    first, _, third, new = four
    before = first.members()
    new.name = "pg2"
    new.write([first])
    done = new.tool("join", "--yes", first.url)
    assert done.returncode == 1
    assert f"another node, at {four[1].peer_url}, has a healthy member pg2" in done.stdout
    # It runs, and its data was moved away from under it.
    third.data.rename(third.folder / "moved")
    done = third.tool("join", "--yes", first.url)
    assert done.returncode == 1
    assert "is healthy, and its data is not here" in done.stdout
    assert first.members() == before


def test_a_newer_minor_version_than_that_of_all_members_is_refused(four: Sequence[Node]) -> None:
    first, new = four[0], four[3]
    new.version = "3.7.3"
    new.write([new])
    done = new.tool("join", "--yes", first.url)
    assert done.returncode == 1, done.stdout
    assert "etcd 3.7.3 on this node is newer than that of all members" in done.stdout
    assert "found     pg1 (3.6.16), pg2 (3.6.16), pg3 (3.6.16)" in done.stdout
    assert "hint: apt install -y --allow-downgrades 'etcd-ha=3.6.*'" in done.stdout
    assert len(first.members()) == 3


def test_without_a_quorum_the_member_that_is_missing_is_named(four: Sequence[Node]) -> None:
    first, second, third = four[:3]
    destroy(third)
    second.stop()
    done = third.tool("join", "--yes", first.url)
    assert done.returncode == 1
    assert "the cluster has no quorum" in done.stdout
    assert f"pg2 is not healthy: {second.url}: connection refused" in done.stdout


def test_data_of_another_cluster_is_set_aside(four: Sequence[Node]) -> None:
    first, new = four[0], four[3]
    new.write([new])
    new.start()
    new.serves()
    new.stop()
    asked = new.tool("join", first.url)
    assert (asked.returncode, "on this node will be renamed, and kept" in asked.stdout) == (1, True), (
        asked.stdout
    )
    done = new.tool("join", "--yes", first.url)
    assert done.returncode == 0, done.stdout
    assert is_whole(four)
    assert [path.name for path in new.data.glob("member.before-reset-*")]


def test_two_at_once_on_a_node_are_refused(four: Sequence[Node]) -> None:
    third = four[2]
    destroy(third)
    process = third.begin("join", "--yes")
    assert process.stdout is not None
    process.stdout.readline()
    done = third.tool("join", "--yes")
    assert done.returncode == 1
    assert f"etcd-ha join (process {process.pid}) is running on this node" in done.stdout
    process.communicate(timeout=120)
    wait_for("all three", lambda: is_whole(four[:3]), within=30)
