"""The free space of databases goes back to their disks, and an alarm is cleared; real etcd on loopback."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from etcd_ha.commands.defrag import MIB, in_order, is_needy
from etcd_ha.endpoint import Endpoint, Member, Status
from etcd_ha.keeper.seen import Seen
from etcd_ha.keeper.slot import KEYS

from tests.package.node.keeper.conftest import VERSIONS
from tests.package.node.keeper.nodes import Node, leader_of, longest_gap, planned, running, writing
from tests.package.node.keeper.space import compact, fill, sizes
from tests.package.node.node_shell import LIBRARY
from tests.support.sample import sampled

LONGEST_GAP = 1.0
QUOTA = 24 * MIB


def seen(database: int, free: int, quota: int | None = 2 << 30, learner: bool = False) -> Seen:
    status = Status("1", "c", "1", learner, database, database - free, quota, 1, frozenset(), 1)
    return Seen(
        Member("1", "a", (), ("http://a:1",), learner), Endpoint("http://a:1", healthy=True, status=status)
    )


def test_a_database_is_defragmented_where_that_frees_enough() -> None:
    assert is_needy(seen(300 * MIB, 201 * MIB), True)
    assert not is_needy(seen(300 * MIB, 199 * MIB), True)
    assert is_needy(seen(300 * MIB, 199 * MIB), False)
    assert is_needy(seen(90 * MIB, 2 * MIB, quota=100 * MIB), True)
    # Full of live data: nothing comes of it.
    assert not is_needy(seen(90 * MIB, MIB - 1, quota=100 * MIB), True)
    assert not is_needy(seen(90 * MIB, MIB - 1), False)
    assert not is_needy(seen(300 * MIB, 250 * MIB, learner=True), False)
    assert not is_needy(Seen(Member("1", "a", (), (), False), None), False)
    # Without a quota that is known, the free bytes decide.
    assert not is_needy(seen(300 * MIB, 100 * MIB, quota=None), True)


def test_the_leader_is_last() -> None:
    leader = seen(MIB, 0)
    follower = Seen(Member("2", "b", (), ("http://b:1",), False), None)
    assert in_order([leader, follower]) == [follower, leader]


def test_the_queue_is_the_one_of_the_shell() -> None:
    assert f"TURN_KEYS={KEYS}\n" in (LIBRARY / "turn.sh").read_text()


@pytest.fixture(params=sampled(VERSIONS, "3.6.16"))
def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sequence[Node]]:
    """Three with a small quota, since a large one takes long to fill."""
    settings = {"quota-backend-bytes": str(QUOTA)}
    with running(planned(tmp_path, request.param, 3, **settings), 3) as found:
        yield found


def test_members_are_defragmented_one_by_one_under_a_writer_and_the_next_run_finds_nothing(
    nodes: Sequence[Node],
) -> None:
    first = nodes[0]
    assert fill(first, 40) == 40
    compact(nodes)
    before = sizes(nodes)
    plan = first.tool("defrag", "--dry-run")
    assert plan.stdout.count("would be defragmented") == 3, plan.stdout
    assert sizes(nodes) == before
    with writing(nodes) as acknowledged:
        done = first.tool("defrag", "--wait", "60")
    assert done.returncode == 0, done.stdout
    lines = [line for line in done.stdout.splitlines() if " defragmented from " in line]
    assert len(lines) == 3
    assert all(after < 2 * MIB < old for old, after in zip(before, sizes(nodes), strict=True))
    assert longest_gap(acknowledged) < LONGEST_GAP
    # The last is the one that had led, or got leadership in its turn.
    moved = [line for line in done.stdout.splitlines() if "moving leadership" in line]
    assert len(moved) == 1
    assert lines[-1].split(": ")[1] == moved[0].split()[4]
    again = first.tool("defrag")
    assert (again.returncode, again.stdout.count(": not needed")) == (0, 3)


def test_a_full_database_takes_writes_again_after_one_command(nodes: Sequence[Node]) -> None:
    first = nodes[0]
    assert fill(first, 400) < 400
    assert "NOSPACE" in first.etcdctl("alarm", "list")
    leader = leader_of(nodes)
    plan = first.tool("defrag", "--dry-run")
    assert "Alarm NOSPACE is raised" in plan.stdout
    refused = first.tool("defrag")
    assert refused.returncode == 1
    assert "not confirmed" in refused.stdout
    assert "NOSPACE" in first.etcdctl("alarm", "list")
    done = first.tool("defrag", "--yes")
    assert done.returncode == 0, done.stdout
    assert "the alarm is cleared, and a key was put, read and deleted" in done.stdout
    assert first.etcdctl("alarm", "list") == ""
    assert all(node.takes_writes() for node in nodes)
    assert max(sizes(nodes)) < 2 * MIB
    assert leader_of(nodes) is not leader


@pytest.mark.soak
def test_an_alarm_stays_where_keys_of_today_fill_the_quota(nodes: Sequence[Node]) -> None:
    first = nodes[0]
    count = fill(first, 400, 0)
    done = first.tool("defrag", "--yes")
    # What a defragmentation frees is used up too.
    while done.returncode == 0:
        assert count < 400
        count += fill(first, 400, count)
        done = first.tool("defrag", "--yes")
    assert done.returncode == 1, done.stdout
    assert "the current keys fill the quota of pg" in done.stdout
    assert f"etcd-ha config set quota-backend-bytes {2 * QUOTA} && etcd-ha restart --force" in done.stdout
    assert "NOSPACE" in first.etcdctl("alarm", "list")


def test_nothing_is_defragmented_while_a_member_is_down_or_its_data_differs(nodes: Sequence[Node]) -> None:
    first, _, third = nodes
    assert fill(first, 40) == 40
    compact(nodes)
    third.stop()
    before = sizes(nodes[:2])
    done = first.tool("defrag", "--wait", "1")
    assert done.returncode == 75, done.stdout
    assert "pg3 is unreachable" in done.stdout
    assert sizes(nodes[:2]) == before
    nodes[1].stop()
    done = first.tool("defrag")
    assert (done.returncode, "the cluster has no quorum" in done.stdout) == (1, True), done.stdout
