"""The sandbox of the unit: how tight it is, and that etcd works in it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.faults.certificates import ANSWERS, CLIENT, hand_out
from tests.support.machines.cluster import preseed
from tests.support.machines.machine import Machine
from tests.support.sample import sampled
from tests.support.wait import wait_for

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

SUITES = ("bookworm", "trixie", "forky")


@pytest.mark.parametrize("suite", sampled(SUITES, "trixie"))
def test_unit_is_valid_and_exposes_little(nodes: Nodes, package: Package, suite: str) -> None:
    (node,) = nodes(1, suite)
    node.install(package("3.6.16"))
    assert node.run("systemd-analyze", "verify", "--man=no", "etcd.service").stdout == ""
    shown = node.run("systemd-analyze", "security", "etcd.service").stdout
    found = re.search(r"Overall exposure level for etcd.service: ([0-9.]+)", shown)
    assert found is not None, shown
    assert float(found.group(1)) <= 1.2


@pytest.mark.soak
@pytest.mark.parametrize("suite", SUITES)
def test_tls_cluster_with_a_data_directory_elsewhere_works_in_the_sandbox(
    nodes: Nodes, package: Package, suite: str
) -> None:
    machines = nodes(3, suite)
    hand_out(machines)
    members = ",".join(f"{machine.name}={machine.address}" for machine in machines)
    for machine in machines:
        machine.run("install", "-d", "-m", "0777", "/srv/etcd")
        preseed(
            machine,
            {
                **{
                    "setup": "cluster",
                    "address": machine.address,
                    "members": members,
                    "data-dir": "/srv/etcd",
                },
                **ANSWERS,
            },
        )
        machine.install(package("3.6.16"))
    first = machines[0]
    client = {**CLIENT, "ETCDCTL_ENDPOINTS": f"https://{first.address}:2379"}

    def etcdctl(*arguments: str) -> str:
        return first.run("etcdctl", *arguments, env=client, check=False).stdout

    wait_for("a quorum over TLS", lambda: "is healthy" in etcdctl("endpoint", "health"), within=30)
    assert etcdctl("put", "key", "value").strip() == "OK"
    assert etcdctl("get", "key").split() == ["key", "value"]
    assert "Snapshot saved at /root/snapshot.db" in etcdctl("snapshot", "save", "/root/snapshot.db")
    assert "Finished defragmenting" in etcdctl("defrag")
    assert first.run("ls", "/srv/etcd").stdout.split() == ["member"]
