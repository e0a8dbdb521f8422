"""One upgrade of a cluster in the same second, and what its clients notice: ours, and Debian's."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.support.clients.traffic import ROOT, traffic
from tests.support.command import run
from tests.support.faults import certificates
from tests.support.machines.cluster import Cluster, is_healthy
from tests.support.machines.lab import Lab, open_lab
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for

# What a test of the rules demands (seconds).
LONGEST_GAP, MEDIAN_GAP, WHOLE_TURN = 0.7, 0.25, 60
FILLED_MEBIBYTES = 500
# Debian's has the settings in a conffile.
KEEP_CONFFILES = ("-o", "Dpkg::Options::=--force-confold")
# Debian's package starts at once, alone; this keeps it from that until it knows its cluster.
FORBID = "#!/bin/sh\nexit 101\n"
DEBIAN = """
ETCD_NAME={name}
ETCD_LISTEN_CLIENT_URLS=http://{address}:2379
ETCD_ADVERTISE_CLIENT_URLS=http://{address}:2379
ETCD_LISTEN_PEER_URLS=http://{address}:2380
ETCD_INITIAL_ADVERTISE_PEER_URLS=http://{address}:2380
ETCD_INITIAL_CLUSTER={members}
"""


@dataclass(frozen=True)
class Measured:
    """turn: until apt has returned on all nodes; gap: the longest between acknowledged writes (seconds)."""

    kind: str
    turn: float
    gap: float
    failed: int
    most_down: int
    written: int
    lost: int


def upgrade_ours(old: Path, new: Path, folder: Path, *, tls: bool = False, mebibytes: int = 0) -> Measured:
    """etcd-ha on three fresh nodes."""
    client = folder / "client" if tls else None
    with open_lab() as lab:
        machines = lab.nodes(3)
        if tls:
            certificates.hand_out(machines, client)
        cluster = Cluster(machines, certificates.ANSWERS if tls else {})
        cluster.install(old)
        cluster.wait_for_quorum(within=40)
        if mebibytes:
            filler = [sys.executable, "-m", "tests.support.clients.filler", cluster.urls[0], str(mebibytes)]
            run(lab.network.command(*filler), cwd=ROOT, within=300)
        kind = f"etcd-ha, {'https' if tls else 'http'}{f', {mebibytes} MiB' if mebibytes else ''}"
        environment = certificates.CLIENT if tls else {}
        return _measure(kind, lab, cluster.urls, [new], environment, client)


def upgrade_debians(old: Sequence[Path], new: Sequence[Path]) -> Measured:
    """Debian's etcd-server and etcd-client on three fresh nodes."""
    with open_lab() as lab:
        machines = lab.nodes(3, "trixie", "adduser")
        members = ",".join(f"{machine.name}=http://{machine.address}:2380" for machine in machines)

        def prepare(machine: Machine) -> None:
            machine.put("/usr/sbin/policy-rc.d", FORBID, "0755")
            machine.install(*old)
            settings = DEBIAN.format(name=machine.name, address=machine.address, members=members)
            machine.put("/etc/default/etcd", settings)
            machine.run("rm", "/usr/sbin/policy-rc.d")
            machine.run("systemctl", "--no-block", "restart", "etcd")

        with ThreadPoolExecutor(3) as threads:
            list(threads.map(prepare, machines))
        for machine in machines:
            wait_for(f"{machine.name} to be healthy", partial(is_healthy, machine), within=40)
        urls = [f"http://{machine.address}:2379" for machine in machines]
        return _measure("Debian's etcd-server, http", lab, urls, new, {}, None)


def _measure(
    kind: str,
    lab: Lab,
    urls: Sequence[str],
    debs: Sequence[Path],
    environment: dict[str, str],
    client: Path | None,
) -> Measured:
    files = [f"/root/{deb.name}" for deb in debs]
    for machine in lab.machines:
        for deb, file in zip(debs, files, strict=True):
            machine.put(file, deb)

    def upgrade(machine: Machine) -> None:
        machine.apt_install(*files, options=KEEP_CONFFILES)

    with traffic(lab.network, urls, client) as seen:
        begin = time.monotonic()
        with ThreadPoolExecutor(len(lab.machines)) as threads:
            list(threads.map(upgrade, lab.machines))
        turn = time.monotonic() - begin
        # What Debian's package does goes on after apt has returned.
        settle_until = time.monotonic() + 3
        wait_for("the cluster to settle", lambda: time.monotonic() > settle_until, within=5)
    lost = seen.lost(lab.machines[0], {"ETCDCTL_ENDPOINTS": urls[0], **environment})
    return Measured(
        kind, turn, seen.longest_gap, len(seen.failed), seen.most_down, len(seen.acknowledged), len(lost)
    )
