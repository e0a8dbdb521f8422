"""A forbidden step is refused before a file changes; a snapshot goes before one that is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.support.command import run
from tests.support.machines.cluster import etcdctl, is_serving, preseed
from tests.support.machines.lab import Lab
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.advice import follow
from tests.system.upgrades import (
    apt_install,
    formed,
    hand_over_file,
    installed,
    is_refused,
    running_version,
    wait_for_storage,
)

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

BACKUPS = "/var/backups/etcd-ha"


@dataclass(frozen=True)
class Row:
    """A step and what is to come of it: refused, warned or allowed; says is part of the message."""

    to: str
    expected: str
    says: str = ""


def single(node: Machine, deb: Path) -> None:
    formed([node], deb, {"setup": "single"})


def check(node: Machine, row: Row, deb: Path) -> str:
    """Try the step, and see that a refusal has left everything as it was; what apt said."""
    where = hand_over_file([node], deb)
    if row.expected == "refused":
        return is_refused(node, where, row.says)
    done = apt_install(node, where)
    assert ("etcd-ha: warning: " in done.stdout) == (row.expected == "warned"), done.stdout
    assert installed(node) == f"ii {row.to}-1"
    assert row.says in done.stdout
    return done.stdout


@pytest.mark.soak
def test_steps_from_a_3_5_that_is_too_old(nodes: Nodes, package: Package) -> None:
    (node,) = nodes(1)
    node.install(package("3.5.16"))
    # Without data there is nothing to lose.
    check(node, Row("3.7.3", "allowed"), package("3.7.3"))
    apt_install(node, hand_over_file([node], package("3.5.16")))
    preseed(node, {"setup": "single", "address": node.address})
    node.run("dpkg-reconfigure", "etcd-ha", env={"DEBIAN_FRONTEND": "noninteractive"})
    wait_for("the member to serve", partial(is_serving, node), within=20)
    check(node, Row("3.6.7", "refused", "https://github.com/etcd-io/etcd/issues/20967"), package("3.6.7"))
    check(node, Row("3.7.3", "refused", "skips a minor version"), package("3.7.3"))
    check(node, Row("3.4.23", "refused", "holds data of 3.5.0"), package("3.4.23"))


def test_the_admins_word_counts_for_one_upgrade_to_one_version(nodes: Nodes, package: Package) -> None:
    (node,) = nodes(1)
    single(node, package("3.5.16"))
    too_old = Row("3.6.7", "refused", "https://github.com/etcd-io/etcd/issues/20967")
    said = check(node, too_old, package("3.6.7"))
    follow(said, node, "touch ")
    check(node, Row("3.7.3", "refused", "touch /etc/etcd/allow-upgrade-to-3.7.3-1"), package("3.7.3"))
    check(node, Row("3.6.7", "warned", "The installation continues"), package("3.6.7"))
    assert "allow-upgrade" not in node.run("ls", "/etc/etcd").stdout
    assert running_version(node) == "3.6.7"


@pytest.mark.soak
def test_steps_from_a_3_5_that_may_go_on(nodes: Nodes, package: Package) -> None:
    machines = nodes(2)
    formed(machines, package("3.5.30"))
    node, other = machines
    check(node, Row("3.7.3", "refused", "apt install 'etcd-ha=3.6.*'"), package("3.7.3"))
    check(node, Row("3.5.35", "allowed"), package("3.5.35"))
    # The oldest in the cluster counts.
    advice = "upstream asks for 3.5.32 or later before 3.6 "
    source = "(https://etcd.io/docs/v3.6/upgrades/upgrade_3_6/)"
    check(node, Row("3.6.7", "warned", f"{advice}{source}; 3.5.30 is running"), package("3.6.7"))
    assert [running_version(machine) for machine in machines] == ["3.6.7", "3.5.30"]
    # The cluster's version is still 3.5, so the old one may come back.
    check(node, Row("3.5.35", "allowed"), package("3.5.35"))
    assert running_version(node) == "3.5.35"
    check(other, Row("3.5.35", "allowed"), package("3.5.35"))
    check(other, Row("3.6.7", "allowed"), package("3.6.7"))


@pytest.mark.soak
def test_steps_from_3_4(serving: Nodes, package: Package) -> None:
    (node,) = serving(1, "3.4.23")
    check(node, Row("3.6.7", "refused", "apt install 'etcd-ha=3.5.*'"), package("3.6.7"))
    check(node, Row("3.5.35", "warned", "the newest 3.4 before 3.5"), package("3.5.35"))


@pytest.mark.soak
def test_steps_from_3_6_by_its_data_alone(serving: Nodes, package: Package) -> None:
    (node,) = serving(1, "3.6.7")
    wait_for_storage([node], "3.6")
    node.run("systemctl", "stop", "etcd")
    check(node, Row("3.7.3", "refused", "all members must run 3.6.11 or later"), package("3.7.3"))
    check(node, Row("3.5.35", "refused", "etcd-ha downgrade 3.5"), package("3.5.35"))
    check(node, Row("3.6.16", "allowed"), package("3.6.16"))
    check(node, Row("3.7.3", "warned", "does not answer"), package("3.7.3"))


@pytest.mark.soak
def test_another_member_that_is_too_old_counts_as_well(nodes: Nodes, package: Package) -> None:
    machines = nodes(2)
    formed(machines, package("3.5.16"), {"restart-policy": "never"})
    first, second = machines
    apt_install(first, hand_over_file([first], package("3.5.35")))
    first.run("etcd-ha", "restart", within=60)
    row = Row("3.6.7", "refused", f"etcd 3.5.16 on {second.name}")
    check(first, row, package("3.6.7"))


def test_keys_of_the_v2_api_are_found_before_3_6_refuses_them(lab: Lab, package: Package) -> None:
    (node,) = lab.nodes(1)
    single(node, package("3.5.35"))
    node.run("sh", "-c", "printf 'enable-v2: true\\nsnapshot-count: 10\\n' >>/etc/etcd/etcd.yaml")
    node.run("etcd-ha", "restart", within=60)
    put = f"curl -s -XPUT http://{node.address}:2379/v2/keys/service/x -d value="
    lab_side = lab.network.command("sh", "-ec", f"for i in $(seq 30); do {put}$i; done")
    run(lab_side)
    check(node, Row("3.6.7", "refused", "would not start: keys of the v2 API remain"), package("3.6.7"))


def test_requests_of_3_5_are_found_before_3_7_panics_and_advice_leads_on(lab: Lab, package: Package) -> None:
    (node,) = lab.nodes(1)
    single(node, package("3.5.35"))
    check(node, Row("3.6.16", "allowed"), package("3.6.16"))
    said = check(node, Row("3.7.3", "refused", "can't read a request that etcd 3.5"), package("3.7.3"))
    file = node.run("cat", "/etc/etcd/etcd.yaml").stdout
    follow(said, node, "etcd-ha config set snapshot-count 10 && etcd-ha restart && etcd-ha config ")
    assert node.run("cat", "/etc/etcd/etcd.yaml").stdout == file
    check(node, Row("3.7.3", "allowed"), package("3.7.3"))
    assert running_version(node) == "3.7.3"


@pytest.mark.soak
def test_snapshot_before_a_minor_upgrade_restores_the_keys_on_a_fresh_node(
    nodes: Nodes, package: Package
) -> None:
    node, fresh = nodes(2)
    single(node, package("3.5.30"))
    # So that 3.7 can follow 3.6 at once.
    node.run("etcd-ha", "config", "set", "snapshot-count", "10")
    for number in range(20):
        etcdctl(node, "put", f"key{number}", f"value {number}")
    keys = etcdctl(node, "get", "key", "--prefix")
    # Three are kept, and a patch makes none.
    patch = apt_install(node, hand_over_file([node], package("3.5.35"))).stdout
    assert "snapshot" not in patch
    said = apt_install(node, hand_over_file([node], package("3.6.7"))).stdout
    (snapshot,) = re.findall(r"snapshot of the data: (\S+)", said)
    assert node.run("stat", "-c", "%a %U", BACKUPS, snapshot).stdout.split() == ["700", "root", "600", "root"]
    for number in range(4):
        node.run("touch", "-d", f"{number} days ago", f"{BACKUPS}/snapshot-3.5.1-{number}.db")
    preseed(node, {"snapshot": "always"})
    assert "snapshot of the data" in apt_install(node, hand_over_file([node], package("3.6.16"))).stdout
    preseed(node, {"snapshot": "never"})
    assert "snapshot of the data" not in apt_install(node, hand_over_file([node], package("3.7.3"))).stdout
    assert len(node.run("sh", "-c", f"ls {BACKUPS}/snapshot-*.db").stdout.split()) == 3

    fresh.install(package("3.5.35"))
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


@pytest.mark.soak
def test_upgrade_is_refused_where_the_snapshot_has_no_room(serving: Nodes, package: Package) -> None:
    (node,) = serving(1, "3.5.35")
    node.run("mkdir", "-p", BACKUPS)
    node.run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", BACKUPS)
    check(
        node,
        Row("3.6.7", "refused", "8 MiB are free, of which 64 MiB must stay free"),
        package("3.6.7"),
    )
