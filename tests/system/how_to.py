"""A how-to of docs/ that is followed on nodes: its commands, about these machines instead of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.support.documents import find_how_to
from tests.support.machines.machine import Machine

NEXT = re.compile(r"^Next, on (\S+): (.*)$", re.MULTILINE)
NAMES = ("pg1", "pg2", "pg3")
ADDRESSES = ("192.168.6.10", "192.168.6.11", "192.168.6.12")


class HowTo:
    """One of them, and the machines that its nodes stand for."""

    def __init__(self, name: str, machines: Sequence[Machine]) -> None:
        text = find_how_to(name).read_text(encoding="utf-8")
        for node, address, machine in zip(NAMES, ADDRESSES, machines, strict=True):
            text = re.sub(rf"\b{node}\b", machine.name, text).replace(address, machine.address)
        self._sections = re.split(r"^## ", text, flags=re.MULTILINE)

    def blocks(self, heading: str) -> list[str]:
        """The indented blocks below a heading."""
        (section,) = (found for found in self._sections if found.startswith(heading))
        blocks = re.findall(r"(?:^ {4}.*\n)+", section, re.MULTILINE)
        return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in blocks]


def follow(machine: Machine, commands: str, *, within: float = 60) -> str:
    """Run a block of commands in root's home."""
    return machine.run("sh", "-e", "-c", f"cd /root\n{commands}", within=within).stdout


def walk(machines: Sequence[Machine], command: str, until: str) -> list[str]:
    """Type a command on the first machine, then where each run says, until one says that; what they said."""
    named = {machine.name: machine for machine in machines}
    said = [follow(machines[0], command, within=300)]
    while until not in said[-1]:
        assert len(said) < 10, said
        (found,) = NEXT.findall(said[-1])
        assert command.startswith(found[1]), said[-1]
        said.append(follow(named[found[0]], command, within=300))
    return said
