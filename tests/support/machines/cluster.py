"""etcd-ha on the lab's nodes: preseed, install, and etcdctl."""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.support.machines.machine import Machine
from tests.support.wait import wait_for

# The debconf types of the questions that are no strings.
TYPES = {
    "setup": "select",
    "cluster-state": "select",
    "restart-policy": "select",
    "snapshot": "select",
    "tls": "boolean",
    "backup": "boolean",
    "purge-data": "boolean",
}


def preseed(machine: Machine, answers: Mapping[str, str]) -> None:
    """Give debconf the answers before the package is there, as a fleet does."""
    lines = [
        f"etcd-ha etcd-ha/{name} {TYPES.get(name, 'string')} {value}\n" for name, value in answers.items()
    ]
    machine.run("debconf-set-selections", input="".join(lines))


def etcdctl(machine: Machine, *arguments: str, check: bool = True, within: float = 20) -> str:
    """What etcdctl inside the node says about the member there."""
    return machine.run(
        *("etcdctl", f"--endpoints=http://{machine.address}:2379", *arguments),
        check=check,
        within=within,
    ).stdout


def is_healthy(machine: Machine) -> bool:
    """True when the member there has a leader and answers."""
    said = etcdctl(machine, "endpoint", "health", "--command-timeout=2s", check=False)
    return "is healthy" in said


def is_serving(machine: Machine) -> bool:
    """True when etcd-ha there says that the member runs in a cluster with a quorum and without alarms.

    Most callers wait, so systemd is asked first, which costs a hundredth.
    """
    asked = machine.run("sh", "-c", "systemctl --quiet is-active etcd && etcd-ha status", check=False)
    return asked.returncode == 0


@dataclass(frozen=True)
class Cluster:
    """Nodes that are to form one cluster."""

    machines: Sequence[Machine]
    more_answers: Mapping[str, str] = field(default_factory=dict)

    @property
    def scheme(self) -> str:
        """How clients speak to it."""
        return "https" if self.more_answers.get("tls") == "true" else "http"

    @property
    def urls(self) -> list[str]:
        """The client URL of each member."""
        return [f"{self.scheme}://{machine.address}:2379" for machine in self.machines]

    def answers(self, machine: Machine) -> dict[str, str]:
        """What a node is told about itself and the others."""
        return {
            "setup": "cluster",
            "node-name": machine.name,
            "address": machine.address,
            "members": ",".join(f"{peer.name}={peer.address}" for peer in self.machines),
            "cluster-state": "new",
            "cluster-token": "etcd-lab",
            **self.more_answers,
        }

    def install(self, deb: Path) -> None:
        """Preseed and apt-get install on every node at the same time."""

        def install_on(machine: Machine) -> None:
            preseed(machine, self.answers(machine))
            machine.install(deb)

        with ThreadPoolExecutor(len(self.machines)) as threads:
            list(threads.map(install_on, self.machines))

    def wait_for_quorum(self, *, within: float) -> None:
        """Wait until every member answers."""
        for machine in self.machines:
            wait_for(f"{machine.name} to be healthy", partial(is_serving, machine), within=within)

    def members(self, machine: Machine) -> dict[str, str]:
        """Names of the members as one of them knows them, with their state."""
        said = etcdctl(machine, "member", "list").splitlines()
        # Beside warnings of tries that failed.
        rows = [line.split(", ") for line in said if re.match("[0-9a-f]+, ", line)]
        return {row[2]: row[1] for row in rows}
