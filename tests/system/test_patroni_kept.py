"""Patroni's primary stays who it is, and no transaction fails, through what is done to a living etcd."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.support.machines.lab import Lab
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.how_to import HowTo, follow, walk
from tests.system.patroni import (
    assert_no_failover,
    change_file,
    describe,
    has_replicas,
    install_certificates,
    install_client_files,
    leader,
    load,
    packages,
    query,
    set_up,
    transactions,
)

Package = Callable[[str], Path]

# Debian 13's Patroni can't do with authentication; this is the first of Debian's that can.
SUITE, POSTGRESQL, VERSION = "forky", "18", "3.6.16"
CREDENTIALS = "/etc/etcd/credentials"


def here(command: str) -> str:
    """A command of a how-to, whose PostgreSQL is 17."""
    return re.sub(r"\b17\b", POSTGRESQL, command)


def restart_patroni(machines: Sequence[Machine], before: str, each: str, after: str) -> None:
    """By the blocks of a how-to."""
    follow(machines[0], here(before))
    for machine in machines:
        follow(machine, here(each))
    wait_for("two replicas", partial(has_replicas, machines[0]), within=60)
    follow(machines[0], here(after))


def turn_tls_on(machines: Sequence[Machine], folder: Path) -> None:
    """By docs/how-to/cluster/turn-tls-on.md."""
    describe(machines, folder, POSTGRESQL, "tls: {authority: own}")
    install_certificates(machines, folder)
    install_client_files(machines)
    how_to = HowTo("turn-tls-on.md", machines)
    (begin,), (go_on,) = how_to.blocks("2. Take"), how_to.blocks("4. Go on")
    section, *steps = how_to.blocks("3. Change")
    said = walk(machines, begin, "protocol: https")[-1]
    assert all(line.strip() in said for line in section.splitlines())
    for machine in machines:
        change_file(machine, section)
    restart_patroni(machines, *steps)
    walk(machines, go_on, "All members use https alone.")


def turn_authentication_on(machines: Sequence[Machine]) -> None:
    """By docs/how-to/cluster/authentication.md."""
    how_to = HowTo("authentication.md", machines)
    ((add,), (enable,), (look,)) = map(how_to.blocks, ("1. Add", "2. Turn", "3. Copy"))
    said = follow(machines[0], here(add))
    section = "\n".join(re.findall(r"^  (?:username|password): .*$", said, re.MULTILINE))
    for machine in machines:
        change_file(machine, section)
    restart_patroni(machines, *HowTo("turn-tls-on.md", machines).blocks("3. Change")[1:])
    follow(machines[0], enable.replace("etcd-ha auth enable\n", "etcd-ha auth enable --yes\n"))
    for machine in machines[1:]:
        machine.put(CREDENTIALS, machines[0].get(CREDENTIALS))
        machine.run("chmod", "0600", CREDENTIALS)
        assert "Authentication is on" in follow(machine, look)
    for machine in machines:
        assert follow(machine, "etcd-ha check").endswith("All is well.\n")


def replace_member(machine: Machine) -> None:
    """Its data is gone, and it joins as a new one."""
    machine.run("systemctl", "stop", "etcd")
    machine.run("rm", "-r", "/var/lib/etcd-ha/member")
    machine.run("etcd-ha", "join", "--yes", within=240)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_patroni_keeps_its_primary_through_what_is_done_to_etcd(
    lab: Lab, package: Package, tmp_path: Path
) -> None:
    machines = lab.nodes(3, SUITE, *packages(POSTGRESQL))
    describe(machines, tmp_path, POSTGRESQL, "tls: {authority: none}")
    set_up(machines, package(VERSION), tmp_path)
    wait_for("a primary and two replicas", partial(has_replicas, machines[0]), within=90)
    primary = next(one for one in machines if one.name == leader(machines[0]))
    output = tmp_path / "pgbench.log"
    with load(primary, output):
        machines[0].run("etcd-ha", "backup", within=60)
        assert_no_failover(machines, primary)
        machines[0].run("etcd-ha", "defrag", "--yes", within=120)
        assert_no_failover(machines, primary)
        turn_tls_on(machines, tmp_path)
        assert_no_failover(machines, primary)
        # Its Patroni asks the others meanwhile.
        replace_member(primary)
        assert_no_failover(machines, primary)
        turn_authentication_on(machines)
        wait_for("two replicas", partial(has_replicas, machines[0]), within=60)
        assert_no_failover(machines, primary)
    assert int(query(primary, "select count(*) from pgbench_history")) == transactions(output)
