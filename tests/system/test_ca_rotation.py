"""The CA of a cluster is replaced in its three steps, under a client that writes all the time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.clients.traffic import traffic
from tests.support.machines.cluster import is_serving
from tests.support.machines.lab import Lab
from tests.support.wait import wait_for
from tests.system.patroni import describe, etcd_deb, install, install_certificates

# Seconds.
LONGEST_GAP = 0.5


def client(folder: Path, step: str) -> Path:
    """What Patroni presents after a step, which has it reloaded."""
    target, made = folder / f"client-{step}", folder / "cluster/n1/patroni-tls"
    target.mkdir()
    for source, name in (("ca.crt", "ca.pem"), ("client.crt", "node.pem"), ("client.key", "node.key")):
        shutil.copy(made / source, target / name)
    return target


@pytest.mark.alone
@pytest.mark.soak
@pytest.mark.parametrize("version", ["3.6.16", "3.7.3"])
def test_the_ca_is_replaced_under_a_writer_in_three_steps(
    lab: Lab, package: Callable[[str], Path], tmp_path: Path, version: str
) -> None:
    machines = lab.nodes(3)
    describe(machines, tmp_path, "17", "tls: {authority: own}")
    install_certificates(machines, tmp_path)
    etcd_deb(tmp_path, "preseed", "cluster.yaml")
    for machine in machines:
        install(machine, package(version), tmp_path)
    for machine in machines:
        wait_for(f"{machine.name} to serve", partial(is_serving, machine), within=40)
    urls = [f"https://{machine.address}:2379" for machine in machines]
    gaps = {}
    presented = client(tmp_path, "before")
    for step, restarts in (("trust-both", True), ("replace", False), ("trust-new", True)):
        with traffic(lab.network, urls, presented) as seen:
            etcd_deb(tmp_path, "certs", "rotate-ca", "cluster.yaml", step)
            # It makes only what is missing, and installs all.
            install_certificates(machines, tmp_path)
            for machine in machines if restarts else ():
                machine.run("etcd-ha", "restart", within=120)
        assert seen.lost(machines[0]) == [], step
        gaps[step] = seen.longest_gap
        presented = client(tmp_path, step)
    print(gaps)  # noqa: T201
    assert max(gaps.values()) < LONGEST_GAP, gaps
    for machine in machines:
        assert machine.run("etcd-ha", "check").stdout.endswith("All is well.\n")
