"""Clusters that are upgraded, and what is said about it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.lab.cluster import Cluster
from tests.lab.machine import Machine

QUEUE = "/etcd-ha/restart/"


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


def apt_install(machine: Machine, where: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """apt-get install of a file on the node, also of an older version; stdout has both outputs."""
    return machine.apt_install(where, options=["--allow-downgrades"], check=check)


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
