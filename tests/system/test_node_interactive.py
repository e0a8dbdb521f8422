"""The questions, answered by a person with readline and with dialog, from the first to a running member."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.machines.cluster import is_healthy
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.terminal import ENTER, ESCAPE, PREVIOUS_QUESTION, terminal

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

FILE = "/etc/etcd/etcd.yaml"


def put(machine: Machine, deb: Path) -> tuple[str, ...]:
    """The command that installs the package, once it is on the node."""
    machine.put("/root/etcd-ha.deb", deb)
    return "apt-get", "-q", "-y", "--no-install-recommends", "install", "/root/etcd-ha.deb"


def wait_for_member(machine: Machine) -> None:
    wait_for("the member to be healthy", lambda: is_healthy(machine), within=20)


def test_readline_leads_to_a_member_over_a_step_back_and_a_rejected_address(
    nodes: Nodes, package: Package
) -> None:
    (node,) = nodes(1, "trixie", "libterm-readline-gnu-perl")
    with terminal(node, *put(node, package("3.6.16")), frontend="readline", priority="medium") as screen:
        screen.sees("Setup of etcd on this node: ")
        screen.types("1")
        screen.sees("Name of this node: ", node.name)
        screen.keys(PREVIOUS_QUESTION)
        screen.sees("Setup of etcd on this node: ")
        screen.types("2")
        screen.sees("Name of this node: ")
        screen.types("pg1")
        screen.sees("IP address of this node: ")
        screen.types("pg1.example.org")
        screen.sees("Unusable IP address", '"pg1.example.org" is not an IPv4 or IPv6 address')
        screen.sees("Name of this node: ", "pg1")
        screen.keys(ENTER)
        screen.sees("IP address of this node: ")
        screen.types(node.address)
        screen.sees("Data directory: ")
        screen.keys(ENTER)
        screen.sees("Encrypt the traffic with TLS? ")
        screen.types("no")
        screen.sees("Make a backup of the cluster every day? ")
        screen.types("no")
        screen.ends()
    wait_for_member(node)
    written = node.get(FILE)
    assert "name: pg1\n" in written
    assert f"initial-cluster: pg1=http://{node.address}:2380\n" in written


@pytest.mark.soak
def test_dialog_leads_to_a_member_over_a_step_back_and_a_rejected_list(
    nodes: Nodes, package: Package
) -> None:
    (node,) = nodes(1, "trixie", "whiptail")
    with terminal(node, *put(node, package("3.6.16")), frontend="dialog") as screen:
        screen.sees("Setup of etcd on this node:")
        screen.keys("c", ENTER)
        screen.sees("Members of the cluster:")
        screen.keys(ESCAPE)
        screen.sees("Setup of etcd on this node:")
        screen.keys(ENTER)
        screen.sees("Members of the cluster:")
        screen.keys(f"n1=ftp://{node.address}", ENTER)
        screen.sees("Unusable list of members")
        screen.keys(ENTER)
        screen.sees("Members of the cluster:")
        screen.keys("\x15", f"n1={node.address}", ENTER)
        screen.sees("State of the cluster:")
        screen.keys(ENTER)
        screen.ends()
    wait_for_member(node)
    assert f"initial-cluster: n1=http://{node.address}:2380\n" in node.get(FILE)


@pytest.mark.soak
def test_reconfiguration_shows_what_the_file_says_and_changes_what_is_answered(
    nodes: Nodes, package: Package
) -> None:
    (node,) = nodes(1, "trixie", "whiptail")
    command = put(node, package("3.6.16"))
    by_hand = (
        "# mine\nname: byhand\ndata-dir: /var/lib/etcd-ha\n"
        f"initial-cluster: byhand=http://{node.address}:2380\n"
        f"initial-advertise-peer-urls: http://{node.address}:2380\nlisten-peer-urls: http://{node.address}:2380\n"
        f"listen-client-urls: http://{node.address}:2379\nadvertise-client-urls: http://{node.address}:2379\n"
    )
    node.run("mkdir", "/etc/etcd")
    node.put(FILE, by_hand)
    with terminal(node, *command, frontend="dialog") as screen:
        screen.ends()
    wait_for_member(node)
    assert node.get(FILE) == by_hand
    with terminal(node, "dpkg-reconfigure", "etcd-ha", frontend="dialog", priority="low") as screen:
        screen.sees("Setup of etcd on this node:")
        screen.keys(ENTER)
        # The member exists, so neither its name nor the cluster is asked for.
        screen.sees("IP address of this node:", node.address)
        screen.keys(ENTER)
        screen.sees("Address for metrics and health checks:")
        screen.keys("127.0.0.1:2381", ENTER)
        for question in ("Heartbeat interval", "Election timeout", "Limit for the size", "History to keep"):
            screen.sees(question)
            screen.keys(ENTER)
        for question in (
            *("Restart after an upgrade", "Snapshot of the data", "Number of snapshots"),
            *("Make a backup of the cluster", "Delete the data of etcd"),
        ):
            screen.sees(question)
            screen.keys(ENTER)
        assert "etcd was restarted and serves again" in screen.ends()
    assert node.get(FILE) == by_hand + "listen-metrics-urls: http://127.0.0.1:2381\n"


def test_nothing_is_asked_and_nothing_hangs_at_priority_critical(nodes: Nodes, package: Package) -> None:
    (node,) = nodes(1, "trixie", "whiptail", "libterm-readline-gnu-perl")
    command = put(node, package("3.6.16"))
    for frontend in ("readline", "dialog"):
        with terminal(node, *command, frontend=frontend, priority="critical") as screen:
            assert "etcd is not configured and stays stopped" in screen.ends()
        node.run("dpkg", "--purge", "etcd-ha")
