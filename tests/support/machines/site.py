"""The network of conf/cluster.example.yaml: its repository, somebody with etcd-deb, and its machines.

A machine is as a provider hands it out: Debian with cloud-init, which reads a NoCloud seed on the disk, and
no name of its own.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from builder.shipped import CONF
from tests.support.archives.publisher import SUITE, Publisher, served, signing_home
from tests.support.desk import Desk
from tests.support.machines.lab import HOSTS, Lab, open_lab
from tests.support.machines.machine import Machine

EXAMPLE = CONF / "cluster.example.yaml"
SERVER = "apt.example.org"
# Debian's archive is on no network of the lab, so that the example's packages of Debian are in the image.
IMAGE = ("cloud-init", "patroni", "postgresql-17", "python3-etcd")
# The lab gives each machine its address, as a provider's own network does. No sshd is in the image.
SETTINGS = "datasource_list: [NoCloud]\nnetwork: {config: disabled}\nssh_genkeytypes: []\n"
# cloud-init makes services wait for the network, which systemd-networkd of the image has to call online.
NETWORK = "[Match]\nName=eth0\n\n[Network]\nAddress={address}/24\nGateway={gateway}\nIPv6AcceptRA=no\n"


@dataclass(frozen=True)
class Site:
    """desk: has the example as cluster.yaml, and the repository's key."""

    lab: Lab
    publisher: Publisher
    desk: Desk

    def machines(self, count: int) -> list[Machine]:
        """The next of pg1, pg2, …, their power off, each with the user-data that the desk has for it."""
        machines = self.lab.unbooted(count, SUITE, *IMAGE)
        for machine in machines:
            self._seed(machine, self.desk.folder / "cluster" / machine.name / "user-data")
        return machines

    def _seed(self, machine: Machine, user_data: Path) -> None:
        etc = machine.root / "etc"
        (etc / "hostname").write_text("localhost\n")
        (etc / "hosts").write_text(f"{HOSTS}{self.lab.network.address} {SERVER}\n")
        (etc / "cloud/cloud.cfg.d/99_lab.cfg").write_text(SETTINGS)
        network = NETWORK.format(address=machine.address, gateway=self.lab.network.address)
        (etc / "systemd/network/10-eth0.network").write_text(network)
        for sources in (etc / "apt/sources.list", *(etc / "apt/sources.list.d").iterdir()):
            sources.unlink(missing_ok=True)
        seed = machine.root / "var/lib/cloud/seed/nocloud"
        seed.mkdir(parents=True)
        (seed / "meta-data").write_text(f"instance-id: {machine.name}\n")
        shutil.copy(user_data, seed / "user-data")


@contextlib.contextmanager
def open_site(*packages: Path) -> Iterator[Site]:
    """A lab with a repository of these packages (.deb or .changes), at the address that the example names."""
    with open_lab(names="pg", addresses="192.168.6") as lab, signing_home() as gnupg_home:
        publisher = Publisher(lab.folder / "publisher", gnupg_home)
        publisher.must(*publisher.init_words("--url", f"http://{SERVER}"))
        publisher.must(*publisher.publish_words(*packages))
        folder = lab.folder / "desk"
        folder.mkdir()
        desk = Desk(folder, lab.network.command())
        desk.writes("cluster.yaml", EXAMPLE.read_text(encoding="utf-8"))
        shutil.copy(publisher.repository / "etcd-ha-archive-keyring.asc", folder / "archive-key.asc")
        with served(publisher, lab.network, port=80):
            yield Site(lab, publisher, desk)
