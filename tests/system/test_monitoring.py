"""docs/how-to/cluster/monitor.md on a node: its metrics from outside, and what a check on the node finds."""

from __future__ import annotations

from collections.abc import Callable

from tests.package.node.monitoring.test_metrics import NOT_IN_EACH, OWN, expressions, metrics_in
from tests.support.command import run
from tests.support.documents import Block, blocks, find_how_to
from tests.support.machines.cluster import etcdctl
from tests.support.machines.lab import Lab
from tests.support.machines.machine import Machine
from tests.system.how_to import follow

Nodes = Callable[..., list[Machine]]


def the(heading: str) -> str:
    found: list[Block] = [one for one in blocks(find_how_to("monitor.md")) if one.heading.startswith(heading)]
    assert len(found) == 1
    return found[0].text


def attention(machine: Machine) -> tuple[str, int]:
    """What the check of each node prints, and its status."""
    done = machine.run("sh", "-c", the("What no metric tells"), check=False)
    return done.stdout, done.returncode


def test_a_node_is_watched_by_the_how_to(lab: Lab, serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    assert attention(node) == ("", 0)
    follow(node, the("Let Prometheus reach").replace("192.168.6.10", node.address), within=120)
    url = f"http://{node.address}:2381/metrics"
    metrics = run(lab.network.command("curl", "-sf", url)).stdout
    named = set().union(*map(metrics_in, expressions())) - OWN - NOT_IN_EACH
    # Between members; there is only one.
    absent = {name for name in named if not any(line.startswith(name) for line in metrics.splitlines())}
    assert {name for name in absent if not name.startswith("etcd_network_peer_")} == set()
    assert attention(node) == ("", 0)

    node.run("etcd-ha", "config", "set", "heartbeat-interval", "150")
    said, status = attention(node)
    assert (said.count("\n"), status) == (1, 1), said
    assert "etcd-ha restart" in said
    node.run("install", "-D", "/bin/false", "/etc/etcd/backup-hook.d/fails")
    node.run("systemctl", "start", "etcd-ha-backup.service", check=False)
    assert "the last backup failed" in attention(node)[0]
    etcdctl(node, "alarm", "list")
    node.run("systemctl", "stop", "etcd")
    said, status = attention(node)
    assert (status, "the member, the quorum or an alarm" in said) == (1, True), said
