"""Members that change from http to https, and what tests ask of them."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.package.node.check.authority import Authority
from tests.package.node.keeper.nodes import Node, planned, running
from tests.support.clients.gateway import Gateway

# What status says of no change.
NONE = ("none", None, dict[str, str]())


def hand_out(signer: Authority, node: Node) -> None:
    """Certificates as `cluster certs` names them."""
    node.tls.mkdir(parents=True)
    shutil.copy(signer.file, node.tls / "ca.crt")
    for name in ("server", "peer"):
        # On the loopback a member's connections to others come from the first address.
        pair = signer.issue(f"{node.name}-{name}", node.address, node.name, "127.0.0.1")
        shutil.copy(pair.certificate, node.tls / f"{name}.crt")
        shutil.copy(pair.key, node.tls / f"{name}.key")


def hand_out_to_client(signer: Authority) -> Path:
    """The folder of what a client presents."""
    folder = signer.folder / "client"
    folder.mkdir()
    pair = signer.issue("client")
    for source, name in ((signer.file, "ca.pem"), (pair.certificate, "node.pem"), (pair.key, "node.key")):
        shutil.copy(source, folder / name)
    return folder


@contextlib.contextmanager
def members(folder: Path, version: str, signer: Authority) -> Iterator[Sequence[Node]]:
    """Three members with http, and certificates that nobody uses yet."""
    nodes = planned(folder, version, 3)
    for node in nodes:
        hand_out(signer, node)
    with running(nodes, 3):
        yield nodes


def following(said: str) -> tuple[str, tuple[str, ...]] | None:
    """The node and the words of the command that is printed as the next."""
    found = re.search(r"^Next, on (\S+): etcd-ha tls (.*)$", said, re.MULTILINE)
    return (found[1], tuple(found[2].split())) if found else None


def member_urls(node: Node) -> set[str]:
    """All URLs that the members have in the cluster."""
    rows = [line.split(", ") for line in node.etcdctl("member", "list").splitlines()]
    return {url for row in rows for url in (*row[3].split(","), *row[4].split(","))}


def is_served(node: Node, scheme: str, client: Path) -> bool:
    gateway = Gateway(f"{scheme}://{node.address}:2379", 2, client)
    try:
        return gateway.put("first", "put")
    finally:
        gateway.close()


def change_under_way(node: Node) -> tuple[str | None, str | None, dict[str, str]]:
    """As status has it: which, the next member, and the stage of each."""
    said = json.loads(node.tool("status", "--json").stdout)
    return said["tls_change"], said["tls_next"], {one["name"]: one["stage"] for one in said["tls_stages"]}
