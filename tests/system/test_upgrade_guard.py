"""A forbidden step is refused before a file changes; a snapshot goes before one that is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.lab.cluster import etcdctl, is_serving, preseed
from tests.lab.command import run
from tests.lab.lab import Lab
from tests.lab.machine import Machine
from tests.lab.wait import wait_for
from tests.system.service import service
from tests.system.upgrades import apt_install, formed, hand_over_file

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]
Labelled = Callable[[str], Path]

DATABASE = "var/lib/etcd-ha/member/snap/db"
BACKUPS = "/var/backups/etcd-ha"


@dataclass(frozen=True)
class Row:
    """A step and what is to come of it: refused, warned or allowed; says is part of the message."""

    to: str
    expected: str
    says: str = ""


def single(node: Machine, deb: Path) -> None:
    formed([node], deb, {"setup": "single"})


def check(node: Machine, row: Row, deb: Path) -> None:
    """Try the step, and see that a refusal has left everything as it was."""
    before = (installed(node), service(node))
    done = apt_install(node, hand_over_file([node], deb), check=False)
    if row.expected == "refused":
        assert done.returncode != 0, row
        assert "Nothing was changed" in done.stdout
        assert (installed(node), service(node)) == before
        assert node.run("dpkg", "--audit").stdout == ""
        fixed = node.run("apt-get", "-y", "-f", "install").stdout
        assert "0 upgraded, 0 newly installed, 0 to remove" in fixed
    else:
        assert done.returncode == 0, done.stdout
        assert ("etcd-ha: warning: " in done.stdout) == (row.expected == "warned"), done.stdout
        assert installed(node) == f"ii {row.to}-1"
    assert row.says in done.stdout


def installed(node: Machine) -> str:
    """The package's state and version."""
    return node.run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", "etcd-ha").stdout


def test_steps_from_a_3_5_that_is_too_old(nodes: Nodes, package: Package, labelled: Labelled) -> None:
    (node,) = nodes(1)
    node.install(package("trixie"))
    # Without data there is nothing to lose.
    check(node, Row("3.7.1", "allowed"), labelled("3.7.1"))
    apt_install(node, hand_over_file([node], package("trixie")))
    preseed(node, {"setup": "single", "address": node.address})
    node.run("dpkg-reconfigure", "etcd-ha", env={"DEBIAN_FRONTEND": "noninteractive"})
    wait_for("the member to serve", partial(is_serving, node), within=20)
    check(node, Row("3.6.7", "refused", "https://github.com/etcd-io/etcd/issues/20967"), labelled("3.6.7"))
    check(node, Row("3.7.1", "refused", "skips a minor version"), labelled("3.7.1"))
    check(node, Row("3.4.30", "refused", "holds data of 3.5.0"), labelled("3.4.30"))
    # The admin's word counts for one upgrade to one version.
    node.run("touch", "/etc/etcd/allow-upgrade-to-3.6.7-1")
    check(node, Row("3.7.1", "refused", "touch /etc/etcd/allow-upgrade-to-3.7.1-1"), labelled("3.7.1"))
    check(node, Row("3.6.7", "warned", "It is done all the same"), labelled("3.6.7"))
    assert "allow-upgrade" not in node.run("ls", "/etc/etcd").stdout


def test_steps_from_a_3_5_that_may_go_on(nodes: Nodes, package: Package, labelled: Labelled) -> None:
    (node,) = nodes(1)
    single(node, package("forky"))
    check(node, Row("3.7.1", "refused", "install etcd-ha 3.6.* on every node"), labelled("3.7.1"))
    check(node, Row("3.5.33", "allowed"), labelled("3.5.33"))
    check(node, Row("3.6.7", "warned", "upstream asks for 3.5.32 or later"), labelled("3.6.7"))
    # The cluster's version is still 3.5, so the old one may come back.
    check(node, Row("3.5.33", "allowed"), labelled("3.5.33"))


def test_steps_from_3_4(nodes: Nodes, package: Package, labelled: Labelled) -> None:
    (node,) = nodes(1)
    single(node, package("bookworm"))
    check(node, Row("3.6.7", "refused", "install etcd-ha 3.5.* on every node"), labelled("3.6.7"))
    check(node, Row("3.5.30", "warned", "the newest 3.4 before 3.5"), package("forky"))


def test_steps_from_3_6_by_its_data_alone(nodes: Nodes, package: Package, labelled: Labelled) -> None:
    (node,) = nodes(1)
    single(node, package("forky"))
    node.run("systemctl", "stop", "etcd")
    # No registry holds 3.6: its package has another binary here, and its data got another version.
    database = node.root / DATABASE
    content = database.read_bytes()
    assert b"clusterVersion3.5.0" in content
    database.write_bytes(content.replace(b"clusterVersion3.5.0", b"clusterVersion3.6.0"))
    node.run("touch", "/etc/etcd/allow-upgrade-to-3.6.7-1")
    apt_install(node, hand_over_file([node], labelled("3.6.7")))
    check(node, Row("3.7.1", "refused", "the whole cluster has to run 3.6.11 or later"), labelled("3.7.1"))
    check(node, Row("3.5.33", "refused", "etcdctl downgrade enable 3.5"), labelled("3.5.33"))
    check(node, Row("3.6.12", "allowed"), labelled("3.6.12"))
    check(node, Row("3.7.1", "warned", "does not answer"), labelled("3.7.1"))


@pytest.mark.soak
def test_another_member_that_is_too_old_counts_as_well(
    nodes: Nodes, package: Package, labelled: Labelled
) -> None:
    machines = nodes(2)
    formed(machines, package("trixie"), {"restart-policy": "never"})
    first, second = machines
    apt_install(first, hand_over_file([first], package("forky")))
    first.run("etcd-ha", "restart", within=60)
    row = Row("3.6.7", "refused", f"etcd 3.5.16 on {second.name}")
    check(first, row, labelled("3.6.7"))


def test_keys_of_the_v2_api_are_found_before_3_6_refuses_them(
    lab: Lab, package: Package, labelled: Labelled
) -> None:
    (node,) = lab.nodes(1)
    single(node, package("forky"))
    node.run("sh", "-c", "printf 'enable-v2: true\\nsnapshot-count: 10\\n' >>/etc/etcd/etcd.yaml")
    node.run("etcd-ha", "restart", within=60)
    put = f"curl -s -XPUT http://{node.address}:2379/v2/keys/service/x -d value="
    lab_side = lab.network.command("sh", "-ec", f"for i in $(seq 30); do {put}$i; done")
    run(lab_side)
    check(node, Row("3.6.7", "refused", "detected custom content in v2store"), labelled("3.6.7"))


def test_snapshot_before_a_minor_upgrade_restores_the_keys_on_a_fresh_node(
    nodes: Nodes, package: Package, labelled: Labelled
) -> None:
    node, fresh = nodes(2)
    single(node, package("forky"))
    for number in range(20):
        etcdctl(node, "put", f"key{number}", f"value {number}")
    keys = etcdctl(node, "get", "key", "--prefix")
    # Three are kept, and a patch makes none.
    patch = apt_install(node, hand_over_file([node], labelled("3.5.33"))).stdout
    assert "snapshot" not in patch
    said = apt_install(node, hand_over_file([node], labelled("3.6.7"))).stdout
    (snapshot,) = re.findall(r"snapshot of the data: (\S+)", said)
    assert node.run("stat", "-c", "%a %U", BACKUPS, snapshot).stdout.split() == ["700", "root", "600", "root"]
    for number in range(4):
        node.run("touch", "-d", f"{number} days ago", f"{BACKUPS}/snapshot-3.5.1-{number}.db")
    preseed(node, {"snapshot": "always"})
    assert "snapshot of the data" in apt_install(node, hand_over_file([node], labelled("3.5.33"))).stdout
    preseed(node, {"snapshot": "never"})
    assert "snapshot of the data" not in apt_install(node, hand_over_file([node], labelled("3.6.7"))).stdout
    assert len(node.run("sh", "-c", f"ls {BACKUPS}/snapshot-*.db").stdout.split()) == 3

    fresh.install(package("forky"))
    (fresh.root / "root/snapshot.db").write_bytes((node.root / snapshot.lstrip("/")).read_bytes())
    fresh.run(
        *("etcdutl", "snapshot", "restore", "/root/snapshot.db", "--name", fresh.name),
        *("--data-dir", "/var/lib/etcd-ha/restored"),
        *("--initial-cluster", f"{fresh.name}=http://{fresh.address}:2380"),
        *("--initial-advertise-peer-urls", f"http://{fresh.address}:2380"),
    )
    fresh.run("sh", "-c", "mv /var/lib/etcd-ha/restored/member /var/lib/etcd-ha/")
    fresh.run("chown", "-R", "etcd:etcd", "/var/lib/etcd-ha")
    preseed(fresh, {"setup": "single", "address": fresh.address})
    fresh.run("dpkg-reconfigure", "etcd-ha", env={"DEBIAN_FRONTEND": "noninteractive"})
    fresh.run("systemctl", "start", "--no-block", "etcd")
    wait_for("the restored member to serve", partial(is_serving, fresh), within=20)
    assert etcdctl(fresh, "get", "key", "--prefix") == keys


def test_upgrade_is_refused_where_the_snapshot_has_no_room(
    nodes: Nodes, package: Package, labelled: Labelled
) -> None:
    (node,) = nodes(1)
    single(node, package("forky"))
    node.run("mkdir", "-p", BACKUPS)
    node.run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", BACKUPS)
    check(
        node,
        Row("3.6.7", "refused", "8 MiB are free, and 64 MiB of these have to stay free"),
        labelled("3.6.7"),
    )
