"""Debian's etcd-server moves over with its data, and its leftover can be purged without harm."""

from functools import partial
from pathlib import Path

import pytest

from tests.support.command import run
from tests.support.sample import sampled
from tests.support.wait import wait_for
from tests.system.advice import follow
from tests.system.debian_etcd import KEYS, Debian, Nodes, Package, id_of, keys_of, prepared
from tests.system.service import service

SUITES = ("trixie", "forky")
DATA = "/var/lib/etcd/postgresql"


@pytest.mark.parametrize("suite", sampled(SUITES, "trixie"))
def test_migrated_member_survives_the_purge_of_debians_packages(
    nodes: Nodes, package: Package, debian_etcd: Debian, suite: str
) -> None:
    (node,) = nodes(1, suite, "adduser")
    debian_etcd(node, suite)
    known = id_of(node)
    offered = node.install(package(suite)).stdout
    assert service(node).pid == 0, "etcd runs before it is configured"

    said = follow(offered, node, "etcd-ha migrate")
    assert "the member is healthy" in said
    assert (keys_of(node), id_of(node)) == (KEYS, known)
    config = node.get("/etc/etcd/etcd.yaml")
    assert "name: 'admins-name'" in config
    assert "heartbeat-interval: 200" in config
    assert "data-dir: '/var/lib/etcd-ha'" in config
    backups = node.run("sh", "-c", "cat /var/backups/etcd-ha/migrate-*/etcd").stdout
    assert "ETCD_NAME=admins-name" in backups

    pid, account = service(node).pid, node.run("id", "etcd").stdout
    follow(said, node, "dpkg --purge")
    assert node.run("test", "-e", "/var/lib/etcd", check=False).returncode == 1
    assert service(node).pid == pid, "the purge touched the running etcd"
    assert node.run("id", "etcd").stdout == account
    assert node.run("systemctl", "is-enabled", "etcd").stdout.strip() == "enabled"
    assert keys_of(node) == KEYS
    node.reboot()
    wait_for("etcd after the reboot", lambda: service(node).active == "active", within=30)
    assert (keys_of(node), id_of(node)) == (KEYS, known)


@pytest.mark.soak
@pytest.mark.parametrize("suite", SUITES)
def test_purge_while_the_member_is_stopped_keeps_its_account_and_enablement(
    nodes: Nodes, package: Package, debian_etcd: Debian, suite: str
) -> None:
    node = prepared(nodes, package, debian_etcd, suite)
    node.run("etcd-ha", "migrate")
    node.run("systemctl", "stop", "etcd")
    owner = node.run("stat", "-c", "%u:%g", "/var/lib/etcd-ha").stdout
    node.run("dpkg", "-P", "etcd-server", "etcd-client")
    assert node.run("sh", "-c", "echo $(id -u etcd):$(id -g etcd)").stdout == owner
    node.reboot()
    wait_for("etcd after the reboot", lambda: service(node).active == "active", within=30)
    assert keys_of(node) == KEYS


@pytest.mark.soak
def test_disabled_service_stays_disabled_over_purge_and_reinstallation(
    nodes: Nodes, package: Package, debian_etcd: Debian
) -> None:
    node = prepared(nodes, package, debian_etcd, "trixie")
    node.run("systemctl", "disable", "etcd")
    assert "not enabled" in node.run("etcd-ha", "migrate").stdout
    assert service(node).pid == 0
    node.run("dpkg", "-P", "etcd-server")
    node.install(package("forky"))
    assert node.run("systemctl", "is-enabled", "etcd", check=False).stdout.strip() == "disabled"
    assert service(node).pid == 0


@pytest.mark.soak
def test_data_that_another_etcd_runs_on_is_not_touched(
    nodes: Nodes, package: Package, debian_etcd: Debian
) -> None:
    node = prepared(nodes, package, debian_etcd, "trixie")
    node.run(
        *("systemd-run", "--unit=other", "--uid=etcd", "/usr/lib/etcd-ha/bin/etcd"),
        *("--data-dir", "/var/lib/etcd/default"),
    )
    health = ("etcdctl", "endpoint", "health")
    wait_for("the other etcd", lambda: "is healthy" in node.run(*health, check=False).stdout, within=20)
    done = node.run("etcd-ha", "migrate", check=False)
    assert done.returncode == 1
    assert "an etcd process uses /var/lib/etcd/default" in done.stdout
    assert node.run("ls", "-A", "/var/lib/etcd-ha").stdout == ""
    node.run("systemctl", "stop", "other")
    node.run("etcd-ha", "migrate")
    assert keys_of(node) == KEYS


@pytest.mark.soak
def test_member_of_ours_in_the_way_of_debians_purge_is_warned_of_and_moved(
    nodes: Nodes, package: Package, debian_etcd: Debian
) -> None:
    node = prepared(nodes, package, debian_etcd, "trixie")
    node.run("mv", "/var/lib/etcd/default", DATA)
    rest = (
        f"listen-client-urls: http://{node.address}:2379,http://127.0.0.1:2379\n"
        f"listen-peer-urls: http://{node.address}:2380\n"
        f"advertise-client-urls: http://{node.address}:2379\n"
    )
    config = "name: admins-name\ndata-dir: {} # here\n" + rest
    spellings = f"{config.format(DATA)}Data-Dir: {DATA}\n"
    node.put("/etc/etcd/etcd.yaml", spellings)
    deb = package("forky")
    node.put("/root/etcd-ha.deb", deb)
    silent = {"DEBIAN_FRONTEND": "noninteractive"}
    said = node.run("dpkg", "-i", "/root/etcd-ha.deb", env=silent).stdout
    assert "data-dir" in follow(said, node, "etcd-ha config lint", check=False)
    node.put("/etc/etcd/etcd.yaml", config.format(DATA))
    said = node.run("dpkg", "-i", "/root/etcd-ha.deb", env=silent).stdout
    assert "do NOT purge Debian's removed etcd-server" in said
    follow(said, node, "etcd-ha migrate")
    assert node.get("/etc/etcd/etcd.yaml") == config.format("/var/lib/etcd-ha")
    node.run("dpkg", "-P", "etcd-server")
    wait_for("the keys", partial(lambda: keys_of(node) == KEYS), within=20)


DIVERSIONS = ("dpkg-divert", "--list", "*etcd*")


@pytest.mark.soak
@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_dpkg_alone_in_the_place_of_debians_packages_keeps_every_file_of_ours(
    nodes: Nodes, package: Package, debian_etcd: Debian, tmp_path: Path, suite: str
) -> None:
    (node,) = nodes(1, suite, "adduser")
    debian_etcd(node, suite)
    deb = package(suite)
    node.put("/root/refused.deb", refused_by_preinst(deb, tmp_path))
    assert node.run("dpkg", "-i", "/root/refused.deb", check=False).returncode != 0
    wait_for("Debian's etcd again", lambda: keys_of(node) == KEYS, within=20)
    assert node.run(*DIVERSIONS).stdout == ""

    node.put("/root/etcd-ha.deb", deb)
    node.run("dpkg", "-i", "/root/etcd-ha.deb", env={"DEBIAN_FRONTEND": "noninteractive"}, within=120)
    gone = node.run("sh", "-c", 'dpkg -L etcd-ha | while read -r f; do [ -e "$f" ] || echo "$f"; done')
    assert gone.stdout == ""
    assert node.run("dpkg", "--verify", "etcd-ha").stdout == ""
    assert node.run(*DIVERSIONS).stdout == ""
    assert "the member is healthy" in node.run("etcd-ha", "migrate").stdout
    assert keys_of(node) == KEYS
    node.run("dpkg", "-P", "etcd-server", "etcd-client")
    assert node.run("dpkg", "--verify", "etcd-ha").stdout == ""
    node.reboot()
    wait_for("etcd after the reboot", lambda: service(node).active == "active", within=30)


def refused_by_preinst(deb: Path, folder: Path) -> Path:
    """The package with a preinst that fails once all is done."""
    tree = folder / "refused"
    run(["dpkg-deb", "--raw-extract", deb, tree])
    with (tree / "DEBIAN/preinst").open("a") as script:
        script.write("exit 1\n")
    made = folder / "refused.deb"
    run(["dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "--build", tree, made])
    return made


def test_nothing_to_migrate_changes_nothing(nodes: Nodes, package: Package) -> None:
    (node,) = nodes(1)
    node.install(package("forky"))
    done = node.run("etcd-ha", "migrate", check=False)
    assert done.returncode == 1
    assert "no data in /var/lib/etcd/default" in done.stdout
    assert node.run("ls", "-A", "/var/backups/etcd-ha", "/var/lib/etcd-ha").stdout.split("\n\n") == [
        "/var/backups/etcd-ha:",
        "/var/lib/etcd-ha:\n",
    ]
