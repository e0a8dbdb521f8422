"""The cluster as the keeper's commands see and change it; real etcd on this machine's loopback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from etcd_ha.endpoint import Endpoint, Member, Status
from etcd_ha.identity import Identity
from etcd_ha.keeper.cluster import Cluster, NobodyAnswers, Refused
from etcd_ha.keeper.seen import Seen, quorum_faults
from etcd_ha.keeper.waiting import until

from tests.package.node.check.clusters import HOST, Loopback, planned, running
from tests.package.node.keeper.conftest import VERSIONS
from tests.support.wait import wait_for


@pytest.fixture(params=VERSIONS)
def members(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Loopback, ...]]:
    """Three that run, and one that does not yet."""
    found = tuple(replace(one, version=request.param) for one in planned(tmp_path, 4))
    with running(found[:3]):
        yield found
    found[3].stop()


def of(members: tuple[Loopback, ...]) -> Cluster:
    return Cluster([one.url for one in members], Identity())


def named(cluster: Cluster, name: str) -> Seen:
    return next(one for one in cluster.look() if one.member.name == name)


def leader(cluster: Cluster) -> Seen:
    return next(one for one in cluster.look() if one.is_leader)


def test_a_member_is_added_promoted_made_leader_and_removed(members: tuple[Loopback, ...]) -> None:
    cluster, new = of(members[:3]), members[3]

    def refused_to_add() -> str:
        try:
            cluster.add_learner([new.peer_url])
        except Refused as error:
            return error.said
        return ""

    # A cluster that has just formed takes nobody.
    until("a member more", 30, refused_to_add)
    (added,) = (one for one in cluster.members() if not one.name)
    assert added.is_learner
    assert added.peer_urls == (new.peer_url,)
    with pytest.raises(Refused, match="promoting"):
        cluster.promote(added)
    changed = replace(new, changed={"initial-cluster-state": "existing"})
    changed.start(",".join(f"{one.name}={one.peer_url}" for one in members))
    try:

        def refused_to_promote() -> str:
            try:
                cluster.promote(added)
            except Refused as error:
                return error.said
            return ""

        until("the learner's promotion", 30, refused_to_promote)
        wait_for("it to be seen", lambda: named(cluster, "pg4").is_healthy, within=10)
        there = named(cluster, "pg4").member
        cluster.move_leader(leader(cluster).url, there)
        wait_for("pg4 to lead", lambda: leader(cluster).member == there, within=10)
        cluster.remove(there)
        assert [one.name for one in cluster.members() if one.id == there.id] == []
        with pytest.raises(Refused, match="removing"):
            cluster.remove(there)
    finally:
        changed.stop()


def test_databases_are_compacted_defragmented_and_compared(members: tuple[Loopback, ...]) -> None:
    cluster = of(members[:3])
    endpoint = leader(cluster).endpoint
    assert endpoint is not None
    assert endpoint.status is not None
    cluster.compact(endpoint.status.revision)
    for one in cluster.look():
        cluster.defragment(one.url)
    hashes = {cluster.hash_at(one.url) for one in cluster.look()}
    assert len(hashes) == 1
    assert cluster.alarms() == frozenset()


def test_without_a_quorum_nobody_tells_and_nothing_is_changed(members: tuple[Loopback, ...]) -> None:
    cluster = of(members[:3])
    assert quorum_faults(cluster.look()) == ()
    seen = cluster.look()
    for one in members[:2]:
        one.stop()
    for question in (cluster.members, cluster.alarms):
        with pytest.raises(NobodyAnswers, match="the cluster has no quorum") as refused:
            question()
        (down,) = {detail for detail in refused.value.details if members[0].url in detail}
        assert down == f"pg1 is not healthy: {members[0].url}: connection refused"
    with pytest.raises(NobodyAnswers):
        Cluster([f"http://{HOST}:1"], Identity()).remove(seen[0].member)


def test_the_member_whose_loss_takes_the_quorum_is_named() -> None:
    def one(name: str, healthy: bool, learner: bool = False) -> Seen:
        return Seen(Member(name, name, (), (), learner), None) if not healthy else healthy_seen(name, learner)

    seen = [one("a", True), one("b", True), one("c", False)]
    assert quorum_faults(seen) == ()
    faults = quorum_faults(seen, without=seen[0].member)
    assert faults == (
        "2 of 2 voting members must be healthy; 1 are",
        "c is not healthy: it never started",
    )
    assert quorum_faults(seen, without=seen[2].member) == ()
    assert quorum_faults([*seen, one("d", True, learner=True)], without=seen[0].member) == faults


def healthy_seen(name: str, learner: bool) -> Seen:
    status = Status(name, "c", "a", learner, 1, 1, None, 1, frozenset(), 1)
    return Seen(Member(name, name, (), (), learner), Endpoint("http://h:1", healthy=True, status=status))
