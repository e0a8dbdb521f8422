"""Names and addresses that do not fit the host: named at the question, at the installation and by lint."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.machines.cluster import Cluster, is_healthy, is_serving, preseed
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.advice import follow
from tests.system.service import service
from tests.system.terminal import ENTER, terminal
from tests.system.test_status import screen, status

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

FILE = "/etc/etcd/etcd.yaml"
HOSTS = "/etc/hosts"


def lint(machine: Machine) -> str:
    return machine.run("etcd-ha", "config", "lint", check=False).stdout


def follow_hosts_advice(machine: Machine, said: str) -> None:
    """Replace the line that the message quotes by the one that it ends with."""
    quoted, _, line = said.partition('replace the line "')[2].partition('" with: ')
    before = machine.get(HOSTS)
    assert quoted in before
    machine.put(HOSTS, before.replace(quoted, line.split("\n")[0]))


def test_own_name_that_leads_to_loopback_is_named_and_the_member_is_asked_where_it_listens(
    nodes: Nodes, package: Package
) -> None:
    machines = nodes(3)
    names = ",".join(machine.name for machine in machines)
    cluster = Cluster(machines, {"members": names})
    first = machines[0]
    # As Debian's installer writes it, on each node for its own name.
    for machine in machines:
        own = f"{machine.address} {machine.name}\n"
        hosts = machine.get(HOSTS)
        assert own in hosts
        machine.put(HOSTS, hosts.replace(own, f"127.0.1.1 {machine.name}\n"))
    said: dict[str, str] = {}
    for machine in machines:
        preseed(machine, cluster.answers(machine))
        said[machine.name] = machine.install(package("3.6.16")).stdout
    wait_for("a quorum", lambda: status(first)[0]["quorum"], within=30)
    assert {member["health"] for member in status(first)[0]["members"]} == {"healthy"}
    everybody = ("etcdctl", "endpoint", "health", "--cluster")
    assert first.run(*everybody, check=False).returncode != 0
    for machine in machines:
        leads = f"{machine.name}, the name of this node, resolves to 127.0.1.1 here"
        found = f"{leads}, but etcd listens on {machine.address}."
        assert found in said[machine.name]
        assert found in lint(machine)
        follow_hosts_advice(machine, lint(machine))
        assert lint(machine) == ""
    assert first.run(*everybody).stdout.count("is healthy") == 3


@pytest.mark.soak
def test_name_of_another_member_that_leads_nowhere_or_to_loopback_is_named(
    nodes: Nodes, package: Package
) -> None:
    (node,) = nodes(1)
    node.put(HOSTS, node.get(HOSTS) + "127.0.1.1 pg2\n")
    preseed(
        node,
        {
            "setup": "cluster",
            "address": node.address,
            "members": f"{node.name}={node.address},pg2,pg3=pg3.invalid",
        },
    )
    said = node.install(package("3.6.16")).stdout
    assert "warning: pg2, the name of another member, resolves to 127.0.1.1 here." in said
    assert "warning: pg3.invalid does not resolve to an address here." in said


@pytest.mark.soak
def test_address_that_the_node_does_not_have_is_named_and_another_can_be_given(
    nodes: Nodes, package: Package
) -> None:
    (node,) = nodes(1)
    preseed(node, {"setup": "single", "address": "10.66.0.99"})
    said = node.install(package("3.6.16")).stdout
    assert "etcd is configured to listen on 10.66.0.99, but this node has no such address" in said
    assert "cannot assign requested address" in said
    assert "cannot assign requested address" in screen(node)
    preseed(node, {"address": node.address})
    follow(lint(node), node, "dpkg-reconfigure etcd-ha", before="export DEBIAN_FRONTEND=noninteractive; ")
    wait_for("the member to be healthy", partial(is_healthy, node), within=30)
    assert lint(node) == ""


@pytest.mark.soak
def test_advertised_url_that_leads_elsewhere_is_named_with_the_command(
    nodes: Nodes, package: Package
) -> None:
    (node,) = nodes(1)
    preseed(node, {"setup": "single", "address": node.address})
    node.install(package("3.6.16"))
    wait_for("the member to be healthy", partial(is_healthy, node), within=30)
    node.run("etcd-ha", "config", "set", "advertise-client-urls", "http://10.66.0.99:2379")
    said = lint(node)
    assert f"other members reach this node at 10.66.0.99, but etcd listens on {node.address}" in said
    assert is_serving(node)
    follow(said, node, "etcd-ha config set advertise-client-urls")
    assert lint(node) == ""
    follow(said, node, "etcd-ha reset", after=" --yes")
    assert service(node).active == "inactive"


@pytest.mark.soak
def test_doubtful_answers_are_explained_once_and_taken_when_given_again(
    nodes: Nodes, package: Package
) -> None:
    (node,) = nodes(1, "trixie", "libterm-readline-gnu-perl")
    node.put("/root/etcd-ha.deb", package("3.6.16"))
    hosts = node.get(HOSTS)
    node.put(HOSTS, hosts.replace(f"{node.address} {node.name}\n", f"127.0.1.1 {node.name}\n"))
    install = ("apt-get", "-q", "-y", "--no-install-recommends", "install", "/root/etcd-ha.deb")
    with terminal(node, *install, frontend="readline", priority="medium") as dialogue:
        dialogue.sees("Setup of etcd on this node: ")
        dialogue.types("1")
        dialogue.sees("Name of this node: ")
        dialogue.keys(ENTER)
        dialogue.sees("IP address of this node: ")
        dialogue.types("10.66.0.99")
        dialogue.sees("This node has another IP address", f"it has {node.address}", "please enter it again")
        dialogue.sees("Name of this node: ")
        dialogue.keys(ENTER)
        dialogue.sees("IP address of this node: ")
        dialogue.types(node.address)
        dialogue.sees("Members of the cluster: ")
        dialogue.types(f"{node.name}=10.66.0.98")
        dialogue.sees("The URL of this node points elsewhere", "please enter the list again")
        dialogue.sees("Members of the cluster: ")
        dialogue.types(node.name)
        dialogue.sees("The name of this node resolves to a loopback address", "please enter the list again")
        dialogue.sees("Members of the cluster: ")
        dialogue.keys(ENTER)
        dialogue.sees("State of the cluster: ")
        dialogue.keys(ENTER)
        dialogue.sees("Token of the cluster: ")
        dialogue.keys(ENTER)
        dialogue.sees("Data directory: ")
        dialogue.keys(ENTER)
        dialogue.sees("Encrypt the traffic with TLS? ")
        dialogue.types("no")
        dialogue.sees("Make a backup of the cluster every day? ")
        dialogue.types("no")
        dialogue.ends()
    assert f"initial-cluster: {node.name}=http://{node.name}:2380\n" in node.get(FILE)
