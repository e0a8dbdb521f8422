"""A node that was destroyed with its disk is replaced by etcd-ha join, while a client writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clients.traffic import PAUSE, traffic
from tests.support.machines.cluster import etcdctl, is_healthy, preseed
from tests.support.machines.lab import Lab
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.upgrades import formed

Package = Callable[[str], Path]

# Seconds between two acknowledged writes, at most; a leader that vanishes would cost an election.
LONGEST_GAP = 0.5


def ids(machine: Machine) -> dict[str, str]:
    """Of the members, by their names."""
    rows = (line.split(", ") for line in etcdctl(machine, "member", "list").splitlines())
    return {row[2]: row[0] for row in rows}


def leads(machine: Machine) -> bool:
    (row,) = json.loads(etcdctl(machine, "endpoint", "status", "-w", "json"))
    return bool(row["Status"]["leader"] == row["Status"]["header"]["member_id"])


@pytest.mark.alone
@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", ["3.5.35", "3.6.16", "3.7.3"])
def test_a_node_destroyed_with_its_disk_is_replaced_under_a_writer(
    lab: Lab, package: Package, version: str
) -> None:
    machines = lab.nodes(3)
    first, second, third = machines
    cluster = formed(machines, package(version))
    before = ids(first)
    if leads(third):
        etcdctl(third, "move-leader", before[first.name])
        wait_for("another to lead", lambda: leads(first), within=10)
    with traffic(lab.network, cluster.urls, pause=PAUSE) as seen:
        lab.renew(third)
        preseed(third, cluster.answers(third))
        third.install(package(version))
        said = third.run("etcd-ha", "join", "--yes", within=240).stdout
        assert f"{third.name} is a member of the cluster, and healthy" in said, said
    assert seen.lost(third, {"ETCDCTL_ENDPOINTS": cluster.urls[2]}) == []
    assert seen.longest_gap < LONGEST_GAP, (seen.longest_gap, seen)
    after = ids(second)
    assert set(after) == set(before)
    assert {name for name in after if after[name] != before[name]} == {third.name}
    assert all(is_healthy(machine) for machine in machines)
