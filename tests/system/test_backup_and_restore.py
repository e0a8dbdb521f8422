"""docs/how-to/cluster/backup-and-restore.md on three nodes: the timer, and a lost cluster that comes back."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.machines.cluster import Cluster, etcdctl, preseed
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.how_to import HowTo, follow

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]
KEYS = 40
# Seconds, in the place of a day.
SLOT = 20
SHORT = f"""\
[Timer]
OnCalendar=
OnCalendar=*:*:0/{SLOT}
RandomizedDelaySec=2
AccuracySec=1
"""


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


@pytest.mark.soak
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


def recorded(watch: Path) -> list[int]:
    """The slots of the backups that the cluster has recorded, by a watch of that key."""
    return [json.loads(line)["slot"] for line in watch.read_text().splitlines() if line.startswith("{")]


def has_failed(machine: Machine) -> bool:
    """Whether the last try there failed, by its unit, which runs again and again, and by etcd-ha status."""
    unit = machine.run("systemctl", "show", "--value", "--property=Result", "etcd-ha-backup.service").stdout
    status = machine.run("etcd-ha", "status", check=False).stdout
    (line,) = (line for line in status.splitlines() if line.startswith("backup "))
    return unit != "success\n" and "FAILED" in line


def is_mended(machine: Machine) -> bool:
    status = machine.run("etcd-ha", "status", check=False)
    return status.returncode == 0 and "FAILED" not in status.stdout


def unreachable(machine: Machine) -> list[str]:
    """Names of the members of which etcd-ha status says so."""
    members = json.loads(machine.run("etcd-ha", "status", "--json").stdout)["members"]
    return [member["name"] for member in members if member["health"] == "unreachable"]


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_the_timers_of_three_nodes_make_one_backup_in_each_slot_of_a_short_calendar(
    serving: Nodes, tmp_path: Path
) -> None:
    machines = serving(3, "3.6.16")
    first, second, third = machines
    for machine in machines:
        # More than the 64 MiB that must stay free.
        machine.run("mount", "-t", "tmpfs", "-o", "size=100M", "tmpfs", "/var/backups/etcd-ha")
        machine.put("/etc/etcd/backup.toml", f'every = "{SLOT}s"\ndaily = 1\nweekly = 0\n')
        machine.run("install", "-d", "/run/systemd/system/etcd-ha-backup.timer.d")
        machine.put("/run/systemd/system/etcd-ha-backup.timer.d/short.conf", SHORT)
        machine.run("systemctl", "daemon-reload")
    watch = tmp_path / "watch"
    watcher = third.start("etcdctl", "watch", "/etcd-ha/backup/done", output=watch)

    def two_more(what: str) -> None:
        count = len(recorded(watch))
        wait_for(what, lambda: len(recorded(watch)) >= count + 2, within=5 * SLOT)

    try:
        on_all(machines, "systemctl", "restart", "etcd-ha-backup.timer")
        two_more("backups")
        full = (first, second)
        for machine in full:
            machine.run("dd", "if=/dev/zero", "of=/var/backups/etcd-ha/filling", "bs=1M", "count=60")
        wait_for("a full disk to be reported", lambda: any(map(has_failed, full)), within=8 * SLOT)
        two_more("backups beside full disks")
        for machine in full:
            machine.run("rm", "/var/backups/etcd-ha/filling")
        wait_for("the nodes to report success again", lambda: all(map(is_mended, full)), within=5 * SLOT)
        second.run("systemctl", "stop", "etcd")
        assert unreachable(first) == [second.name]
        two_more("backups without a member")
        second.run("systemctl", "start", "etcd")
        two_more("backups of all")
        assert all(map(is_mended, machines))
        assert unreachable(first) == []
    finally:
        watcher.kill()
        watcher.wait()
    found = recorded(watch)
    print(f"{len(found)} slots of {SLOT} s, one backup each")  # noqa: T201
    assert found == list(range(found[0], found[-1] + 1)), "one for each slot, and none twice"
    # Of one day each node keeps the newest.
    assert all(len(backups(machine)) <= 1 for machine in machines)
    assert any(map(backups, machines))


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
