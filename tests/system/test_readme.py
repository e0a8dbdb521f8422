"""README.Debian, section by section: what it says to type, typed as it stands there."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import trustme

from tests.support.machines.cluster import Cluster, etcdctl, is_healthy
from tests.support.machines.machine import Machine
from tests.support.machines.mirror import download_packages
from tests.support.wait import wait_for
from tests.system.advice import type_in
from tests.system.article import install_by_hand
from tests.system.readme import Section
from tests.system.service import member_id

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

SILENT = "export DEBIAN_FRONTEND=noninteractive; "
PRESEED = Path(__file__).parents[2] / "debian-template/examples/preseed.example"


def healthy(machine: Machine) -> None:
    wait_for(f"{machine.name} to be healthy", partial(is_healthy, machine), within=30)


def answers(machine: Machine, machines: list[Machine]) -> str:
    """The example, about these machines."""
    text = PRESEED.read_text(encoding="utf-8")
    for node, address, there in zip(("pg1", "pg2", "pg3"), ("10", "11", "12"), machines, strict=True):
        text = text.replace(f"{node}=192.168.6.{address}", f"{there.name}={there.address}")
    return text.replace("string pg1\n", f"string {machine.name}\n").replace("192.168.6.10", machine.address)


def test_unattended_installation_and_after_it(nodes: Nodes, package: Package) -> None:
    machines = nodes(3)
    first = machines[0]
    unattended = Section("Unattended installation")
    preseed, install = unattended.take("debconf-set-selections"), unattended.take("DEBIAN_FRONTEND")
    for machine in machines:
        machine.put("/root/preseed.pg1", answers(machine, machines))
        machine.put("/root/etcd-ha_VERSION.deb", package("3.6.7"))
        type_in(machine, preseed)
        type_in(machine, install, within=300)
    for machine in machines:
        healthy(machine)

    after = Section("After the installation")
    assert "active (running)" in type_in(first, after.take("systemctl status etcd"))
    assert "has a quorum" in type_in(first, after.take("etcd-ha status"))
    assert type_in(first, after.take("etcdctl member list")).count("started") == 3
    assert type_in(first, after.take("etcdctl endpoint health")).count("is healthy") == 3
    # A node that has the package and no file: either way.
    third = machines[2]
    third.run("systemctl", "stop", "etcd")
    third.run("systemctl", "start", "etcd")
    type_in(third, SILENT + after.take("dpkg-reconfigure"))
    third.run("systemctl", "stop", "etcd")
    type_in(third, after.take("systemctl --no-block start"))
    healthy(third)
    third.run("systemctl", "stop", "etcd")
    type_in(third, after.take("systemctl enable --now etcd.path"))
    third.run("touch", "/etc/etcd/etcd.yaml")
    healthy(third)
    after.is_done()

    type_in(first, SILENT + unattended.take("dpkg-reconfigure"))
    example = unattended.take("etcd-ha config set KEY VALUE")
    type_in(first, example.replace("KEY", "heartbeat-interval").replace("VALUE", "120"))
    unattended.is_done()

    where = Section("Where things are")
    assert type_in(first, where.take("etcd-ha config lint")) == ""
    assert "ready to serve client requests" in type_in(first, where.take("journalctl -u etcd"))
    for change, does in (("add", "Adds"), ("update", "Updates"), ("remove", "Removes")):
        assert f"{does} a member" in type_in(first, f"{where.take(f'etcdctl member {change}')} --help")
    where.is_done()
    names = Section("Names and addresses")
    assert type_in(first, names.take("etcd-ha config lint")) == ""
    names.is_done()

    upgrade = Section("Upgrade")
    assert "changed since the start" in type_in(first, upgrade.take("etcd-ha status"))
    assert "etcd was restarted and serves again" in type_in(
        first, upgrade.take("etcd-ha restart"), within=120
    )
    assert type_in(first, upgrade.take("etcd-ha config lint")) == ""
    type_in(first, SILENT + upgrade.take("dpkg-reconfigure -plow etcd-ha"))
    assert "all members run 3.6" in type_in(first, upgrade.take("etcd-ha downgrade 3.6"))
    assert "no downgrade is under way" in type_in(first, upgrade.take("etcd-ha downgrade --cancel"))
    would = type_in(first, f"{upgrade.take('etcd-ha auth enable')} --dry-run")
    assert "to do: turning authentication on" in would
    upgrade.is_done()

    saving = Section("Backup and restore")
    assert "backup " in type_in(first, saving.take("etcd-ha status"))
    backup = type_in(first, saving.take("etcd-ha backup")).splitlines()[-1]
    assert type_in(first, saving.take("etcd-ha backup list")).startswith(backup)
    assert ": intact" in type_in(first, saving.take("etcd-ha backup verify"))
    # The cluster lives.
    said = type_in(first, saving.take("etcd-ha restore").replace("DIR", backup), check=False)
    assert "the cluster is running" in said
    saving.is_done()


@pytest.mark.soak
def test_tls(nodes: Nodes, package: Package, tmp_path: Path) -> None:
    (node,) = nodes(1)
    section = Section("TLS")
    ca = trustme.CA()
    certificate = ca.issue_cert(node.name, node.address, "127.0.0.1")
    ca.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    certificate.private_key_pem.write_to_path(str(tmp_path / "node.key"))
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "node.crt"))
    node.run("sh", "-c", "groupadd --system etcd; install -d /etc/etcd/tls")
    for name in ("ca.crt", "node.crt", "node.key"):
        node.put(f"/etc/etcd/tls/{name}", tmp_path / name)
    node.run("sh", "-c", "chown root:etcd /etc/etcd/tls/node.key; chmod 0640 /etc/etcd/tls/node.key")
    paths = {f"tls-{part}": f"/etc/etcd/tls/{name}" for part, name in
             (("ca", "ca.crt"), ("cert", "node.crt"), ("key", "node.key"))}  # fmt: skip
    cluster = Cluster([node], {"tls": "true", **paths})
    cluster.install(package("3.6.16"))
    cluster.wait_for_quorum(within=30)
    assert type_in(node, section.take("etcd-ha config lint")) == ""
    assert type_in(node, section.take("etcd-ha preflight")) == ""
    node.run("sh", "-c", "echo >>/etc/etcd/tls/ca.crt")
    status = section.take("etcd-ha status")
    assert "/etc/etcd/tls/ca.crt was changed since the start" in type_in(node, status)
    assert "serves again" in type_in(node, section.take("etcd-ha restart"), within=120)
    assert "restart     not pending" in type_in(node, status)
    assert "is healthy" in type_in(node, section.take("etcdctl"))
    assert "All is well." in type_in(node, section.take("etcd-ha check"))
    assert "All members use https alone." in type_in(node, section.take("etcd-ha tls enable"))
    back = type_in(node, f"{section.take('etcd-ha tls disable')} --dry-run")
    assert "to do: restarting etcd in its turn" in back
    section.is_done()


@pytest.mark.soak
def test_taking_over(nodes: Nodes, package: Package, tmp_path: Path) -> None:
    section = Section("Taking over an existing etcd")
    by_hand, debian = nodes(2, "trixie", "adduser")
    install_by_hand([by_hand], "3.5.30")
    healthy(by_hand)
    known = member_id(by_hand)
    by_hand.install(package("3.5.35"))
    for beginning in ("mv /etc/systemd", "systemctl daemon-reload", "systemctl restart"):
        type_in(by_hand, section.take(beginning))
    healthy(by_hand)
    assert member_id(by_hand) == known
    assert "/usr/lib/etcd-ha/preflight" in by_hand.run("systemctl", "cat", "etcd").stdout

    debian.install(*download_packages("trixie", ["etcd-server", "etcd-client"], tmp_path))
    debian.run("etcdctl", "put", "key", "value")
    assert section.take("apt install --purge") == "apt install --purge", "what is warned of is not typed"
    debian.install(package("3.5.35"))
    assert "target" in type_in(debian, section.take("etcd-ha migrate --dry-run"))
    type_in(debian, section.take("etcd-ha migrate"))
    type_in(debian, section.take("dpkg --purge"))
    assert debian.run("etcdctl", "get", "key").stdout.split() == ["key", "value"]
    section.is_done()


@pytest.mark.soak
def test_start_over(serving: Nodes) -> None:
    machines = serving(3, "3.7.3")
    first, second, third = machines
    cluster = Cluster(machines)
    etcdctl(first, "put", "key", "value")

    remove = Section("Remove and purge")
    leave = remove.take("etcd-ha leave")
    listed = type_in(first, remove.take("etcdctl member list"))
    (gone,) = (line.split(", ")[0] for line in listed.splitlines() if f", {third.name}, " in line)
    removal = remove.take("etcdctl member remove").replace("ID", gone)
    # As the section says, a cluster that has just started is asked again.
    wait_for(
        "the member to be removed",
        lambda: "removed from cluster" in type_in(first, removal, check=False),
        within=15,
    )
    remove.is_done()
    assert set(cluster.members(first)) == {first.name, second.name}

    # The questions have their answers, so nobody needs to type these; one that is asked answers "y".
    section = Section("Start over")
    reset, answer, start = (
        section.take(text) for text in ("etcd-ha reset", "dpkg-reconfigure", "systemctl --no")
    )
    scripted = section.take("etcd-ha reset --yes")
    assert scripted.startswith(reset)
    type_in(third, scripted)
    stop, forced = section.take("systemctl stop"), section.take("etcd-ha reset --force")
    for machine in (first, second):
        type_in(machine, stop)
    for machine in (first, second):
        type_in(machine, f"{forced} --yes")
    for machine in machines:
        type_in(machine, SILENT + answer)
        type_in(machine, start)
    cluster.wait_for_quorum(within=30)
    assert set(cluster.members(first)) == {machine.name for machine in machines}
    assert etcdctl(first, "get", "key") == ""
    section.is_done()

    keep = Section("Maintenance")
    assert type_in(first, keep.take("etcd-ha defrag")).count(": not needed") == 3
    in_turn = keep.take("etcd-ha in-turn").replace("COMMAND", "echo done")
    assert type_in(first, in_turn, within=120).splitlines()[-1] == "done"
    assert keep.take("etcd-ha leave") == leave
    type_in(third, f"{leave} --yes", within=120)
    assert set(cluster.members(first)) == {first.name, second.name}
    type_in(third, f"{keep.take('etcd-ha join').replace('192.0.2.12', first.address)} --yes", within=120)
    assert set(cluster.members(first)) == {machine.name for machine in machines}
    keep.is_done()
