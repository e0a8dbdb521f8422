"""etcd starts with the node, and not with a network that comes late or never."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.command import run
from tests.support.machines.cluster import Cluster, is_healthy, preseed
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.service import service

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

SOON = 15
HEALED = 10
STATIC = """\
[Match]
Name=eth0

[Network]
Address={address}/24
Gateway=10.66.0.1
"""
BY_DHCP = """\
[Match]
Name=eth1

[Network]
DHCP=yes
"""


def ip(node: Machine, *words: str) -> None:
    """Change the node's network from outside, also while it is off."""
    run(["nsenter", f"--net={node.endpoint.namespace}", "--", "ip", *words])


def interface_is_nobodys(_node: Machine) -> None:
    pass


def second_interface_is_unplugged(node: Machine) -> None:
    ip(node, "link", "add", "eth1", "type", "veth", "peer", "name", "unplugged")
    node.put("/etc/systemd/network/10-eth0.network", STATIC.format(address=node.address))
    node.put("/etc/systemd/network/20-eth1.network", BY_DHCP)


@pytest.mark.parametrize("arrange", [interface_is_nobodys, second_interface_is_unplugged])
def test_etcd_serves_soon_although_the_network_is_never_online(
    nodes: Nodes, package: Package, arrange: Callable[[Machine], None]
) -> None:
    (node,) = nodes(1)
    deb = package("3.6.16")
    arrange(node)
    node.run("systemctl", "enable", "--now", "systemd-networkd")
    preseed(node, {"setup": "single", "address": node.address})
    node.install(deb)
    wait_for("etcd after its installation", partial(is_healthy, node), within=SOON)
    node.reboot()
    wait_for("etcd after the boot", partial(is_healthy, node), within=SOON)
    node.run("systemctl", "start", "--no-block", "network-online.target")
    waiting = ("systemctl", "is-active", "systemd-networkd-wait-online")
    wait_for(
        "something that waits for the network",
        lambda: node.run(*waiting, check=False).stdout == "activating\n",
        within=5,
    )


def test_boot_where_the_address_comes_late_heals_by_itself(nodes: Nodes, package: Package) -> None:
    (node,) = nodes(1)
    preseed(node, {"setup": "single", "address": node.address})
    node.install(package("3.6.16"))
    wait_for("the member to be healthy", partial(is_healthy, node), within=SOON)
    node.poweroff()
    ip(node, "addr", "del", f"{node.address}/24", "dev", "eth0")
    node.boot()
    wait_for("etcd to have tried without an address", lambda: service(node).restarts >= 2, within=30)
    assert "cannot assign requested address" in node.journal("-u", "etcd", "-b")
    ip(node, "addr", "add", f"{node.address}/24", "dev", "eth0")
    come = time.monotonic()
    wait_for("the member to be healthy", partial(is_healthy, node), within=HEALED)
    assert time.monotonic() - come < HEALED


@pytest.mark.soak
def test_members_whose_names_resolve_late_form_their_cluster_by_themselves(
    nodes: Nodes, package: Package
) -> None:
    machines = nodes(2)
    hosts = machines[0].get("/etc/hosts")
    for machine in machines:
        machine.put("/etc/hosts", "127.0.0.1 localhost\n")
    members = ",".join(f"{machine.name}=http://{machine.name}:2380" for machine in machines)
    cluster = Cluster(machines, {"members": members})
    cluster.install(package("3.6.16"))
    for machine in machines:
        wait_for("etcd to have tried", lambda: service(machine).active == "activating", within=SOON)  # noqa: B023
        assert service(machine).status != 78
        machine.put("/etc/hosts", hosts)
    cluster.wait_for_quorum(within=45)
