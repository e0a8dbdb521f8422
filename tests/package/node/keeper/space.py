"""Databases of members on loopback: filling them, their sizes, and space in them that is free."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tests.package.node.keeper.nodes import Node
from tests.support.clients.gateway import Gateway
from tests.support.wait import wait_for


def fill(node: Node, count: int, first: int | None = None) -> int:
    """Writes of 256 KiB, over one key or to keys from a first number on; how many were taken."""
    gateway = Gateway(node.url, 10)
    taken = 0
    while taken < count and gateway.put(f"fill/{0 if first is None else first + taken}", "x" * (1 << 18)):
        taken += 1
    gateway.close()
    return taken


def sizes(nodes: Sequence[Node], which: str = "dbSize") -> list[int]:
    """Of each database, in bytes."""
    said = [json.loads(node.etcdctl("endpoint", "status", "-w", "json")) for node in nodes]
    return [one[0]["Status"][which] for one in said]


def compact(nodes: Sequence[Node]) -> None:
    """Delete the old values, more than half of each database; returns when all members count that as free."""
    first = nodes[0]
    (status,) = json.loads(first.etcdctl("endpoint", "status", "-w", "json"))
    first.etcdctl("compact", "--physical", str(status["Status"]["header"]["revision"]))

    def is_free() -> bool:
        # A member counts pages as free from a later write on; only the one that was asked has waited at all.
        first.etcdctl("put", "later", "write")
        pairs = zip(sizes(nodes, "dbSizeInUse"), sizes(nodes), strict=True)
        return all(used < whole / 2 for used, whole in pairs)

    wait_for("all members to have compacted", is_free, within=30)
