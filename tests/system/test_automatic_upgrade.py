"""unattended-upgrades and needrestart, both real, in automatic mode: no restart beside the one in turn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.machines.machine import Machine
from tests.support.sample import sampled
from tests.system.service import service
from tests.system.upgrades import formed, running_version

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

REPOSITORY = "/srv/repository"
AUTOMATIC = """
Unattended-Upgrade::Origins-Pattern { "origin=etcd-lab"; };
Unattended-Upgrade::SyslogEnable "false";
"""


def offer(node: Machine, deb: Path) -> None:
    """Put the package into the only archive that apt of the node knows."""
    node.run("mkdir", "-p", REPOSITORY)
    node.put(f"{REPOSITORY}/{deb.name}", deb)
    release = "apt-ftparchive -o APT::FTPArchive::Release::Origin=etcd-lab release . >/tmp/Release"
    node.run(
        "sh",
        "-ec",
        f"cd {REPOSITORY}; apt-ftparchive packages . >Packages; {release}; mv /tmp/Release .",
    )
    node.run("sh", "-c", "rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*")
    node.put("/etc/apt/sources.list", f"deb [trusted=yes] file:{REPOSITORY} ./\n")
    node.put("/etc/apt/apt.conf.d/60lab", AUTOMATIC)
    node.put("/etc/needrestart/conf.d/lab.conf", "$nrconf{restart} = 'a';\n")
    node.run("apt-get", "-q", "update")


def starts(node: Machine) -> int:
    """How often systemd has started etcd."""
    return node.journal("-u", "etcd").count("Starting etcd.service")


@pytest.mark.parametrize(("policy", "restarts"), sampled([("in-turn", 1), ("never", 0)], ("in-turn", 1)))
def test_automatic_upgrade_restarts_by_policy_and_needrestart_adds_none(
    nodes: Nodes, package: Package, policy: str, restarts: int
) -> None:
    (node,) = nodes(1, "trixie", "unattended-upgrades", "needrestart")
    formed([node], package("3.6.7"), {"setup": "single", "restart-policy": policy})
    offer(node, package("3.6.16"))
    before = starts(node)
    said = node.run("unattended-upgrade", "-v", within=180).stdout
    assert "Packages that will be upgraded: etcd-ha" in said
    version = node.run("dpkg-query", "-W", "-f", "${Version}", "etcd-ha").stdout
    assert version == "3.6.16-1"
    by_hand = node.run("needrestart", "-r", "a", "-l", within=120).stdout
    assert starts(node) - before == restarts
    assert running_version(node) == ("3.6.16" if restarts else "3.6.7")
    # It has seen the old binary run, and left it alone.
    assert ("etcd.service" in by_hand) == (restarts == 0)
    assert service(node).active == "active"
