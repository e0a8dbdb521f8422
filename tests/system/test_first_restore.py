"""A cluster that is installed anew begins with the data of a backup, by an answer to debconf."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.machines.cluster import Cluster, etcdctl, preseed
from tests.support.machines.machine import Machine
from tests.system.advice import follow

Nodes = Callable[..., list[Machine]]
KEYS = 40
SILENT = {"DEBIAN_FRONTEND": "noninteractive"}


def revision(machine: Machine) -> int:
    said = etcdctl(machine, "endpoint", "status", "-w", "fields")
    return int(re.findall(r'"Revision" : (\d+)', said)[0])


@pytest.mark.soak
def test_a_new_cluster_begins_with_the_data_of_a_backup_by_an_answer(serving: Nodes) -> None:
    machines = serving(3, "3.6.16")
    first = machines[0]
    cluster = Cluster(machines)
    (deb,) = (path.name for path in (first.root / "root").glob("etcd-ha_*.deb"))
    for number in range(KEYS):
        etcdctl(first, "put", f"/service/{number}", "saved")
    before = revision(first)
    made = first.run("etcd-ha", "backup", "--to", "/root").stdout.splitlines()[-1]
    backup = first.root / made.lstrip("/")
    for machine in machines:
        if machine is not first:
            shutil.copytree(backup, machine.root / "root" / backup.name)
        preseed(machine, {"purge-data": "true"})
    purge = ("apt-get", "-y", "purge", "etcd-ha")
    with ThreadPoolExecutor(len(machines)) as threads:
        list(threads.map(lambda machine: machine.run(*purge, env=SILENT), machines))
    for machine in machines:
        preseed(machine, {**cluster.answers(machine), "restore-from": f"/root/{backup.name}"})
    preseed(first, {"restore-from": "/root/missing"})
    said = first.apt_install(f"/root/{deb}").stdout
    assert "/root/missing can't be read" in said, said
    assert "no configuration was written" in said
    assert not (first.root / "etc/etcd/etcd.yaml").exists()
    assert not (first.root / "var/lib/etcd-ha/member").exists()
    for machine in machines[1:]:
        machine.apt_install(f"/root/{deb}")
    preseed(first, {"restore-from": f"/root/{backup.name}"})
    follow(said, first, "dpkg-reconfigure -plow", before="DEBIAN_FRONTEND=noninteractive ")
    cluster.wait_for_quorum(within=60)
    for machine in machines:
        assert len(etcdctl(machine, "get", "--prefix", "/service/", "--keys-only").split()) == KEYS
        assert revision(machine) > before
        assert machine.run("stat", "-c", "%U %a", "/var/lib/etcd-ha/member").stdout == "etcd 700\n"
    # Valid for one installation, and never for a member that exists.
    preseed(first, {"restore-from": "/root/missing"})
    said = first.run("dpkg-reconfigure", "etcd-ha", env=SILENT).stdout
    assert "already exists, so the answer to etcd-ha/restore-from changes nothing" in said
    assert "etcd-ha/restore-from:\n" in first.run("debconf-show", "etcd-ha").stdout
