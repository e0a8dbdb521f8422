"""When etcd starts, and when it stays stopped: the administrator's word and policy-rc.d's come first."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.machines.chroot import chroot
from tests.support.machines.cluster import etcdctl, is_healthy, preseed
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.service import service

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

FILE = "/etc/etcd/etcd.yaml"
NONINTERACTIVE = {"DEBIAN_FRONTEND": "noninteractive"}
POLICY = "/usr/sbin/policy-rc.d"


@pytest.fixture
def deb(package: Package) -> Path:
    """The package."""
    return package("3.6.16")


@pytest.fixture
def node(serving: Nodes) -> Machine:
    """A single node with a running member that has a key."""
    (machine,) = serving(1, "3.6.16")
    etcdctl(machine, "put", "key", "value")
    return machine


def again(machine: Machine, deb: Path) -> str:
    """Install the package that is there already over itself, as an upgrade does."""
    return machine.run("dpkg", "-i", f"/root/{deb.name}", env=NONINTERACTIVE).stdout


def is_enabled(machine: Machine) -> str:
    return machine.run("systemctl", "is-enabled", "etcd", check=False).stdout.strip()


def test_stopped_service_stays_stopped(node: Machine, deb: Path) -> None:
    node.run("systemctl", "stop", "etcd")
    again(node, deb)
    node.run("dpkg-reconfigure", "etcd-ha", env=NONINTERACTIVE)
    assert (service(node).active, is_enabled(node)) == ("inactive", "enabled")


@pytest.mark.soak
def test_disabled_service_stays_disabled_also_over_a_removal(node: Machine, deb: Path) -> None:
    node.run("systemctl", "disable", "--now", "etcd")
    again(node, deb)
    assert (service(node).active, is_enabled(node)) == ("inactive", "disabled")
    node.run("dpkg", "--remove", "etcd-ha")
    again(node, deb)
    assert (service(node).active, is_enabled(node)) == ("inactive", "disabled")


@pytest.mark.soak
def test_masked_service_stays_masked(node: Machine, deb: Path) -> None:
    node.run("systemctl", "mask", "--now", "etcd")
    again(node, deb)
    assert (service(node).active, is_enabled(node)) == ("inactive", "masked")


def test_running_member_is_not_restarted_by_an_upgrade(node: Machine, deb: Path) -> None:
    before = service(node)
    again(node, deb)
    assert service(node) == before


@pytest.mark.soak
def test_policy_forbids_the_start(nodes: Nodes, deb: Path) -> None:
    (machine,) = nodes(1)
    machine.put(POLICY, "#!/bin/sh\nexit 101\n", "0755")
    preseed(machine, {"setup": "single", "address": machine.address})
    assert "policy-rc.d" in machine.install(deb).stdout
    assert (service(machine).active, is_enabled(machine)) == ("inactive", "enabled")
    assert machine.run("test", "-e", FILE, check=False).returncode == 0


@pytest.mark.soak
def test_etcd_that_cannot_start_is_said_and_fails_nothing(nodes: Nodes, deb: Path) -> None:
    (machine,) = nodes(1)
    machine.run("mkdir", "/etc/etcd")
    machine.put(FILE, "name: n1\ndata-dir: /var/lib/etcd-ha\ninitial-cluster-state: sometimes\n")
    said = machine.install(deb).stdout
    assert "etcd refuses initial-cluster-state" in said
    assert f"etcd does not start: etcd refuses {FILE}: unexpected clusterState" in said, said


@pytest.mark.soak
def test_written_file_starts_nothing_unless_the_path_unit_is_enabled(nodes: Nodes, deb: Path) -> None:
    (machine,) = nodes(1)
    machine.install(deb)
    assert machine.run("systemctl", "is-enabled", "etcd.path", check=False).stdout.strip() == "disabled"
    good = f"name: n1\ndata-dir: /var/lib/etcd-ha\nlisten-client-urls: http://{machine.address}:2379\n" + (
        f"advertise-client-urls: http://{machine.address}:2379\n"
    )
    machine.put(FILE, good, "0644")
    assert service(machine).active == "inactive"
    machine.run("systemctl", "enable", "--now", "etcd.path")
    assert service(machine).active == "inactive"
    machine.put(FILE, f"{good}log-level: loud\n", "0644")
    wait_for("etcd to refuse the file", lambda: service(machine).active == "failed", within=20)
    machine.put(FILE, good, "0644")
    wait_for("the member to be healthy", lambda: is_healthy(machine), within=20)


@pytest.mark.soak
def test_path_unit_goes_with_the_package(node: Machine, deb: Path) -> None:
    machine = node
    machine.run("systemctl", "enable", "--now", "etcd.path")
    again(machine, deb)
    assert machine.run("systemctl", "is-enabled", "etcd.path").stdout.strip() == "enabled"
    machine.run("dpkg", "--purge", "etcd-ha", env=NONINTERACTIVE)
    assert machine.run("find", "/etc/systemd", "-name", "etcd*").stdout == ""
    assert service(machine).active == "inactive"


def test_chroot_without_a_running_systemd_is_configured_and_nothing_starts(deb: Path) -> None:
    with chroot("trixie", "systemd") as root:
        root.put(deb, "/root/etcd-ha.deb")
        answers = "etcd-ha etcd-ha/setup select single\netcd-ha etcd-ha/address string 10.0.0.5\n"
        root.run("debconf-set-selections", input=answers)
        root.run("dpkg", "-i", "/root/etcd-ha.deb", env=NONINTERACTIVE)
        assert "http://10.0.0.5:2379" in root.run("cat", FILE).stdout
        assert root.run("stat", "-c", "%U:%G %a", FILE).stdout.strip() == "root:etcd 640"
        assert root.run("ls", "-A", "/var/lib/etcd-ha").stdout == ""
        root.run("dpkg", "--purge", "etcd-ha", env=NONINTERACTIVE)


@pytest.mark.soak
def test_foreign_root_is_configured_without_touching_the_host(nodes: Nodes, deb: Path) -> None:
    (machine,) = nodes(1)
    machine.put("/root/etcd-ha.deb", deb)
    # Another Debian under /target, as an image builder has it: made from this one's own files.
    machine.run(
        "sh", "-ec",
        "mkdir -p /target/run /target/tmp /target/var/backups; cp -a /etc /usr /bin /sbin /lib* /target;"
        "cp -a /var/lib /var/cache /target/var",
    )  # fmt: skip
    machine.run(
        *("dpkg", "--root=/target", "--force-script-chrootless", "-i", "/root/etcd-ha.deb"),
        env=NONINTERACTIVE,
        within=120,
    )
    assert "etcd:" in machine.get("/target/etc/passwd")
    assert "etcd:" not in machine.get("/etc/passwd")
    assert machine.run("systemctl", "cat", "etcd", check=False).returncode != 0
    assert machine.run("test", "-e", "/var/lib/etcd-ha", check=False).returncode != 0
    assert machine.run("test", "-d", "/target/var/lib/etcd-ha", check=False).returncode == 0


@pytest.mark.soak
def test_removal_keeps_all_and_reinstallation_brings_the_member_back(node: Machine, deb: Path) -> None:
    before = node.get(FILE)
    node.run("dpkg", "--remove", "etcd-ha")
    assert node.run("systemctl", "is-active", "etcd", check=False).stdout.strip() == "inactive"
    assert node.get(FILE) == before
    again(node, deb)
    wait_for("the member to be back", lambda: is_healthy(node), within=20)
    assert etcdctl(node, "get", "key").split() == ["key", "value"]


def left(machine: Machine) -> list[str]:
    """Paths that still have etcd in their name."""
    found = machine.run(
        *("find", "/", "-xdev", "-name", "*etcd*", "-not", "-path", "/proc/*", "-not", "-path", "/root/*"),
        *("-not", "-path", "/sys/*", "-not", "-path", "/run/*"),
    ).stdout.split()
    return sorted(path for path in found if not path.startswith("/usr/share/doc/"))


def test_purge_keeps_the_data_and_says_where(node: Machine) -> None:
    said = node.run("dpkg", "--purge", "etcd-ha", env=NONINTERACTIVE).stdout
    assert "data is kept in /var/lib/etcd-ha" in said
    assert left(node) == ["/var/lib/etcd-ha"]
    assert node.run("test", "-d", "/var/lib/etcd-ha/member/wal", check=False).returncode == 0


def test_purge_with_the_answer_yes_deletes_exactly_ours(node: Machine) -> None:
    node.run("mkdir", "-p", "/srv/other/etcd-data")
    node.run("etcd-ha", "config", "set", "heartbeat-interval", "120")
    preseed(node, {"purge-data": "true"})
    node.run("dpkg", "--purge", "etcd-ha", env=NONINTERACTIVE)
    assert left(node) == ["/srv/other/etcd-data"]


@pytest.mark.soak
def test_purge_keeps_a_configuration_that_the_package_did_not_make(nodes: Nodes, deb: Path) -> None:
    (machine,) = nodes(1)
    machine.run("mkdir", "/etc/etcd")
    machine.put(FILE, "name: byhand\ndata-dir: /srv/etcd\n")
    machine.install(deb)
    said = machine.run("dpkg", "--purge", "etcd-ha", env=NONINTERACTIVE).stdout
    assert f"{FILE} is kept" in said
    assert machine.get(FILE).startswith("name: byhand")
