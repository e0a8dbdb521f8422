"""The package from real releases installs and serves on the Debians it is for."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.machines.cluster import Cluster, etcdctl, is_healthy, preseed
from tests.support.machines.machine import Machine
from tests.support.releases import releases
from tests.support.wait import wait_for

Nodes = Callable[..., list[Machine]]
Package = Callable[..., Path]

# The newest static build, and the newest dynamic one.
VERSIONS = (releases.NEWEST["3.7"], "3.5.30")
WHERE = [(suite, version) for suite in ("bookworm", "trixie", "forky") for version in VERSIONS]


# In ci/test, the README's own build is installed so on bookworm, and by a repository on trixie.
@pytest.mark.soak
@pytest.mark.parametrize(("suite", "version"), WHERE)
def test_single_node_installs_runs_and_keeps_a_value(
    nodes: Nodes, package: Package, suite: str, version: str
) -> None:
    # Compressed as etcd-deb does by itself.
    deb = package(version, "xz")
    (node,) = nodes(1, suite)
    preseed(node, {"setup": "single", "address": node.address})
    output = node.install(deb).stdout
    assert not re.findall(r"^[EW]: .*", output, re.MULTILINE)
    wait_for("the member to be healthy", lambda: is_healthy(node), within=20)
    assert node.run("systemctl", "is-enabled", "etcd").stdout.strip() == "enabled"
    assert etcdctl(node, "put", "key", "value").strip() == "OK"
    assert etcdctl(node, "get", "key").split() == ["key", "value"]
    assert f"etcd Version: {version}\n" in node.run("etcd", "--version").stdout


# In ci/test, README.Debian forms one so, and late peers do (test_readme.py, test_node_answers.py).
@pytest.mark.soak
@pytest.mark.parametrize("version", VERSIONS)
def test_three_preseeded_nodes_form_one_cluster(nodes: Nodes, package: Package, version: str) -> None:
    deb = package(version)
    cluster = Cluster(nodes(3))
    cluster.install(deb)
    cluster.wait_for_quorum(within=30)
    first, second, third = cluster.machines
    assert cluster.members(first) == {"n1": "started", "n2": "started", "n3": "started"}
    assert etcdctl(first, "put", "key", "value").strip() == "OK"
    assert etcdctl(second, "get", "key").split() == ["key", "value"]
    assert etcdctl(third, "del", "key").strip() == "1"
    assert etcdctl(first, "get", "key") == ""


def test_member_comes_back_after_a_reboot_of_its_node(serving: Nodes) -> None:
    (node,) = serving(1, releases.NEWEST["3.7"])
    etcdctl(node, "put", "key", "value")
    node.reboot()
    wait_for("the member to be healthy after the reboot", lambda: is_healthy(node), within=20)
    assert etcdctl(node, "get", "key").split() == ["key", "value"]
