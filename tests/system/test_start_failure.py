"""A service that restarts again and again is told as such, with the reason, by postinst and status."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.machines.cluster import is_healthy, preseed
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.advice import follow
from tests.system.service import service
from tests.system.test_status import screen, status

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

CONFIG = "/etc/etcd/etcd.yaml"


# The bound of five seconds is for an idle machine, and no matter of these tests.
@pytest.fixture
def node(serving: Nodes) -> Machine:
    """A single node with a running member."""
    (machine,) = serving(1, "3.6.7")
    return machine


def served_ago(machine: Machine) -> float:
    """Seconds since the service was up."""
    words = ("systemctl", "show", "--property=ActiveExitTimestampMonotonic", "--value", "etcd")
    uptime = float(machine.run("cat", "/proc/uptime").stdout.split()[0])
    return uptime - int(machine.run(*words).stdout) / 1_000_000


def loops(machine: Machine) -> None:
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "--no-block", "etcd")
    # While a process of it lives, one that served just before is not said to loop.
    wait_for(
        "the service to restart again and again",
        lambda: service(machine).restarts >= 2 and served_ago(machine) > 30,
        within=90,
    )


def is_told(machine: Machine, deb: Path, reason: str) -> None:
    """At an upgrade, on the screen and to programs."""
    said = machine.install(deb).stdout
    (line,) = (line for line in said.splitlines() if "systemd keeps trying" in line)
    assert reason in line
    typed = follow(line, machine, "etcd-ha status; journalctl -u etcd")
    assert typed.count(reason) >= 2, "neither status nor the journal tells of it"
    text = screen(machine)
    assert "restarting repeatedly" in text
    assert reason in text
    found, code = status(machine)
    assert code == 1
    assert found["restarting"] is True
    assert (found["restarts"] or 0) >= 2
    assert reason in (found["failure"] or "")


def test_a_data_directory_that_is_not_there_is_told_and_made_by_the_command(
    node: Machine, package: Package
) -> None:
    node.run("etcd-ha", "config", "set", "data-dir", "/srv/none")
    loops(node)
    is_told(node, package("3.6.16"), "the directory /srv/none")
    # What preflight adds.
    follow(node.run("etcd-ha", "preflight", check=False).stdout, node, "install -d")
    wait_for("the member to be healthy", partial(is_healthy, node), within=30)
    assert status(node)[0]["restarting"] is False


@pytest.mark.soak
def test_a_full_disk_is_told(node: Machine, package: Package) -> None:
    node.run("systemctl", "stop", "etcd")
    node.run("install", "-d", "/srv/small")
    node.run("mount", "-t", "tmpfs", "-o", "size=1M,mode=0700", "tmpfs", "/srv/small")
    node.run("chown", "etcd:etcd", "/srv/small")
    node.run("etcd-ha", "config", "set", "data-dir", "/srv/small")
    loops(node)
    is_told(node, package("3.6.16"), "no space left on device")


@pytest.mark.soak
def test_a_member_that_waits_for_others_is_not_said_to_fail(nodes: Nodes, package: Package) -> None:
    (node,) = nodes(1)
    members = f"{node.name}={node.address},n8=10.66.0.98,n9=10.66.0.99"
    preseed(node, {"setup": "cluster", "address": node.address, "members": members})
    said = node.install(package("3.6.16")).stdout
    assert "systemd keeps trying" not in said
    assert "etcd is waiting for the network or for a majority of its members" in said
    assert "starting: waiting for the network" in follow(said, node, "etcd-ha status", check=False)
    assert "starting: waiting for the network or a majority of its members" in screen(node)
    found, code = status(node)
    assert (found["restarting"], found["failure"], code) == (False, None, 1)
