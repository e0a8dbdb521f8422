"""docs/how-to/cluster/backup-and-restore.md on three nodes: the timer, and a lost cluster that comes back."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.machines.cluster import Cluster, etcdctl, preseed
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.how_to import HowTo, follow

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]
KEYS = 40


def backups(machine: Machine) -> list[str]:
    found = json.loads(machine.run("etcd-ha", "backup", "list", "--json").stdout)
    return [one["folder"] for one in found]


def revision(machine: Machine) -> int:
    said = etcdctl(machine, "endpoint", "status", "-w", "fields")
    return int(re.findall(r'"Revision" : (\d+)', said)[0])


def on_all(machines: Sequence[Machine], *command: str) -> list[subprocess.CompletedProcess[str]]:
    """Run a command on every node at the same time."""
    with ThreadPoolExecutor(len(machines)) as threads:
        return list(threads.map(lambda machine: machine.run(*command, check=False), machines))


def test_backups_are_made_by_one_node_and_a_lost_cluster_comes_back(nodes: Nodes, package: Package) -> None:
    machines = nodes(3)
    first = machines[0]
    how_to = HowTo("backup-and-restore.md", machines)
    cluster = Cluster(machines)
    cluster.install(package("3.6.16"))
    cluster.wait_for_quorum(within=60)
    for machine in machines:
        assert machine.run("systemctl", "is-active", "etcd-ha-backup.timer").stdout == "active\n"
    for number in range(KEYS):
        etcdctl(first, "put", f"/service/{number}", "saved")

    # Of the three that the timer starts in the same second one makes it.
    on_all(machines, "systemctl", "start", "etcd-ha-backup.service")
    made = {machine.name: backups(machine) for machine in machines}
    assert sorted(map(len, made.values())) == [0, 0, 1], made
    (maker,) = (machine for machine in machines if made[machine.name])
    (seen,) = how_to.blocks("See what")
    for machine in machines:
        shown = machine.run("sh", "-c", seen, check=False).stdout
        assert f" by {maker.name}, revision " in shown, shown
    assert follow(maker, seen).rstrip().endswith(": intact")

    (now,) = how_to.blocks("Make a backup now")
    backup = follow(first, now).splitlines()[-1]
    (settings,) = how_to.blocks("Set how long")
    follow(first, settings)
    (hook,) = how_to.blocks("Copy backups elsewhere")
    follow(first, hook)
    said = first.run("etcd-ha", "backup", check=False)
    assert (said.returncode, "backup-hook.d/restic: status" in said.stdout) == (1, True)

    # Refused while the cluster lives, and the command for one node is named.
    look, restore, status = how_to.blocks("Restore a cluster")
    for machine in machines:
        shutil.copytree(first.root / backup.lstrip("/"), machine.root / "root/backup")
    refused = machines[2].run("sh", "-c", f"cd /root; {restore}", check=False)
    assert (refused.returncode, "etcd-ha join" in refused.stdout) == (1, True), refused.stdout

    etcdctl(first, "put", "later", "lost")
    before = revision(first)
    on_all(machines, "systemctl", "stop", "etcd")
    on_all(machines, "sh", "-c", "rm -r /var/lib/etcd-ha/*")
    assert "into       /var/lib/etcd-ha" in follow(first, look)
    for machine in machines:
        follow(machine, restore)
    cluster.wait_for_quorum(within=60)
    assert "has a quorum" in follow(first, status)
    for machine in machines:
        found = etcdctl(machine, "get", "--prefix", "/service/", "--keys-only").split()
        assert len(found) == KEYS
        assert etcdctl(machine, "get", "later") == ""
        assert revision(machine) > before
        assert machine.run("stat", "-c", "%U %a", "/var/lib/etcd-ha/member").stdout == "etcd 700\n"
    # What keeps etcd from starting on data that is half restored.
    first.run("systemctl", "stop", "etcd")
    first.run("install", "-D", "/dev/null", "/var/backups/etcd-ha/begun/restore.json")
    assert first.run("systemctl", "start", "etcd", check=False).returncode == 1
    first.run("rm", "/var/backups/etcd-ha/begun/restore.json")
    first.run("systemctl", "start", "etcd")


def timer(machine: Machine) -> tuple[str, str]:
    """Whether it is enabled, and whether it runs."""
    words = [machine.run("systemctl", word, "etcd-ha-backup.timer", check=False).stdout.strip()
             for word in ("is-enabled", "is-active")]  # fmt: skip
    return words[0], words[1]


def test_the_answer_sets_the_timer_and_what_the_administrator_set_stays(
    nodes: Nodes, package: Package
) -> None:
    (machine,) = nodes(1)
    deb = package("3.6.16")
    preseed(machine, {"backup": "false"})
    machine.install(deb)
    assert timer(machine) == ("disabled", "inactive")
    preseed(machine, {"backup": "true"})
    machine.run("dpkg-reconfigure", "-f", "noninteractive", "etcd-ha")
    assert timer(machine) == ("enabled", "active")
    machine.run("systemctl", "disable", "--now", "etcd-ha-backup.timer")
    machine.install(deb)
    machine.apt_install(f"/root/{deb.name}", options=["--reinstall", "--no-install-recommends"])
    assert timer(machine) == ("disabled", "inactive")
    assert "etcd-ha/backup: false" in machine.run("debconf-show", "etcd-ha").stdout
    machine.run("systemctl", "enable", "--now", "etcd-ha-backup.timer")
    machine.run("apt-get", "-y", "remove", "etcd-ha")
    assert wait_for("the timer to end", lambda: timer(machine)[1] == "inactive", within=10)
