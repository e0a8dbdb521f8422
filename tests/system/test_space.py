"""Databases that are full, or have free space, under a client that writes all the time."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable

import pytest

from tests.support.clients.traffic import PAUSE, ROOT, traffic
from tests.support.command import run
from tests.support.machines.cluster import Cluster, etcdctl
from tests.support.machines.lab import Lab
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for

Nodes = Callable[..., list[Machine]]
# Seconds.
LONGEST_GAP = 1.0
MIB = 1 << 20


def fill(lab: Lab, cluster: Cluster, mebibytes: int) -> None:
    filler = [sys.executable, "-m", "tests.support.clients.filler", cluster.urls[0], str(mebibytes)]
    run(lab.network.command(*filler), cwd=ROOT, within=600)


def revision(machine: Machine) -> int:
    said = etcdctl(machine, "endpoint", "status", "-w", "fields")
    return int(re.findall(r'"Revision" : (\d+)', said)[0])


def sizes(machines: list[Machine], which: str = "DBSize") -> list[int]:
    said = [etcdctl(machine, "endpoint", "status", "-w", "fields") for machine in machines]
    return [int(re.findall(rf'"{which}" : (\d+)', one)[0]) for one in said]


def give_back_a_third(machines: list[Machine]) -> None:
    """Delete and compact so much of what fill() wrote; all members have to count it as free."""
    first = machines[0]
    etcdctl(first, "del", "filling/1", "filling/4", within=120)
    etcdctl(first, "compact", "--physical", str(revision(first)), within=300)

    def is_free() -> bool:
        # Only the member that was asked waits for it; the others count pages as free from a later write on.
        etcdctl(first, "put", "later", "write")
        pairs = zip(sizes(machines, "DBSizeInUse"), sizes(machines), strict=True)
        return all(used < 0.8 * whole for used, whole in pairs)

    wait_for("all members to have compacted", is_free, within=300)


# On the loopback: tests/package/node/keeper/test_defrag.py.
@pytest.mark.alone
@pytest.mark.soak
@pytest.mark.parametrize("version", ["3.5.35", "3.6.16", "3.7.3"])
def test_one_command_lets_a_writer_go_on_after_nospace(lab: Lab, serving: Nodes, version: str) -> None:
    cluster = Cluster(serving(3, version, quota="32M"))
    machines = list(cluster.machines)
    first = machines[0]
    first.put("/root/big", "x" * 1_000_000)
    with traffic(lab.network, cluster.urls, pause=PAUSE) as seen:
        first.run("sh", "-c", "while etcdctl put big </root/big >/dev/null 2>&1; do :; done", within=120)
        assert "NOSPACE" in etcdctl(first, "alarm", "list")
        said = first.run("etcd-ha", "defrag", "--yes", within=120).stdout
        ended, known = time.time(), revision(first)
        assert "the alarm is cleared" in said
        assert etcdctl(first, "alarm", "list") == ""
        wait_for("the writer to go on", lambda: revision(first) > known + 100, within=20)
    after = [moment for moment in seen.acknowledged if moment > ended]
    assert max(sizes(machines)) < 16 * MIB
    assert after[0] - ended < LONGEST_GAP
    assert seen.longest_gap_between(after[0], after[-1]) < LONGEST_GAP
    assert seen.lost(machines[2]) == []


@pytest.mark.alone
@pytest.mark.timeout(1200)
@pytest.mark.soak
@pytest.mark.parametrize("mebibytes", [128, 1024])
def test_a_defragmentation_is_hardly_noticed_by_a_writer(lab: Lab, serving: Nodes, mebibytes: int) -> None:
    cluster = Cluster(serving(3, "3.6.16"))
    machines = list(cluster.machines)
    first = machines[0]
    fill(lab, cluster, mebibytes)
    # What stays has to be rewritten.
    give_back_a_third(machines)
    before = sizes(machines)
    assert min(before) >= mebibytes * MIB
    with traffic(lab.network, cluster.urls) as seen:
        said = first.run("etcd-ha", "defrag", within=900).stdout
    assert said.count(" defragmented from ") == 3, said
    print(f"{said}longest gap {seen.longest_gap:.2f} s, {len(seen.failed)} failed tries")  # noqa: T201
    assert all(after < 0.9 * old for old, after in zip(before, sizes(machines), strict=True))
    assert seen.longest_gap < LONGEST_GAP
    assert seen.lost(machines[2]) == []
