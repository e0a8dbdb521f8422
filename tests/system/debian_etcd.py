"""A node with Debian's own etcd and data in it, which etcd-ha is to take over."""

from collections.abc import Callable
from pathlib import Path

from tests.support.machines.machine import Machine
from tests.support.machines.mirror import download_packages

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]
Debian = Callable[[Machine, str], None]

KEYS = {f"key{number}": f"value {number}" for number in range(20)}


def debian_installer(new_folder: Callable[[str], Path]) -> Debian:
    """Installs a suite's own etcd, with a name and a heartbeat of the admin's, and data in it."""
    fetched: dict[str, list[Path]] = {}

    def install(node: Machine, suite: str) -> None:
        if suite not in fetched:
            folder = new_folder(f"debian-{suite}")
            fetched[suite] = download_packages(suite, ["etcd-server", "etcd-client"], folder)
        node.install(*fetched[suite])
        settings = "ETCD_NAME=admins-name\nETCD_HEARTBEAT_INTERVAL=200\nETCD_ELECTION_TIMEOUT=2000\n"
        node.run("sh", "-c", "cat >>/etc/default/etcd", input=settings)
        node.run("systemctl", "restart", "etcd")
        for key, value in KEYS.items():
            node.run("etcdctl", "put", key, value)

    return install


def keys_of(node: Machine) -> dict[str, str]:
    lines = node.run("etcdctl", "get", "", "--from-key").stdout.splitlines()
    return dict(zip(lines[::2], lines[1::2], strict=True))


def id_of(node: Machine) -> str:
    return node.run("etcdctl", "member", "list").stdout.split(", ")[0]


def prepared(nodes: Nodes, package: Package, debian_etcd: Debian, suite: str) -> Machine:
    """A node with Debian's data and our package, not yet migrated."""
    (node,) = nodes(1, suite, "adduser")
    debian_etcd(node, suite)
    said = node.install(package(suite)).stdout
    assert "to continue with it: etcd-ha migrate" in said
    return node
