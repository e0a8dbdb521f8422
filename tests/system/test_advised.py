"""Short messages with a command, in the state in which they appear; the command is typed as printed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.faults.certificates import ANSWERS, CLIENT, hand_out
from tests.support.faults.versions import relabel
from tests.support.machines.cluster import is_healthy, is_serving, preseed
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.advice import follow
from tests.system.service import service

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

FILE = "/etc/etcd/etcd.yaml"
NONINTERACTIVE = {"DEBIAN_FRONTEND": "noninteractive"}
# systemd runs it, and it ends at once.
CANT_START = '#!/bin/sh\n[ "$1" != --version ] || echo "etcd Version: 3.6.17"\nexit 1\n'


def healthy(machine: Machine) -> None:
    wait_for("the member to be healthy", partial(is_healthy, machine), within=30)


def single(machine: Machine, deb: Path) -> None:
    preseed(machine, {"setup": "single", "address": machine.address})
    machine.install(deb)
    healthy(machine)


def fails(machine: Machine) -> str:
    """The service ends by preflight's word; what it says by hand."""
    machine.run("systemctl", "restart", "--no-block", "etcd")
    wait_for("etcd.service to fail", lambda: service(machine).active == "failed", within=20)
    return machine.run("etcd-ha", "preflight", check=False).stdout


def test_after_the_installation_a_file_by_hand_and_the_command_start_etcd(
    nodes: Nodes, package: Package
) -> None:
    (node,) = nodes(1)
    said = node.install(package("3.6.16")).stdout
    url = f"http://{node.address}"
    lines = {
        "name": node.name,
        "data-dir": "/var/lib/etcd-ha",
        "listen-client-urls": f"{url}:2379,http://127.0.0.1:2379",
        "advertise-client-urls": f"{url}:2379",
        "listen-peer-urls": f"{url}:2380",
        "initial-advertise-peer-urls": f"{url}:2380",
        "initial-cluster": f"{node.name}={url}:2380",
    }
    node.put(FILE, "".join(f"{key}: {value}\n" for key, value in lines.items()), mode="0640")
    node.run("chgrp", "etcd", FILE)
    (text,) = (line for line in said.splitlines() if "stays stopped" in line)
    assert "(or write /etc/etcd/etcd.yaml, owner root, group etcd, mode 0640)" in text
    follow(text, node, "systemctl start etcd")
    healthy(node)


def test_what_preflight_says_to_type_heals_the_member(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    node.run("sh", "-c", f"chgrp root {FILE}; chmod 0600 {FILE}")
    follow(fails(node), node, "chgrp etcd")
    node.run("systemctl", "start", "etcd")
    healthy(node)
    node.run("install", "-d", "-m", "0755", "/srv/data")
    node.run("etcd-ha", "config", "set", "data-dir", "/srv/data")
    said = fails(node)
    assert "etcd can't write into /srv/data: drwxr-xr-x, owner root, group root" in said
    follow(said, node, "chown etcd:etcd")
    healthy(node)


@pytest.mark.soak
def test_restart_of_what_does_not_run_says_how_to_start_it(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    node.run("systemctl", "stop", "etcd")
    follow(node.run("etcd-ha", "restart", check=False).stdout, node, "systemctl start etcd")
    healthy(node)


@pytest.mark.soak
def test_setting_says_how_it_comes_to_count(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    pid = service(node).pid
    said = node.run("etcd-ha", "config", "set", "heartbeat-interval", "150").stdout
    follow(said, node, "systemctl restart etcd")
    assert service(node).pid != pid
    healthy(node)


def test_unknown_command_leads_to_the_help(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    said = node.run("etcd-ha", "upgrade", check=False).stdout
    assert "Usage: etcd-ha COMMAND" in follow(said, node, "etcd-ha help")


def test_member_that_its_own_list_does_not_name_starts_after_the_correction(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    node.run("etcd-ha", "reset", "--yes")
    node.run("etcd-ha", "config", "set", "name", "other")
    said = fails(node)
    assert "has no entry for this node's name, other" in said
    node.run("etcd-ha", "config", "set", "name", node.name)
    follow(said, node, "systemctl start etcd")
    healthy(node)


@pytest.mark.soak
def test_start_that_fails_is_looked_at_by_the_commands(
    nodes: Nodes, package: Package, tmp_path: Path
) -> None:
    refused, broken = nodes(2)
    refused.run("mkdir", "/etc/etcd")
    refused.put(FILE, f"name: {refused.name}\nlog-level: loud\n")
    (line,) = (
        line for line in refused.install(package("3.6.16")).stdout.splitlines() if "does not start: " in line
    )
    typed = follow(line, refused, "systemctl status etcd; journalctl -u etcd")
    assert typed.count(f"etcd refuses {FILE}") == 2
    assert "Active: failed" in typed

    single(broken, package("3.6.16"))
    said = broken.install(relabel(package("3.6.16"), "3.6.17-1", tmp_path, binary=CANT_START)).stdout
    assert "etcd does not serve after its restart" in said
    typed = follow(said, broken, "systemctl status etcd; journalctl -u etcd")
    assert "etcd.service: Main process exited, code=exited, status=1/FAILURE" in typed


def test_unit_that_a_failed_removal_could_not_start_again_is_started_by_the_command(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    script = "/var/lib/dpkg/info/etcd-ha.prerm"
    node.put(script, f'{node.get(script)}\n[ "$1" != remove ] || exit 1\n', mode="0755")
    node.run("systemctl", "mask", "etcd")
    done = node.run("dpkg", "--remove", "etcd-ha", env=NONINTERACTIVE, check=False)
    assert done.returncode != 0
    assert "Unit etcd.service is masked" in done.stdout
    node.run("systemctl", "unmask", "etcd")
    follow(done.stdout, node, "systemctl start etcd.service")
    healthy(node)


@pytest.mark.soak
def test_alarm_of_a_cluster_with_tls_is_cleared_by_the_commands(nodes: Nodes, package: Package) -> None:
    (node,) = nodes(1)
    hand_out([node])
    preseed(node, {"setup": "single", "address": node.address, "quota": "16M", **ANSWERS})
    node.install(package("3.6.16"))
    wait_for("the member to serve", partial(is_serving, node), within=30)
    client = {"ETCDCTL_ENDPOINTS": f"https://{node.address}:2379", **CLIENT}
    node.put("/root/big", "x" * 1_000_000)
    node.run("sh", "-c", "for i in $(seq 40); do etcdctl put k$i </root/big || exit 0; done", env=client)
    said = node.run("etcd-ha", "restart", check=False).stdout
    assert "etcd was not restarted: alarm NOSPACE" in said
    follow(
        said,
        node,
        "export ETCDCTL_ENDPOINTS",
        "export ETCDCTL_CACERT",
        "export ETCDCTL_CERT",
        "export ETCDCTL_KEY",
        "etcdctl compact",
        "etcdctl defrag",
        "alarm disarm",
    )
    assert node.run("etcdctl", "alarm", "list", env=client).stdout == ""
