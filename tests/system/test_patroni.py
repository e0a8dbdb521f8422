"""Patroni on a cluster with TLS: the nodes are upgraded under load, and the primary's is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.support.machines.cluster import is_serving
from tests.support.machines.lab import Lab
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.patroni import (
    assert_no_failover,
    describe,
    has_replicas,
    install_certificates,
    leader,
    load,
    packages,
    query,
    set_up,
    transactions,
)
from tests.system.upgrades import is_pending, running_version, upgrade_all

Package = Callable[[str], Path]

# What is installed, and upgraded to: a patch, and a minor.
PATCH_AND_MINOR, MINOR = "3.6.7 3.6.16 3.7.3", "3.6.16 3.7.3"
# Seconds.
NEW_PRIMARY = 60


def upgraded_under_load(
    machines: Sequence[Machine], primary: Machine, debs: dict[str, Path], folder: Path
) -> int:
    """Each on all nodes in the same second: no failover, no failed transaction. How many there were."""
    output = folder / "pgbench.log"
    with load(primary, output):
        for version, deb in debs.items():
            upgrade_all(machines, deb)
            assert [running_version(machine) for machine in machines] == [version] * 3
            assert not any(map(is_pending, machines))
    assert_no_failover(machines, primary)
    processed = transactions(output)
    assert int(query(primary, "select count(*) from pgbench_history")) == processed
    return processed


def cut_off(lab: Lab, primary: Machine, others: Sequence[Machine]) -> tuple[Machine, float]:
    """Pull the primary's cable; the next one, and the seconds until it was the primary."""
    by_name = {one.name: one for one in others}
    lab.network.cut_off(primary.name)
    begin = time.monotonic()
    new = wait_for("a new primary", lambda: by_name.get(leader(others[0])), within=NEW_PRIMARY)
    return new, time.monotonic() - begin


@pytest.mark.timeout(900)
@pytest.mark.soak
@pytest.mark.parametrize("versions", [MINOR, *[PATCH_AND_MINOR] * 5])
def test_patroni_keeps_its_primary_over_upgrades_and_replaces_one_that_is_cut_off(
    lab: Lab, package: Package, tmp_path: Path, versions: str
) -> None:
    installed, *newer = versions.split()
    machines = lab.nodes(3, "trixie", *packages("17"))
    describe(machines, tmp_path, "17", "tls: {authority: own}")
    install_certificates(machines, tmp_path)
    set_up(machines, package(installed), tmp_path)
    wait_for("a primary and two replicas", partial(has_replicas, machines[0]), within=90)
    primary = next(one for one in machines if one.name == leader(machines[0]))
    others = [one for one in machines if one is not primary]
    debs = {version: package(version) for version in newer}
    processed = upgraded_under_load(machines, primary, debs, tmp_path)
    for machine in machines:
        wait_for(f"{machine.name} to serve", partial(is_serving, machine), within=30)
    machines[0].run("etcd-ha", "check")
    wait_for("two replicas", partial(has_replicas, machines[0]), within=30)
    new, seconds = cut_off(lab, primary, others)
    # Who is cut off has given up by then, and answers nothing or as a replica.
    assert query(primary, "select pg_is_in_recovery()", check=False) != "f"
    assert int(query(new, "select count(*) from pgbench_history")) == processed
    query(new, "create table written (after_the_cut int)")
    print(f"{processed} transactions, none failed; a new primary after {seconds:.1f} s")  # noqa: T201
