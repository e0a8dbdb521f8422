"""Machines with Debian's cloud-init become a cluster by user-data of `cluster cloud-init` alone."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from tests.support.documents import Followed, find_how_to
from tests.support.machines.cluster import Cluster
from tests.support.machines.lab import boot
from tests.support.machines.machine import Machine
from tests.support.machines.site import EXAMPLE, Site

BOOTED, QUORUM = 180, 60
CHECK = "etcd-deb cluster check cluster.yaml"


def three_machines() -> Followed:
    """The how-to from its second step on: the first describes the example without Patroni."""
    steps = Followed(find_how_to("three-machines.md"), lambda text: text)
    example = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    assert yaml.safe_load(steps.take("1. Describe the cluster")) | {"patroni": example["patroni"]} == example
    return steps


@pytest.fixture(scope="module")
def members(site: Site) -> list[Machine]:
    """Three machines with nothing but the user-data, after their first boot."""
    site.desk.types(three_machines().take("2. Make the files"))
    machines = site.machines(3)
    boot(machines, within=BOOTED)
    Cluster(machines).wait_for_quorum(within=QUORUM)
    return machines


def assert_done(machine: Machine) -> None:
    """cloud-init has done all of its user-data, and is content with it."""
    said = json.loads(machine.run("cloud-init", "status", "--format=json").stdout)
    assert (said["status"], said["errors"], said["recoverable_errors"]) == ("done", [], {})
    assert machine.run("hostname").stdout.strip() == machine.name


def test_three_bare_machines_form_the_cluster_of_the_example_with_tls(
    site: Site, members: list[Machine]
) -> None:
    for machine in members:
        assert_done(machine)
        assert "http://apt.example.org trixie/3.6" in machine.run("apt-cache", "policy", "etcd-ha").stdout
    said = site.desk.types(CHECK)
    assert [line.split()[:2] for line in said.splitlines()[1:4]] == [
        [machine.name, f"https://{machine.address}:2379"] for machine in members
    ]
    assert said.endswith("\nAll is well.\n")


# The nodes of five-nodes.md, and what they are here, where pg1 to pg3 are members already.
THERE = ("etcd1", "etcd2", "etcd3", "pg1", "pg2", *(f"192.168.6.{number}" for number in (21, 22, 23, 10, 11)))
HERE = ("pg1", "pg2", "pg3", "pg4", "pg5", *(f"192.168.6.{number}" for number in range(10, 15)))


def five_nodes_here(text: str) -> str:
    here = dict(zip(THERE, HERE, strict=True))
    return re.sub("|".join(rf"\b{re.escape(there)}\b" for there in THERE), lambda found: here[found[0]], text)


@pytest.mark.soak
def test_two_machines_that_are_clients_alone_write_and_read_through_three_members_elsewhere(
    site: Site, members: list[Machine]
) -> None:
    steps = Followed(find_how_to("five-nodes.md"), five_nodes_here)
    repository = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))["repository"]
    site.desk.writes("cluster.yaml", steps.take("1. Describe") + yaml.dump({"repository": repository}))
    site.desk.types(steps.take("2. Make the files") + "etcd-deb cluster cloud-init cluster.yaml")
    clients = site.machines(2)
    boot(clients, within=BOOTED)
    for client in clients:
        assert_done(client)
        assert client.run("ls", "/etc/etcd", "/etc/etcd/tls").stdout.split() == [
            *("/etc/etcd:", "tls", "/etc/etcd/tls:", "ca.crt", "root.crt", "root.key")
        ]
        assert client.run("systemctl", "is-active", "etcd", check=False).stdout.strip() == "inactive"
    first, second = clients
    look = steps.take("3. Check the members")
    assert first.run("sh", "-ec", look).stdout.count("is healthy") == len(members)
    # Everything but what is asked, with Patroni's files, as the account that it runs by.
    of_patroni = look.removesuffix("endpoint health\n").replace("/etc/etcd", "/etc/patroni")
    of_patroni = of_patroni.replace("/root.", "/client.")
    for client, asked, answer in (
        (first, f"put leader {first.name}", "OK"),
        (second, "get leader --print-value-only", first.name),
        (first, "del leader", "1"),
    ):
        typed = ("runuser", "-u", "postgres", "--", "sh", "-ec", of_patroni + asked)
        assert client.run(*typed).stdout == f"{answer}\n"
    assert site.desk.types(CHECK).endswith("\nAll is well.\n")
    steps.is_done()
