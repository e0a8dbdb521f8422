"""Members restart one after the other, and only while all others are well."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.support.clients.traffic import Traffic, traffic
from tests.support.clients.upgrade_run import LONGEST_GAP, WHOLE_TURN
from tests.support.faults.certificates import ANSWERS, CLIENT, hand_out
from tests.support.faults.versions import relabel
from tests.support.machines.cluster import Cluster, etcdctl, is_serving
from tests.support.machines.lab import Lab
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.advice import follow
from tests.system.service import service
from tests.system.upgrades import (
    QUEUE,
    apt_install,
    formed,
    hand_over_file,
    is_pending,
    mark_begin,
    no_election_timed_out,
    running_version,
    upgrade_all,
)

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

OLD, NEW = "3.6.7", "3.6.16"
# Seconds until the turn of who vanished is another's.
TURN_LOST = 90
# systemd runs it, and it ends at once.
CANT_START = '#!/bin/sh\n[ "$1" != --version ] || echo "etcd Version: 3.6.17"\nexit 1\n'


def check_clients(seen: Traffic, cluster: Cluster, client: dict[str, str]) -> None:
    """Nothing lost, never two members away, no gap that a client would call an outage."""
    endpoints = {"ETCDCTL_ENDPOINTS": cluster.urls[0], **client}
    assert seen.lost(cluster.machines[0], endpoints) == []
    assert seen.most_down <= 1
    assert seen.longest_gap <= LONGEST_GAP, seen.failed
    # The sampler is no judge if it hardly looked.
    assert seen.samples > 20


# Over http each step of the walk through all minors sees the same, and more: test_upgrade_walk.py.
@pytest.mark.alone
@pytest.mark.soak
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_all_members_upgraded_in_the_same_second_never_lose_the_quorum(
    lab: Lab, package: Package, tmp_path: Path, tls: bool
) -> None:
    machines = lab.nodes(3)
    certificates = tmp_path / "client" if tls else None
    if tls:
        hand_out(machines, certificates)
    cluster = formed(machines, package(OLD), ANSWERS if tls else {})
    hand_over_file(machines, package(NEW))
    mark_begin(machines)
    with traffic(lab.network, cluster.urls, certificates) as seen:
        begin = time.monotonic()
        said = upgrade_all(machines, package(NEW))
        assert time.monotonic() - begin <= WHOLE_TURN
    assert [running_version(machine) for machine in machines] == [NEW] * 3
    assert all("etcd was restarted and serves again" in text for text in said)
    assert not any(is_pending(machine) for machine in machines)
    check_clients(seen, cluster, CLIENT if tls else {})
    assert no_election_timed_out(machines)


@pytest.mark.alone
@pytest.mark.soak
def test_older_patch_of_the_same_minor_installs_and_restarts_in_turn(lab: Lab, package: Package) -> None:
    machines = lab.nodes(3)
    cluster = formed(machines, package(NEW))
    with traffic(lab.network, cluster.urls) as seen:
        upgrade_all(machines, package(OLD))
    assert [running_version(machine) for machine in machines] == [OLD] * 3
    check_clients(seen, cluster, {})


@pytest.mark.soak
@pytest.mark.parametrize("count", [2, 5])
def test_clusters_of_other_sizes_restart_in_turn(nodes: Nodes, package: Package, count: int) -> None:
    machines = nodes(count)
    cluster = formed(machines, package(OLD))
    upgrade_all(machines, package(NEW))
    assert [running_version(machine) for machine in machines] == [NEW] * count
    cluster.wait_for_quorum(within=20)


def take_a_version_that_cannot_start(machines: list[Machine], good: Path, folder: Path) -> None:
    """All members at once take a version that ends at its start: one is down by it, and no other restarts."""
    said = upgrade_all(machines, relabel(good, "3.6.17-1", folder, binary=CANT_START))
    down = [machine for machine in machines if not running_version(machine)]
    assert len(down) == 1
    for machine, text in zip(machines, said, strict=True):
        if machine in down:
            assert "etcd does not serve after its restart" in text
        else:
            assert f"etcd was not restarted: {down[0].name} is un" in text
            assert is_pending(machine)
            assert running_version(machine) == OLD


def test_version_that_cannot_start_takes_down_one_member_and_a_good_one_heals_all(
    nodes: Nodes, package: Package, tmp_path: Path
) -> None:
    machines = nodes(3)
    formed(machines, package(OLD))
    take_a_version_that_cannot_start(machines, package(NEW), tmp_path)
    # A patch that mends it is newer still.
    upgrade_all(machines, relabel(package(NEW), "3.6.18-1", tmp_path))
    Cluster(machines).wait_for_quorum(within=40)
    assert [running_version(machine) for machine in machines] == [NEW] * 3
    assert not any(is_pending(machine) for machine in machines)


@pytest.mark.alone
@pytest.mark.soak
def test_clients_hardly_notice_a_version_that_cannot_start(
    lab: Lab, serving: Nodes, package: Package, tmp_path: Path
) -> None:
    machines = serving(3, OLD)
    with traffic(lab.network, Cluster(machines).urls) as seen:
        take_a_version_that_cannot_start(machines, package(NEW), tmp_path)
        ended = time.time()
    assert seen.most_down == 1
    assert seen.longest_gap <= LONGEST_GAP
    assert ended - seen.acknowledged[-1] < 1


@pytest.mark.soak
def test_nobody_restarts_while_a_member_is_down(nodes: Nodes, package: Package) -> None:
    machines = nodes(3)
    cluster = formed(machines, package(OLD))
    *others, down = machines
    down.run("systemctl", "stop", "etcd")
    before = [service(machine).pid for machine in others]
    said = upgrade_all(others, package(NEW))
    assert [service(machine).pid for machine in others] == before
    assert all(f"etcd was not restarted: {down.name} is unreachable" in text for text in said)
    apt_install(down, hand_over_file([down], package(NEW)))
    assert service(down).pid == 0, "the upgrade started what the administrator had stopped"
    down.run("systemctl", "start", "etcd")
    cluster.wait_for_quorum(within=30)
    for machine in others:
        status = machine.run("etcd-ha", "status").stdout
        assert f"etcd {OLD} runs, {NEW} is installed" in status
        assert f"not restarted: {down.name} is unreachable" in status
        follow(said[others.index(machine)], machine, "etcd-ha restart")
        assert running_version(machine) == NEW
        assert not is_pending(machine)


def queue(machine: Machine) -> list[str]:
    """The names of those who wait, the owner of the turn first."""
    return etcdctl(machine, "get", "--prefix", QUEUE, "--sort-by=CREATE", "--print-value-only").split()


def caught_in_its_turn(cluster: Cluster, deb: Path) -> subprocess.Popen[bytes]:
    """The first follower has begun to upgrade and has the turn; its apt."""
    holder, other = cluster.machines[:2]
    where = hand_over_file([holder], deb)
    apt = holder.start(
        *("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "install", where),
        output=holder.console.with_suffix(".apt"),
    )
    wait_for(f"{holder.name} to have the turn", lambda: queue(other)[:1] == [holder.name], within=40)
    return apt


def leader_is_last(cluster: Cluster) -> None:
    """So that the first node's turn doesn't begin by letting others go first."""
    first, *_, last = cluster.machines
    ids = {row.split(", ")[2]: row.split(", ")[0] for row in etcdctl(first, "member", "list").splitlines()}
    for machine in cluster.machines:
        etcdctl(machine, "move-leader", ids[last.name], check=False)


@pytest.mark.soak
@pytest.mark.parametrize("fate", ["killed", "cut off"])
def test_turn_of_who_vanishes_goes_on_to_the_others(
    lab: Lab, serving: Nodes, package: Package, fate: str
) -> None:
    machines = serving(3, OLD)
    cluster = Cluster(machines)
    leader_is_last(cluster)
    holder, *others = machines
    hand_over_file(others, package(NEW))
    apt = caught_in_its_turn(cluster, package(NEW))
    if fate == "killed":
        pids = holder.run(
            "pgrep", "-f", "etcd-ha.postinst|/usr/lib/etcd-ha/restart", check=False
        ).stdout.split()
        # Some of them end by themselves meanwhile.
        holder.run("kill", "-KILL", *pids, check=False)
    else:
        lab.network.cut_off(holder.name)
    begin = time.monotonic()
    before = [service(machine).pid for machine in others]
    with ThreadPoolExecutor(1) as threads:
        upgrading = threads.submit(upgrade_all, others, package(NEW))
        if fate == "cut off":
            wait_for("the turn to pass", lambda: holder.name not in queue(others[0]), within=60)
            assert [service(machine).pid for machine in others] == before, (
                "a restart without the quorum it needs"
            )
            lab.network.mend(holder.name)
        said = upgrading.result()
    assert time.monotonic() - begin <= TURN_LOST
    apt.wait(timeout=400)
    assert all("etcd was restarted and serves again" in text for text in said)
    holder.run("dpkg", "--configure", "-a", env={"DEBIAN_FRONTEND": "noninteractive"}, within=400)
    cluster.wait_for_quorum(within=30)
    # What it could not do it has noted, and does when it is told to.
    if running_version(holder) != NEW:
        holder.run("etcd-ha", "restart", within=120)
    assert running_version(holder) == NEW


@pytest.mark.alone
@pytest.mark.soak
def test_ten_restarts_round_the_nodes_lose_nothing(lab: Lab, package: Package) -> None:
    machines = lab.nodes(3)
    cluster = formed(machines, package(NEW))
    with traffic(lab.network, cluster.urls) as seen:
        for number in range(10):
            machine = machines[number % 3]
            before = service(machine).pid
            machine.run("etcd-ha", "restart", within=120)
            assert service(machine).pid != before
    check_clients(seen, cluster, {})


@pytest.mark.soak
def test_cluster_with_authentication_needs_credentials(nodes: Nodes, package: Package) -> None:
    machines = nodes(3)
    cluster = formed(machines, package(OLD))
    first = machines[0]
    etcdctl(first, "user", "add", "root", "--new-user-password=secret")
    etcdctl(first, "user", "grant-role", "root", "root")
    etcdctl(first, "auth", "enable")
    before = [service(machine).pid for machine in machines]
    said = upgrade_all(machines, package(NEW))
    assert [service(machine).pid for machine in machines] == before
    assert all("the cluster requires a user: write USER:PASSWORD" in text for text in said)
    assert all(is_pending(machine) for machine in machines)
    for machine in machines:
        machine.put("/etc/etcd/credentials", "root:secret\n", "0600")
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(partial(Machine.run, within=120), machines, ["etcd-ha"] * 3, ["restart"] * 3))
    assert [running_version(machine) for machine in machines] == [NEW] * 3
    assert all(is_serving(machine) for machine in cluster.machines)


@pytest.mark.soak
def test_policy_never_keeps_the_process_and_each_run_of_apt_says_so(nodes: Nodes, package: Package) -> None:
    (node,) = nodes(1)
    formed([node], package(OLD), {"setup": "single", "restart-policy": "never"})
    before = service(node).pid
    due = f"etcd {OLD} runs, {NEW} is installed"
    said = apt_install(node, hand_over_file([node], package(NEW))).stdout
    assert f"{due}. To restart the member in turn: etcd-ha restart" in said
    file = f"/root/{package(NEW).name}"
    again = node.run("apt-get", "-y", "--reinstall", "install", file, within=120)
    assert service(node).pid == before
    assert f"{due}: etcd-ha restart (so far: restart-policy is never)" in again.stdout
    follow(said, node, "etcd-ha restart")
    assert running_version(node) == NEW
    assert not is_pending(node)


@pytest.mark.soak
def test_force_restarts_without_the_others(serving: Nodes) -> None:
    machines = serving(3, NEW)
    first, second, _ = machines
    second.run("systemctl", "stop", "etcd")
    before = service(first).pid
    assert first.run("etcd-ha", "restart", "--wait", "1", check=False).returncode == 1
    assert service(first).pid == before
    first.run("etcd-ha", "restart", "--force", within=120)
    assert service(first).pid not in (0, before)
