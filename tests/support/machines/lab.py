"""Debian nodes on a network of their own, for as long as a with block lasts."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.support.command import CommandFailed, run
from tests.support.machines import scratch
from tests.support.machines.base import BOOTABLE, Base, lay_overlay
from tests.support.machines.machine import BOOT_BOUND, Machine
from tests.support.machines.network import Endpoint, Network
from tests.support.machines.processes import NoControlGroups, ProcessGroup, unified_hierarchy

HOSTS = """\
127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
"""


@dataclass
class Lab:
    """The nodes so far. names: what their names begin with."""

    folder: Path
    network: Network
    bases: contextlib.ExitStack
    names: str = "n"
    machines: list[Machine] = field(default_factory=list)
    kept: bool = False

    def nodes(self, count: int, suite: str = "trixie", *packages: str) -> list[Machine]:
        """Boot nodes side by side, named n1, n2, … ; `packages` are in their root file system."""
        machines = self.unbooted(count, suite, *packages)
        boot(machines)
        return machines

    def unbooted(self, count: int, suite: str, *packages: str) -> list[Machine]:
        """Nodes whose power is off."""
        lower = self.bases.enter_context(Base(suite, (*BOOTABLE, *packages)).in_use())
        machines = [self._machine(endpoint, lower) for endpoint in self._attach(count)]
        for machine in machines:
            self._name(machine)
        self.machines += machines
        return machines

    def copies(self, disks: Path, suite: str = "trixie") -> list[Machine]:
        """Boot the nodes whose disks were saved there, as the first of this lab: same names and addresses."""
        assert not self.machines
        lower = self.bases.enter_context(Base(suite, BOOTABLE).in_use())
        endpoints = self._attach(len(list(disks.iterdir())))
        self.machines += [self._machine(there, disks / there.name, lower) for there in endpoints]
        boot(self.machines)
        return list(self.machines)

    def save(self, disks: Path) -> None:
        """Shut all nodes down and copy what they have written into a folder each."""
        with ThreadPoolExecutor(len(self.machines)) as threads:
            list(threads.map(Machine.poweroff, self.machines))
        for machine in self.machines:
            run(["umount", machine.root])
            shutil.rmtree(machine.root.parent / "upper/var/log/journal", ignore_errors=True)
            run(["cp", "-a", machine.root.parent / "upper", disks / machine.name])

    def renew(self, machine: Machine, suite: str = "trixie") -> None:
        """Destroy a node with its disk, and boot one of its name and address that has nothing else."""
        machine.cut_power()
        run(["umount", machine.root])
        for part in ("root", "upper", "work"):
            shutil.rmtree(machine.root.parent / part)
        lower = self.bases.enter_context(Base(suite, BOOTABLE).in_use())
        lay_overlay(machine.root.parent, lower)
        self._name(machine)
        machine.boot()

    def _attach(self, count: int) -> list[Endpoint]:
        first = len(self.network.endpoints) + 1
        return [self.network.attach(f"{self.names}{number}") for number in range(first, first + count)]

    def _machine(self, endpoint: Endpoint, *lower: Path) -> Machine:
        folder = self.folder / endpoint.name
        root = lay_overlay(folder, *lower)
        group = ProcessGroup(f"{self.folder.name}-{endpoint.name}")
        return Machine(endpoint, root, group, folder / "console.log")

    def _name(self, machine: Machine) -> None:
        hosts = [f"{there.ipv4} {there.name}" for there in self.network.endpoints.values()]
        (machine.root / "etc/hosts").write_text(HOSTS + "".join(f"{host}\n" for host in hosts))
        (machine.root / "etc/hostname").write_text(f"{machine.name}\n")
        (machine.root / "etc/machine-id").write_text("uninitialized\n")

    def save_journals(self, folder: Path) -> None:
        """Write each node's journal and console into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for machine in self.machines:
            (folder / f"{machine.name}.journal").write_text(machine.journal())
            shutil.copyfile(machine.console, folder / f"{machine.name}.console")

    def end(self) -> None:
        """Take the power from every node, unless they are to be kept."""
        if not self.kept:
            for machine in self.machines:
                machine.cut_power()

    def keep(self) -> str:
        """Let the nodes outlive us; how to enter and end them."""
        self.kept = True
        scratch.keep(self.folder)
        lines = [f"  {machine.name}: {machine.enter()}" for machine in self.machines if machine.is_up]
        return "\n".join(["enter a node (as root) by", *lines, "end them all by", "  ci/demo --end"])


def boot(machines: Sequence[Machine], *, within: float = BOOT_BOUND) -> None:
    """Power on side by side, and wait until systemd has started everything on each."""
    with ThreadPoolExecutor(len(machines)) as threads:
        list(threads.map(partial(Machine.boot, within=within), machines))


@contextlib.contextmanager
def open_lab(*, names: str = "n", addresses: str = "10.66.0") -> Iterator[Lab]:
    """An empty lab with its network; everything in it is gone at the end.

    addresses: the first three numbers of the nodes' addresses, which end in 10, 11, …
    """
    with contextlib.ExitStack() as bases, scratch.scratch() as folder:
        network = Network(folder / "network", addresses)
        network.create()
        lab = Lab(folder, network, bases, names)
        try:
            yield lab
        finally:
            lab.end()


def why_no_nodes() -> str | None:
    """Why nodes can't be booted on this machine, or None when nothing speaks against it."""
    if os.geteuid() != 0:
        return "booting nodes needs root"
    for program in ("mmdebstrap", "systemd-nspawn", "ip", "nsenter"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    try:
        unified_hierarchy()
        with scratch.scratch() as folder:
            (folder / "lower").mkdir()
            lay_overlay(folder / "probe", folder / "lower")
            Network(folder / "network").create()
    except (NoControlGroups, CommandFailed) as error:
        return f"this machine does not allow it: {error}"
    return None
