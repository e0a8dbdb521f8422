"""Databases of members on loopback: filling them, their sizes, and space in them that is free."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from tests.package.node.keeper.nodes import Node
from tests.support.clients.gateway import Gateway
from tests.support.wait import wait_for


@dataclass(frozen=True)
class Status:
    """The revision of a member; its database, and what of that is in use, in bytes."""

    revision: int
    size: int
    in_use: int


def fill(node: Node, count: int, first: int | None = None) -> int:
    """Writes of 256 KiB, over one key or to keys from a first number on; how many were taken."""
    gateway = Gateway(node.url, 10)
    taken = 0
    while taken < count and gateway.put(f"fill/{0 if first is None else first + taken}", "x" * (1 << 18)):
        taken += 1
    gateway.close()
    return taken


def _statuses(nodes: Sequence[Node]) -> list[Status]:
    said = [json.loads(node.etcdctl("endpoint", "status", "-w", "json")) for node in nodes]
    return [
        Status(one["header"]["revision"], one["dbSize"], one["dbSizeInUse"])
        for one in (rows[0]["Status"] for rows in said)
    ]


def sizes(nodes: Sequence[Node]) -> list[int]:
    """Of each database, in bytes."""
    return [one.size for one in _statuses(nodes)]


def compact(nodes: Sequence[Node]) -> None:
    """Delete the old values, more than half of each database; returns when all members count that as free."""
    first = nodes[0]
    (status,) = _statuses([first])
    first.etcdctl("compact", "--physical", str(status.revision))

    def is_free() -> bool:
        # A member counts pages as free from a later write on; only the one that was asked has waited at all.
        first.etcdctl("put", "later", "write")
        return all(one.in_use < one.size / 2 for one in _statuses(nodes))

    wait_for("all members to have compacted", is_free, within=30)
