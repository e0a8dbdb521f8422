"""An etcd that runs without /etc/etcd/etcd.yaml counts by what its process shows, and nothing else does."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.machines.cluster import is_serving
from tests.support.machines.machine import Machine
from tests.support.releases import releases
from tests.support.wait import wait_for
from tests.system.advice import follow

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

VERSION = "3.5.16"
BY_HAND = "/opt/etcd/etcd"
UNIT = """\
[Unit]
Description=etcd by hand

[Service]
Type=notify
User=etcd
Environment="ETCD_NAME=by hand" ETCD_DATA_DIR=/srv/etcd
ExecStart=/opt/etcd/etcd --initial-cluster "by hand=http://{address}:2380" \\
  --initial-advertise-peer-urls http://{address}:2380 --listen-peer-urls http://{address}:2380 \\
  --listen-client-urls=http://{address}:2379,http://127.0.0.1:2379 --advertise-client-urls http://{address}:2379
Restart=always

[Install]
WantedBy=multi-user.target
"""
CONFIG = """\
name: other
data-dir: /srv/etcd
listen-client-urls: http://127.0.0.1:2379
advertise-client-urls: http://127.0.0.1:2379
"""


WAY = "To run it as the package's etcd.service:"


@pytest.fixture
def node(nodes: Nodes) -> Machine:
    """A node with the programs of 3.5.16 in /opt, and no package."""
    (node,) = nodes(1)
    releases.ensure(VERSION)
    tarball = releases.RELEASES / f"v{VERSION}" / f"etcd-v{VERSION}-linux-amd64.tar.gz"
    node.put("/root/etcd.tar.gz", tarball)
    node.run("sh", "-ec", "mkdir /opt/etcd; tar -C /opt/etcd --strip-components=1 -xzf /root/etcd.tar.gz")
    node.run("useradd", "--system", "etcd")
    node.run("install", "-d", "-o", "etcd", "-m", "0700", "/srv/etcd")
    return node


def answers(node: Machine) -> bool:
    """Whether a member answers at loopback."""
    words = ("--endpoints=127.0.0.1:2379", "endpoint", "health", "--command-timeout=1s")
    return node.run("/opt/etcd/etcdctl", *words, check=False).returncode == 0


NO_PACKAGE = "dpkg-query: no packages found matching etcd-ha\n"


def refused(node: Machine, deb: Path, *said: str) -> None:
    """dpkg -i is refused, says all that, and changes nothing."""
    node.put("/root/etcd-ha.deb", deb)
    done = node.run("dpkg", "-i", "/root/etcd-ha.deb", check=False)
    assert done.returncode != 0
    for text in ("skips a minor version", "Nothing was changed", f"etcd {VERSION}", *said):
        assert text in done.stdout
    # dpkg remembers the name of what it has refused, without a version.
    assert node.run("dpkg-query", "-W", "-f", "${Version}", "etcd-ha", check=False).stdout in {"", NO_PACKAGE}


def shell_started(node: Machine, command: str) -> str:
    """Start a command as the account etcd that goes on by itself; its process id, when it serves."""
    run = f"cd /srv; setpriv --reuid etcd --clear-groups {command} >/dev/null 2>&1 & echo $!"
    pid = node.run("sh", "-c", run).stdout.strip()
    wait_for("etcd to answer", partial(answers, node), within=20)
    return pid


def end(node: Machine, pid: str) -> None:
    node.run("kill", pid)
    wait_for("etcd to end", lambda: not answers(node), within=20)


def test_forbidden_step_is_refused_over_an_etcd_that_runs_without_our_file(
    node: Machine, package: Package
) -> None:
    deb = package("3.7.3")
    # A service, by variables and flags.
    node.put("/etc/systemd/system/etcd.service", UNIT.format(address=node.address))
    node.run("systemctl", "enable", "--now", "etcd")
    refused(node, deb, f"{BY_HAND} by etcd.service", "data of 3.5.0")
    # The same, stopped: its unit tells where the data is.
    node.run("systemctl", "disable", "--now", "etcd")
    refused(node, deb, "data of 3.5.0")
    # A service of another name, by a file of its own.
    node.run("rm", "-r", "/srv/etcd/member")
    node.put("/srv/etcd.yml", CONFIG)
    unit = UNIT.format(address=node.address)
    command = "ExecStart=/opt/etcd/etcd --config-file /srv/etcd.yml"
    node.put("/etc/systemd/system/etcd2.service", re.sub(r"ExecStart=(.*\\\n)*.*", command, unit))
    node.run("rm", "/etc/systemd/system/etcd.service")
    node.run("systemctl", "daemon-reload")
    node.run("systemctl", "start", "etcd2")
    refused(node, deb, "by etcd2.service")
    node.run("systemctl", "stop", "etcd2")
    # No service: from a shell, by a relative path, and its program moved away meanwhile.
    pid = shell_started(node, f"{BY_HAND} -data-dir etcd")
    node.run("mv", BY_HAND, f"{BY_HAND}.old")
    refused(node, deb, f"process {pid}, {BY_HAND}.old)")
    node.run("mv", f"{BY_HAND}.old", BY_HAND)
    end(node, pid)
    pid = shell_started(node, f"env ETCD_DATA_DIR=etcd {BY_HAND}")
    refused(node, deb, f"process {pid}, {BY_HAND})")
    end(node, pid)


@pytest.mark.soak
def test_etcd_of_a_container_and_one_that_holds_no_data_do_not_count(node: Machine, package: Package) -> None:
    inside = shell_started(node, f"unshare --user --map-root-user --pid --fork {BY_HAND} --data-dir etcd")
    gateway = node.start(
        BY_HAND, "gateway", "start", "--endpoints=127.0.0.1:2379", output=node.console.with_suffix(".gw")
    )
    try:
        node.put("/root/etcd-ha.deb", package("3.7.3"))
        said = node.run("dpkg", "-i", "/root/etcd-ha.deb", env={"DEBIAN_FRONTEND": "noninteractive"}).stdout
    finally:
        gateway.kill()
        gateway.wait(timeout=10)
    assert "etcd is not configured and stays stopped" in said
    assert inside


def test_last_message_says_what_runs_and_its_commands_bring_it_under_the_package(
    node: Machine, package: Package
) -> None:
    node.put("/etc/systemd/system/etcd.service", UNIT.format(address=node.address))
    node.run("systemctl", "enable", "--now", "etcd")
    node.run("/opt/etcd/etcdctl", "put", "key", "value")
    node.put("/root/etcd-ha.deb", package("3.5.35"))
    said = node.run("dpkg", "-i", "/root/etcd-ha.deb", env={"DEBIAN_FRONTEND": "noninteractive"}).stdout
    assert "stays stopped" not in said
    pid = node.run("systemctl", "show", "-P", "MainPID", "etcd").stdout.strip()
    where = f"process {pid}, {BY_HAND} by etcd.service, data in /srv/etcd"
    assert f"etcd {VERSION} runs without /etc/etcd/etcd.yaml: {where}" in said
    way = said.partition(WAY)[2]
    follow(way, node, "install -o root", "systemctl stop etcd", "mv ", "chown -R")
    follow(way, node, "systemctl daemon-reload", "systemctl enable etcd", "systemctl start etcd")
    wait_for("the member to serve", partial(is_serving, node), within=20)
    assert node.run("etcdctl", "get", "key", "--print-value-only").stdout == "value\n"
    unit = node.run("systemctl", "show", "-P", "FragmentPath", "etcd").stdout.strip()
    assert unit == "/usr/lib/systemd/system/etcd.service"
    assert "3.5.35" in node.run("etcd-ha", "status").stdout


@pytest.mark.soak
def test_last_message_brings_another_unit_and_a_process_of_a_shell_under_the_package(
    node: Machine, package: Package
) -> None:
    deb = package("3.5.35")
    node.put("/root/etcd-ha.deb", deb)
    install = ("dpkg", "-i", "/root/etcd-ha.deb")
    node.put("/etc/systemd/system/etcd2.service", UNIT.format(address=node.address))
    node.run("systemctl", "enable", "--now", "etcd2")
    node.run("/opt/etcd/etcdctl", "put", "key", "value")
    way = node.run(*install, env={"DEBIAN_FRONTEND": "noninteractive"}).stdout.partition(WAY)[2]
    follow(way, node, "install -o root", "systemctl disable --now etcd2.service", "chown -R")
    follow(way, node, "systemctl daemon-reload", "systemctl enable etcd", "systemctl start etcd")
    wait_for("the member to serve", partial(is_serving, node), within=20)

    node.run("systemctl", "stop", "etcd")
    node.run("rm", "/etc/etcd/etcd.yaml")
    node.run("mv", "/srv/etcd", "/srv/shell")
    shell_started(node, f"{BY_HAND} --data-dir /srv/shell")
    way = node.run(*install, env={"DEBIAN_FRONTEND": "noninteractive"}).stdout.partition(WAY)[2]
    follow(way, node, "install -o root", "kill ", "chown -R")
    follow(way, node, "systemctl daemon-reload", "systemctl enable etcd", "systemctl start etcd")
    wait_for("the member to serve", partial(is_serving, node), within=20)
    assert node.run("etcdctl", "get", "key", "--print-value-only").stdout == "value\n"
