"""What etcd-ha migrate says to type where it can't go on, typed as printed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.machines.cluster import etcdctl, is_healthy, preseed
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.advice import follow
from tests.system.service import service

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

FILE = "/etc/etcd/etcd.yaml"
DEBIAN = "/var/lib/etcd/default"
DROP_IN = "/etc/systemd/system/etcd.service.d/debian.conf"


@pytest.fixture
def node(nodes: Nodes, package: Package) -> Machine:
    """A node with a member of this package."""
    (machine,) = nodes(1)
    preseed(machine, {"setup": "single", "address": machine.address})
    machine.install(package("3.6.16"))
    wait_for("the member to be healthy", partial(is_healthy, machine), within=30)
    etcdctl(machine, "put", "key", "value")
    machine.put("/root/etcd.yaml", machine.get(FILE))
    settings = "".join(
        f"ETCD_{name}=http://{machine.address}:{port}\n"
        for name, port in (
            ("LISTEN_CLIENT_URLS", 2379),
            ("ADVERTISE_CLIENT_URLS", 2379),
            ("LISTEN_PEER_URLS", 2380),
        )
    )
    machine.put("/etc/default/etcd", settings)
    return machine


def as_debian_left_it(node: Machine, data: str = "/var/lib/etcd-ha") -> None:
    """Stopped, with its data where Debian's package has it, and no file of ours."""
    node.run("systemctl", "stop", "etcd")
    node.run("sh", "-ec", f"rm -rf /var/lib/etcd; mkdir -p {DEBIAN}; mv {data}/member {DEBIAN}; rm -f {FILE}")
    node.run("chown", "-R", "etcd:etcd", "/var/lib/etcd")


def own_file(node: Machine, data: str = DEBIAN) -> str:
    """etcd.yaml of this package, with the data where Debian's package would delete it."""
    return node.get("/root/etcd.yaml").replace("data-dir: /var/lib/etcd-ha", f"data-dir: {data}")


def refused(node: Machine, *options: str) -> str:
    done = node.run("etcd-ha", "migrate", *options, check=False)
    assert done.returncode == 1, done.stdout
    return done.stdout


def migrated(node: Machine) -> None:
    wait_for("the member to be healthy", partial(is_healthy, node), within=30)
    assert etcdctl(node, "get", "key").split() == ["key", "value"]


def runs_on_it(node: Machine, *how: str) -> None:
    node.run(
        "sh",
        "-c",
        f"cd /srv; {' '.join(how)} /usr/lib/etcd-ha/bin/etcd --data-dir {DEBIAN} >/dev/null 2>&1 &",
    )
    local = ("etcdctl", "endpoint", "health")
    wait_for("the other etcd", lambda: "is healthy" in node.run(*local, check=False).stdout, within=20)


@pytest.mark.soak
def test_etcd_that_runs_on_the_data_is_ended_by_the_command_and_the_migration_goes_on(node: Machine) -> None:
    as_debian_left_it(node)
    runs_on_it(node, "systemd-run", "--unit=other", "--uid=etcd")
    said = refused(node)
    assert f"an etcd process uses {DEBIAN}" in said
    follow(said, node, "systemctl stop other.service", "etcd-ha migrate")
    migrated(node)

    as_debian_left_it(node)
    runs_on_it(node, "setpriv", "--reuid", "etcd", "--clear-groups")
    said = refused(node)
    follow(said, node, "kill ")
    # It was begun; by now the disk is full.
    node.run("mount", "-t", "tmpfs", "-o", "size=1M,mode=0700,uid=etcd", "tmpfs", "/var/lib/etcd-ha")
    said = refused(node)
    assert "/var/lib/etcd-ha does not have enough free space" in said
    node.run("umount", "/var/lib/etcd-ha")
    follow(said, node, "etcd-ha migrate")
    migrated(node)


def test_what_keeps_a_migration_from_beginning_is_said_with_the_command(node: Machine) -> None:
    as_debian_left_it(node)
    node.run("mkdir", "/etc/systemd/system/etcd.service.d")
    node.put(DROP_IN, "[Service]\nExecStart=\nExecStart=/bin/true\n")
    said = refused(node)
    node.run("rm", DROP_IN)
    follow(said, node, "systemctl daemon-reload; etcd-ha migrate")
    migrated(node)

    as_debian_left_it(node)
    node.put("/srv/debian.yaml", own_file(node))
    settings = node.get("/etc/default/etcd")
    node.put("/etc/default/etcd", f"{settings}ETCD_CONFIG_FILE=/srv/debian.yaml\n")
    follow(refused(node), node, "cp ")
    migrated(node)
    node.put("/etc/default/etcd", settings)

    as_debian_left_it(node)
    node.put(FILE, own_file(node, f"{DEBIAN}\nData-Dir: {DEBIAN}"))
    said = refused(node)
    assert "what to migrate can't be determined" in said
    node.put(FILE, own_file(node))
    follow(said, node, "etcd-ha migrate")
    migrated(node)

    as_debian_left_it(node)
    node.run("mount", "-t", "tmpfs", "-o", "size=1M,mode=0700,uid=etcd", "tmpfs", "/var/lib/etcd-ha")
    follow(refused(node), node, "etcd-ha migrate --to DIR", replaced={"DIR": "/srv/etcd"})
    migrated(node)
    assert node.run("test", "-d", "/srv/etcd/member").returncode == 0


@pytest.mark.soak
def test_what_the_end_of_a_migration_says_about_the_service_is_typed(node: Machine) -> None:
    as_debian_left_it(node)
    node.run("systemctl", "disable", "etcd")
    said = node.run("etcd-ha", "migrate").stdout
    assert service(node).active == "inactive"
    follow(said, node, "systemctl enable --now etcd")
    migrated(node)

    as_debian_left_it(node)
    urls = f"Listen-Client-Urls: http://{node.address}:2379\n"
    node.put(FILE, f"{own_file(node)}{urls}")
    said = node.run("etcd-ha", "migrate").stdout
    assert "member" in follow(said, node, "etcd-ha status", check=False)
    migrated(node)

    # Of two members one is not there.
    etcdctl(node, "member", "add", "ghost", "--peer-urls=http://10.66.0.99:2380")
    as_debian_left_it(node)
    node.put(FILE, own_file(node))
    said = node.run("etcd-ha", "migrate", within=120).stdout
    typed = follow(said, node, "etcd-ha status; journalctl -u etcd", check=False)
    assert "waiting for the network or a majority of its members" in typed
    assert "10.66.0.99:2380" in typed
