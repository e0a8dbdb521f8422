"""etcd is asked what it thinks of etcd.yaml without a trace on the node."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.support.machines.cluster import is_healthy
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

CONFIG = "/etc/etcd/etcd.yaml"
LOG = "/var/lib/etcd-ha/etcd.log"


def test_etcd_can_write_its_log_after_it_was_rotated_and_the_file_was_checked(
    serving: Nodes, package: Package
) -> None:
    (node,) = serving(1, "3.6.7")
    node.put(CONFIG, node.get(CONFIG) + f"log-outputs: [{LOG}]\n", mode="0640")
    node.run("systemctl", "restart", "etcd")
    node.run("mv", LOG, f"{LOG}.1")
    node.run("etcd-ha", "config", "lint")
    node.run("etcd-ha", "status", check=False)
    node.run("etcd-ha", "config", "set", "log-level", "info")
    assert node.run("test", "-e", LOG, check=False).returncode == 1
    node.install(package("3.6.16"))
    wait_for("the new version to serve", partial(is_healthy, node), within=60)
    assert node.run("stat", "-c", "%U %G", LOG).stdout == "etcd etcd\n"
    assert "/dev/null" not in node.get(LOG) + node.get(f"{LOG}.1")
    assert '"level":"fatal"' not in node.get(LOG) + node.get(f"{LOG}.1")
