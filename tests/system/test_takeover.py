"""A node that runs etcd by hand takes the package over, and gets its own etcd back without it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.machines.machine import Machine
from tests.support.releases import releases
from tests.support.wait import wait_for
from tests.system.advice import follow
from tests.system.article import install_by_hand
from tests.system.service import member_id, service

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

CONFIG = "/etc/etcd/etcd.yaml"
OURS = {"etcd": "/usr/lib/etcd-ha/bin/etcd", "etcdctl": "/usr/lib/etcd-ha/client/etcdctl"}


def is_serving(machine: Machine) -> bool:
    done = machine.run("etcdctl", "endpoint", "health", "--command-timeout=2s", check=False)
    return "is healthy" in done.stdout


def alternative(machine: Machine, name: str) -> dict[str, str]:
    shown = machine.run("update-alternatives", "--query", name).stdout.split("\n\n")[0]
    return dict(line.split(": ", 1) for line in shown.splitlines() if ": " in line)


def by_hand(nodes: Nodes, count: int) -> list[Machine]:
    machines = nodes(count)
    install_by_hand(machines, releases.ensure()["pypi"])
    for machine in machines:
        wait_for(f"{machine.name} to serve", partial(is_serving, machine), within=30)
    return machines


def test_article_install_takes_the_package_over_and_gets_its_own_back(nodes: Nodes, package: Package) -> None:
    deb = package("forky")
    machines = by_hand(nodes, 3)
    first, second, third = machines
    assert first.run("etcdctl", "put", "testkey", "Hello World").stdout == "OK\n"
    unit, config = first.get("/etc/systemd/system/etcd.service"), first.get(CONFIG)
    owner = first.run("stat", "-c", "%U:%G %a", CONFIG).stdout
    known, pid = member_id(first), service(first).pid

    said = first.install(deb).stdout
    assert (
        "/etc/systemd/system/etcd.service is not from this package and still defines the service etcd" in said
    )
    assert first.get(CONFIG) == config
    assert first.run("stat", "-c", "%U:%G %a", CONFIG).stdout == owner
    assert first.get("/etc/systemd/system/etcd.service") == unit
    assert service(first).pid == pid, "etcd was restarted by the installation"
    for name, link in (("etcd", "/usr/sbin/etcd"), ("etcdctl", "/usr/bin/etcdctl")):
        shown = alternative(first, name)
        assert (shown["Status"], shown["Value"]) == ("auto", OURS[name])
        assert first.run("readlink", "-f", link).stdout.strip() == OURS[name]

    first.run("systemctl", "restart", "etcd")
    assert first.run("readlink", f"/proc/{service(first).pid}/exe").stdout.strip() == OURS["etcd"]
    assert member_id(first) == known
    assert second.run("etcdctl", "get", "testkey").stdout == "testkey\nHello World\n"
    assert "/etc/systemd/system/etcd.service, not from the package" in first.run("etcd-ha", "status").stdout

    first.reboot()
    wait_for("n1 to serve after the reboot", partial(is_serving, first), within=30)
    assert member_id(first) == known

    first.run("apt-get", "-q", "-y", "remove", "etcd-ha")
    for name in ("etcd", "etcdctl"):
        shown = alternative(first, name)
        assert (shown["Status"], shown["Value"]) == ("auto", f"/usr/local/etcd/{name}")
    wait_for("the article's etcd to serve again", partial(is_serving, first), within=30)
    exe = first.run("readlink", f"/proc/{service(first).pid}/exe").stdout.strip()
    assert exe == "/usr/local/etcd-v3.5.1-linux-amd64/etcd"
    assert (member_id(first), first.get(CONFIG)) == (known, config)
    assert third.run("etcdctl", "del", "testkey").stdout == "1\n"


@pytest.mark.soak
def test_purge_leaves_the_article_install_enabled_and_running(nodes: Nodes, package: Package) -> None:
    (node,) = by_hand(nodes, 1)
    node.run("etcdctl", "put", "key", "value")
    node.install(package("forky"))
    node.run("apt-get", "-q", "-y", "purge", "etcd-ha")
    node.reboot()
    wait_for("the article's etcd to serve after the reboot", partial(is_serving, node), within=30)
    assert node.run("etcdctl", "get", "key").stdout == "key\nvalue\n"


@pytest.mark.soak
def test_unit_of_the_package_serves_the_article_data_once_the_admin_moves_his_away(
    nodes: Nodes, package: Package
) -> None:
    (node,) = by_hand(nodes, 1)
    node.run("etcdctl", "put", "key", "value")
    follow(node.install(package("forky")).stdout, node, "mv ")
    assert node.run("etcdctl", "get", "key").stdout == "key\nvalue\n"
    shown = node.run("systemctl", "show", "etcd", "-p", "ReadWritePaths", "-p", "RequiresMountsFor").stdout
    assert shown.count("/var/lib/etcd/postgresql") == 2


@pytest.mark.soak
def test_wal_directory_elsewhere_is_writable_in_the_sandbox(nodes: Nodes, package: Package) -> None:
    (node,) = by_hand(nodes, 1)
    node.install(package("forky"))
    node.run("systemctl", "stop", "etcd")
    node.run("mv", "/etc/systemd/system/etcd.service", "/root/")
    node.run("mkdir", "-p", "/srv/log dir")
    node.run("mv", "/var/lib/etcd/postgresql/member/wal", "/srv/log dir/wal")
    node.put(CONFIG, node.get(CONFIG) + 'wal-dir: "/srv/log dir/wal"\n')
    node.run("systemctl", "daemon-reload")
    node.run("systemctl", "start", "etcd")
    assert is_serving(node)
    node.run("etcdctl", "put", "key", "value")
