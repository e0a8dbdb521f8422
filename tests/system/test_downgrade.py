"""Three nodes go back by two minor versions, by etcd-ha downgrade and apt, while a client writes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.clients.traffic import PAUSE, traffic
from tests.support.machines.lab import Lab
from tests.support.machines.machine import Machine
from tests.system.advice import follow
from tests.system.upgrades import (
    SILENT,
    apt_install,
    formed,
    hand_over_file,
    is_pending,
    publish,
    running_version,
    wait_for_storage,
)

Package = Callable[[str], Path]

pytestmark = [pytest.mark.alone, pytest.mark.soak]

# Seconds between two acknowledged writes, at most; and while etcd takes a snapshot and changes the data
# of all members at the same moment, on a machine that may do other work.
LONGEST_GAP, LONGEST_GAP_OF_ETCD = 0.5, 2.0


def begin(machine: Machine, series: str, moments: list[float]) -> str:
    """What the command says; when it began and ended is added to the moments."""
    moments.append(time.time())
    said = machine.run("etcd-ha", "downgrade", series, "--yes", within=180).stdout
    moments.append(time.time())
    return said


def under_way(machine: Machine) -> tuple[bool | None, str | None]:
    said = json.loads(machine.run("etcd-ha", "status", "--json", check=False).stdout)
    return said["downgrade"], said["downgrade_target"]


def type_installation(machine: Machine, said: str) -> None:
    """The command that is printed."""
    follow(said, machine, "apt install -y --allow-downgrades etcd-ha=", before=SILENT, within=400)


def go_back(
    machines: Sequence[Machine], series: str, version: str, moments: list[float]
) -> tuple[float, float]:
    """On all nodes at the same time; when the installation began and ended."""
    said = begin(machines[0], series, moments)
    wait_for_storage(machines, series)
    assert {under_way(machine) for machine in machines} == {(True, series)}
    began = time.time()
    with ThreadPoolExecutor(len(machines)) as threads:
        list(threads.map(partial(type_installation, said=said), machines))
    ended = time.time()
    assert {running_version(machine) for machine in machines} == {version}
    assert not any(is_pending(machine) for machine in machines)
    done = machines[-1].run("etcd-ha", "downgrade", series, within=180)
    assert f"all members run {series}" in done.stdout
    return began, ended


@pytest.mark.timeout(900)
def test_two_minor_versions_back(lab: Lab, package: Package) -> None:
    machines = lab.nodes(3)
    first, second, third = machines
    cluster = formed(machines, package("3.7.3"))
    newer = hand_over_file(machines, package("3.7.3"))
    for machine in machines:
        publish(machine, *(package(version) for version in ("3.5.35", "3.6.16", "3.7.3")))
    wait_for_storage(machines, "3.7")
    moments = [time.time()]
    with traffic(lab.network, cluster.urls, pause=PAUSE) as seen:
        # Half-way, and then not.
        said = begin(first, "3.6", moments)
        type_installation(third, said)
        assert running_version(third) == "3.6.16"
        left = f"not there yet: {first.name} (3.7.3), {second.name} (3.7.3)"
        assert left in third.run("etcd-ha", "status").stdout
        refused = apt_install(third, newer, check=False)
        assert "etcd 3.7.3 is newer than 3.6, to which this cluster is being downgraded" in refused.stdout
        said = follow(refused.stdout, third, "etcd-ha downgrade --cancel")
        assert f"do not run 3.7 yet: {third.name} (3.6.16)" in said
        type_installation(third, said)
        wait_for_storage(machines, "3.7")
        installed = [
            go_back(machines, "3.6", "3.6.16", moments),
            go_back(machines, "3.5", "3.5.35", moments),
        ]
    assert seen.lost(first, {"ETCDCTL_ENDPOINTS": cluster.urls[0]}) == []
    moments.append(time.time())
    # By turns: up to a command, and while it runs.
    gaps = [seen.longest_gap_between(*part) for part in pairwise(moments)]
    assert max(gaps[::2]) < LONGEST_GAP, gaps
    assert max(gaps[1::2]) < LONGEST_GAP_OF_ETCD, gaps
    assert seen.samples > 100
    assert max(seen.most_down_between(*part) for part in installed) <= 1, seen
