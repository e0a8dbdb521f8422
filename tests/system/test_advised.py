"""Short messages with a command, in the state in which they appear; the command is typed as printed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.lab.cluster import is_healthy, preseed
from tests.lab.machine import Machine
from tests.lab.wait import wait_for
from tests.system.advice import command, type_in
from tests.system.service import service

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

FILE = "/etc/etcd/etcd.yaml"


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
    assert "(or write /etc/etcd/etcd.yaml and run: systemctl start etcd)" in text
    type_in(node, command(text.rstrip(")"), "systemctl start"))
    healthy(node)


def test_what_preflight_says_to_type_heals_the_member(nodes: Nodes, package: Package) -> None:
    (node,) = nodes(1)
    single(node, package("3.6.16"))
    node.run("sh", "-c", f"chgrp root {FILE}; chmod 0600 {FILE}")
    type_in(node, command(fails(node), "chgrp etcd"))
    node.run("systemctl", "start", "etcd")
    healthy(node)
    node.run("install", "-d", "-m", "0755", "/srv/data")
    node.run("etcd-ha", "config", "set", "data-dir", "/srv/data")
    said = fails(node)
    assert "etcd can't write into /srv/data: drwxr-xr-x, owner root, group root" in said
    type_in(node, command(said, "chown etcd:etcd"))
    healthy(node)


def test_restart_of_what_does_not_run_says_how_to_start_it(nodes: Nodes, package: Package) -> None:
    (node,) = nodes(1)
    single(node, package("3.6.16"))
    node.run("systemctl", "stop", "etcd")
    type_in(node, command(node.run("etcd-ha", "restart", check=False).stdout, "systemctl start"))
    healthy(node)


def test_setting_says_how_it_comes_to_count(nodes: Nodes, package: Package) -> None:
    (node,) = nodes(1)
    single(node, package("3.6.16"))
    pid = service(node).pid
    said = node.run("etcd-ha", "config", "set", "heartbeat-interval", "150").stdout
    type_in(node, command(said, "systemctl restart"))
    assert service(node).pid != pid
    healthy(node)
