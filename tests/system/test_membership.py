"""A node and the cluster that knows it or not: messages whose commands are typed as they are printed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.machines.cluster import Cluster, etcdctl, is_healthy, preseed
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.advice import follow
from tests.system.service import service

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

FILE = "/etc/etcd/etcd.yaml"


def preflight(machine: Machine) -> str:
    return machine.run("etcd-ha", "preflight", check=False).stdout


def lose_data(machine: Machine) -> str:
    """What preflight says once the data is gone; the service stays down by its word."""
    machine.run("systemctl", "stop", "etcd")
    machine.run("sh", "-c", "rm -r /var/lib/etcd-ha/member")
    machine.run("systemctl", "start", "--no-block", "etcd")
    wait_for("etcd.service to fail", lambda: service(machine).active == "failed", within=20)
    said = preflight(machine)
    assert "this node was a member already" in said
    return said


def add(machine: Machine, said: str) -> None:
    """As the message says, a young cluster is asked again."""

    def is_added() -> bool:
        return "added to cluster" in follow(said, machine, " member add ", check=False)

    wait_for("the member to be added", is_added, within=15)


def replace(machine: Machine, said: str) -> None:
    """What the message says for a member whose data is lost."""
    follow(said, machine, " member remove ")
    add(machine, said)
    follow(
        said,
        machine,
        "config set initial-cluster ",
        "config set initial-cluster-state",
        "systemctl start etcd",
    )


def comes_back(machine: Machine) -> None:
    wait_for(f"{machine.name} to be healthy", partial(is_healthy, machine), within=30)
    assert etcdctl(machine, "get", "key").split() == ["key", "value"]


def join(machine: Machine, cluster: Cluster, deb: Path) -> None:
    """A further node, which the cluster has not been told of: the commands of preflight's message add it."""
    members = ",".join(f"{there.name}={there.address}" for there in (*cluster.machines, machine))
    preseed(machine, {**cluster.answers(machine), "members": members, "cluster-state": "existing"})
    machine.install(deb)
    said = preflight(machine)
    assert "the running members do not list this node" in said
    add(machine, said)
    follow(said, machine, "config set initial-cluster ", "config set initial-cluster-state")
    wait_for(f"{machine.name} to be healthy", partial(is_healthy, machine), within=30)


@pytest.mark.soak
@pytest.mark.parametrize("version", ["3.5.35", "3.6.16", "3.7.3"])
def test_member_that_lost_its_data_comes_back_to_a_grown_and_to_a_shrunk_cluster(
    nodes: Nodes, serving: Nodes, package: Package, version: str
) -> None:
    deb = package(version)
    cluster, (more,) = Cluster(serving(3, version)), nodes(1)
    first, second, lost = cluster.machines
    etcdctl(first, "put", "key", "value")
    join(more, cluster, deb)
    replace(lost, lose_data(lost))
    comes_back(lost)
    # Its file has four members now, the cluster three.
    (gone,) = (
        line.split(", ")[0]
        for line in etcdctl(first, "member", "list").splitlines()
        if f", {second.name}, " in line
    )
    etcdctl(first, "member", "remove", gone)
    replace(lost, lose_data(lost))
    comes_back(lost)
    assert set(cluster.members(first)) == {first.name, lost.name, more.name}


@pytest.mark.soak
@pytest.mark.parametrize("version", ["3.5.16", "3.7.3"])
def test_member_of_a_cluster_that_was_formed_just_now_comes_back(
    nodes: Nodes, package: Package, version: str
) -> None:
    cluster = Cluster(nodes(3))
    cluster.install(package(version))
    first, _, lost = cluster.machines
    wait_for("the cluster to form", partial(is_healthy, lost), within=30)
    etcdctl(first, "put", "key", "value")
    replace(lost, lose_data(lost))
    comes_back(lost)


@pytest.mark.soak
def test_node_that_was_added_after_its_file_was_written_joins_by_the_commands(
    nodes: Nodes, serving: Nodes, package: Package
) -> None:
    deb = package("3.6.16")
    cluster, (late,) = Cluster(serving(3, "3.6.16")), nodes(1)
    first = cluster.machines[0]
    etcdctl(first, "put", "key", "value")
    wait_for(
        "the new member",
        lambda: (
            "added to cluster"
            in etcdctl(
                first, "member", "add", late.name, f"--peer-urls=http://{late.address}:2380", check=False
            )
        ),
        within=15,
    )
    # The answers of a cluster of two that is still to form.
    members = f"{first.name}={first.address},{late.name}={late.address}"
    preseed(late, {**cluster.answers(late), "members": members, "cluster-state": "new"})
    said = late.install(deb).stdout
    assert "etcd does not start" in said
    said = preflight(late)
    assert "this node was added to a cluster, but /etc/etcd/etcd.yaml does not match it" in said
    follow(said, late, "config set initial-cluster ", "config set initial-cluster-state")
    # By itself: the file is read again.
    comes_back(late)


@pytest.mark.soak
def test_node_with_the_name_of_another_member_gets_its_own_and_joins(
    nodes: Nodes, serving: Nodes, package: Package
) -> None:
    deb = package("3.6.16")
    cluster, (more,) = Cluster(serving(3, "3.6.16")), nodes(1)
    first, second, namesake = cluster.machines
    etcdctl(first, "put", "key", "value")
    others = f"{first.name}={first.address},{second.name}={second.address}"
    wrong = {"node-name": namesake.name, "members": f"{others},{namesake.name}={more.address}"}
    preseed(more, {**cluster.answers(more), **wrong, "cluster-state": "existing"})
    more.install(deb)
    said = preflight(more)
    assert f"a member with this node's name, {namesake.name}, is at http://{namesake.address}:2380" in said
    members = f"{others},{namesake.name}={namesake.address},{more.name}={more.address}"
    preseed(more, {"node-name": more.name, "members": members})
    # Nobody has told the others of it yet: the start fails once more, and says how.
    silent = "export DEBIAN_FRONTEND=noninteractive; "
    follow(said, more, "dpkg-reconfigure etcd-ha; systemctl start etcd", before=silent, check=False)
    said = preflight(more)
    assert "the running members do not list this node" in said
    add(more, said)
    follow(said, more, "config set initial-cluster ", "config set initial-cluster-state")
    comes_back(more)
