"""Clusters that are upgraded, and what is said about it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.support.machines.cluster import Cluster, etcdctl
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.service import service

QUEUE = "/etcd-ha/restart/"
BEGIN = "/root/upgrade-begins"
REPOSITORY = "/srv/repository"
SOURCES = f"Types: deb\nURIs: file:{REPOSITORY}\nSuites: ./\nTrusted: yes\n"
# Before a command that apt would ask about.
SILENT = "export DEBIAN_FRONTEND=noninteractive; "


def formed(machines: Sequence[Machine], deb: Path, more_answers: Mapping[str, str] | None = None) -> Cluster:
    """A cluster of the machines with a quorum."""
    cluster = Cluster(machines, more_answers or {})
    cluster.install(deb)
    cluster.wait_for_quorum(within=40)
    return cluster


def hand_over_file(machines: Sequence[Machine], deb: Path) -> str:
    """The file on each node, so that afterwards apt begins on all in the same second; where it is."""
    where = f"/root/{deb.name}"
    for machine in machines:
        machine.put(where, deb)
    return where


def publish(node: Machine, *debs: Path) -> None:
    """More versions in the repository of the node."""
    node.run("mkdir", "-p", REPOSITORY)
    for deb in debs:
        node.put(f"{REPOSITORY}/{deb.name}", deb)
    node.run("sh", "-ec", f"cd {REPOSITORY}; apt-ftparchive packages . >Packages")
    node.use_repository(SOURCES)


def apt_install(machine: Machine, where: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """apt-get install of a file on the node, also of an older version; stdout has both outputs."""
    return machine.apt_install(where, options=["--allow-downgrades"], check=check)


def installed(machine: Machine) -> str:
    """The package's state and version."""
    return machine.run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", "etcd-ha").stdout


def is_refused(machine: Machine, where: str, why: str) -> str:
    """apt-get install of a file is refused for a reason, and has changed nothing; what it said."""
    before = (installed(machine), service(machine))
    done = apt_install(machine, where, check=False)
    assert done.returncode != 0, (where, done.stdout)
    assert "Nothing was changed" in done.stdout
    assert why in done.stdout, done.stdout
    assert (installed(machine), service(machine)) == before
    assert machine.run("dpkg", "--audit").stdout == ""
    fixed = machine.run("apt-get", "-y", "-f", "install").stdout
    assert "0 upgraded, 0 newly installed, 0 to remove" in fixed
    return done.stdout


def storage_versions(machines: Sequence[Machine]) -> set[str]:
    """The versions that the data is of; etcd 3.5 does not tell."""
    told = [json.loads(etcdctl(machine, "endpoint", "status", "-w", "json")) for machine in machines]
    return {rows[0]["Status"].get("storageVersion", "") for rows in told}


def wait_for_storage(machines: Sequence[Machine], series: str) -> None:
    """Wait until all members have data of that series, which follows the cluster's version."""

    def reached() -> bool:
        return storage_versions(machines) == {f"{series}.0"}

    wait_for(f"all members to have data of {series}", reached, within=40)


def upgrade_all(machines: Sequence[Machine], deb: Path) -> list[str]:
    """apt-get install on all nodes at the same time; what each said."""
    where = hand_over_file(machines, deb)
    with ThreadPoolExecutor(len(machines)) as threads:
        return [done.stdout for done in threads.map(partial(apt_install, where=where), machines)]


def running_version(machine: Machine) -> str:
    """The version of the etcd that runs."""
    pid = machine.run("systemctl", "show", "--property=MainPID", "--value", "etcd").stdout.strip()
    said = machine.run(f"/proc/{pid}/exe", "--version", check=False).stdout
    found = re.search(r"^etcd Version: (\S+)$", said, re.MULTILINE)
    return found.group(1) if found else ""


def is_pending(machine: Machine) -> bool:
    """Whether the node says that a restart is due."""
    return machine.run("etcd-ha", "restart", "--pending", check=False).returncode == 0


def mark_begin(machines: Sequence[Machine]) -> None:
    """What the members log from now on counts for no_election_timed_out."""
    for machine in machines:
        machine.run("touch", BEGIN)


def no_election_timed_out(machines: Sequence[Machine]) -> bool:
    """Every election since mark_begin was one that a leader asked for as it went."""
    since = {machine.name: machine.run("stat", "-c", "%Y", BEGIN).stdout.strip() for machine in machines}
    journals = [machine.journal("-u", "etcd", "--since", f"@{since[machine.name]}") for machine in machines]
    asked, led = (
        sum(journal.count(text) for journal in journals)
        for text in ("received MsgTimeoutNow", "became leader at term")
    )
    return asked == led
