"""docs/how-to/preseed-three-nodes.md, followed to the letter on three nodes."""

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trustme

from tests.lab.machine import Machine
from tests.lab.wait import wait_for

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

HOW_TO = Path(__file__).parents[2] / "docs/how-to/preseed-three-nodes.md"
NAMES = ("pg1", "pg2", "pg3")
ADDRESSES = ("192.168.6.10", "192.168.6.11", "192.168.6.12")


class HowTo:
    """The how-to, about these machines instead of its own."""

    def __init__(self, machines: Sequence[Machine], deb: Path) -> None:
        text = HOW_TO.read_text(encoding="utf-8")
        for name, address, machine in zip(NAMES, ADDRESSES, machines, strict=True):
            text = re.sub(rf"\b{name}\b", machine.name, text).replace(address, machine.address)
        self._sections = re.split(r"^## ", text, flags=re.MULTILINE)
        self._deb = deb

    def blocks(self, heading: str) -> list[str]:
        """The indented blocks below a heading."""
        (section,) = (found for found in self._sections if found.startswith(heading))
        blocks = re.findall(r"(?:^ {4}.*\n)+", section, re.MULTILINE)
        return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in blocks]

    def install(self, machine: Machine, answers: str) -> str:
        (commands,) = self.blocks("2. Install")
        (name,) = re.findall(r"\./(etcd-ha_\S+\.deb)", commands)
        machine.put("/root/etcd-ha.preseed", answers)
        machine.put(f"/root/{name}", self._deb)
        return follow(machine, commands)


def follow(machine: Machine, commands: str) -> str:
    """Run a block of commands in root's home."""
    return machine.run("sh", "-e", "-c", f"cd /root\n{commands}", within=60).stdout


def test_three_nodes_are_set_up_without_a_question(nodes: Nodes, package: Package) -> None:
    machines = nodes(3)
    how_to = HowTo(machines, package("3.5.30"))
    answers, _of_one_node = how_to.blocks("1. Write")
    said = how_to.install(machines[0], answers)
    assert "etcd is not up yet, since it waits for the network or a majority of its cluster" in said
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda machine: how_to.install(machine, answers), machines[1:]))

    look, round_trip = how_to.blocks("3. Look")
    healthy = "endpoint health --cluster"
    wait_for(
        "all members to be healthy",
        lambda: (
            machines[2].run("sh", "-c", f"etcdctl {healthy}", check=False).stdout.count("is healthy") == 3
        ),
        within=30,
    )
    shown = follow(machines[1], look)
    assert shown.count("started") == 3
    assert "has a quorum" in shown
    assert follow(machines[0], round_trip).split("\n")[:4] == ["OK", "testkey", "Hello World", "1"]


@pytest.mark.parametrize("version", ["3.5.1"])
def test_three_nodes_are_set_up_with_tls(
    nodes: Nodes, package: Package, tmp_path: Path, version: str
) -> None:
    machines = nodes(3)
    how_to = HowTo(machines, package(version))
    answers, _of_one_node = how_to.blocks("1. Write")
    prepare, more_answers, variables = how_to.blocks("With TLS")
    ca = trustme.CA()

    def set_up(machine: Machine) -> None:
        folder = tmp_path / machine.name
        folder.mkdir()
        certificate = ca.issue_cert(machine.name, machine.address, "127.0.0.1")
        ca.cert_pem.write_to_path(str(folder / "ca.crt"))
        certificate.private_key_pem.write_to_path(str(folder / "node.key"))
        for part in certificate.cert_chain_pems:
            part.write_to_path(str(folder / "node.crt"), append=True)
        for file in folder.iterdir():
            machine.put(f"/root/{file.name}", file)
        follow(machine, prepare)
        how_to.install(machine, answers + more_answers)

    with ThreadPoolExecutor() as threads:
        list(threads.map(set_up, machines))
    wait_for(
        "all members to be healthy",
        lambda: (
            machines[2]
            .run("sh", "-c", f"{variables}\netcdctl endpoint health --cluster", check=False)
            .stdout.count("is healthy")
            == 3
        ),
        within=30,
    )
    assert "has a quorum" in machines[0].run("etcd-ha", "status").stdout
