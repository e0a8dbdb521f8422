"""The leader's node stops or reboots: what a client that writes without pause notices."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.clients.traffic import Traffic, traffic
from tests.support.machines.cluster import Cluster
from tests.support.machines.lab import Lab
from tests.support.machines.machine import Machine
from tests.system.upgrades import mark_begin, no_election_timed_out

Nodes = Callable[..., list[Machine]]
# Seconds.
LONGEST_GAP = 0.7


def leader(machines: list[Machine]) -> Machine:
    """The node that leads."""
    name = (
        machines[0]
        .run("sh", "-c", "etcd-ha status --json")
        .stdout.partition('"leader":"')[2]
        .partition('"')[0]
    )
    (found,) = (machine for machine in machines if machine.name == name)
    return found


@pytest.mark.alone
@pytest.mark.soak
@pytest.mark.parametrize("version", ["3.5.35", "3.6.16", "3.7.3"])
def test_leadership_moves_before_a_leader_is_stopped_or_its_node_reboots(
    lab: Lab, serving: Nodes, version: str
) -> None:
    cluster = Cluster(serving(3, version))
    machines = list(cluster.machines)
    mark_begin(machines)
    found = dict[str, Traffic]()
    for way in ("stop", "reboot"):
        node = leader(machines)
        with traffic(lab.network, cluster.urls) as found[way]:
            if way == "stop":
                node.run("systemctl", "stop", "etcd")
                node.run("systemctl", "start", "etcd")
            else:
                node.reboot()
            cluster.wait_for_quorum(within=60)
        assert leader(machines) is not node
    print({way: (round(seen.longest_gap, 2), len(seen.failed)) for way, seen in found.items()})  # noqa: T201
    for seen in found.values():
        assert seen.lost(machines[0]) == []
        assert seen.longest_gap < LONGEST_GAP
    assert no_election_timed_out(machines)
