"""What no restart heals stops the service with its reason; what time heals never does."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.machines.cluster import Cluster, etcdctl, is_healthy, preseed
from tests.support.machines.machine import Machine
from tests.support.releases.releases import NEWEST
from tests.support.sample import sampled
from tests.support.wait import wait_for
from tests.system.advice import follow
from tests.system.article import binary_of
from tests.system.service import service
from tests.system.upgrades import wait_for_storage

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

CANT_HEAL = 78
CONFIG = "/etc/etcd/etcd.yaml"


def single(node: Machine, deb: Path) -> None:
    preseed(node, {"setup": "single", "address": node.address})
    node.install(deb)
    wait_for("the member to be healthy", partial(is_healthy, node), within=30)


def start_refused(node: Machine) -> str:
    """Start etcd, which has to stay down by preflight's word; what systemctl status says."""
    node.run("systemctl", "restart", "--no-block", "etcd")
    wait_for("etcd.service to fail", lambda: service(node).active == "failed", within=20)
    now = service(node)
    assert (now.result, now.status, now.restarts) == ("exit-code", CANT_HEAL, 0)
    return node.run("systemctl", "status", "--no-pager", "--full", "etcd", check=False).stdout


REFUSED = {"quota-backend-bytes": "8G", "log-level": "loud", "heartbeat-interval": "5000"}


@pytest.mark.parametrize("version", sampled(["3.4.23", "3.5.30", *NEWEST.values()], "3.7.3"))
def test_configuration_that_etcd_refuses_stops_the_service_until_corrected(
    serving: Nodes, version: str
) -> None:
    (node,) = serving(1, version)
    good = node.get(CONFIG)
    for key, value in REFUSED.items():
        node.put(CONFIG, f"{good}{key}: {value}\n", mode="0640")
        said = start_refused(node)
        assert f"etcd refuses {CONFIG}" in said
        assert (value if key == "log-level" else key) in said
        node.put(CONFIG, good, mode="0640")
        follow(said, node, "systemctl start etcd")
        assert is_healthy(node)


def test_data_of_a_newer_minor_stops_the_service(serving: Nodes) -> None:
    (node,) = serving(1, "3.7.3")
    etcdctl(node, "put", "key", "value")
    keep = "/root/etcd.newer"
    node.run("cp", "-a", "/usr/lib/etcd-ha/bin/etcd", keep)
    older = binary_of("3.6.16", "etcd")
    node.run("rm", "/usr/lib/etcd-ha/bin/etcd")
    (node.root / "usr/lib/etcd-ha/bin/etcd").write_bytes(older)
    node.run("chmod", "0755", "/usr/lib/etcd-ha/bin/etcd")
    said = start_refused(node)
    assert "etcd 3.6.16 can't run on the data of etcd 3.7" in said
    node.run("mv", keep, "/usr/lib/etcd-ha/bin/etcd")
    # The version of the cluster is known a moment after the start.
    follow(said, node, "systemctl start etcd")
    wait_for_storage([node], "3.7")
    follow(said, node, "etcd-ha downgrade 3.6", after=" --yes")
    wait_for_storage([node], "3.6")
    node.run("systemctl", "stop", "etcd")
    (node.root / "usr/lib/etcd-ha/bin/etcd").write_bytes(older)
    node.run("systemctl", "start", "etcd")
    assert etcdctl(node, "get", "key").split() == ["key", "value"]


@pytest.mark.soak
def test_certificate_that_the_account_cannot_read_is_named(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    node.run("install", "-D", "-m", "0600", "/dev/null", "/etc/ssl/etcd/peer.key")
    node.put(
        CONFIG,
        node.get(CONFIG) + "peer-transport-security:\n  key-file: /etc/ssl/etcd/peer.key\n",
        mode="0640",
    )
    said = start_refused(node)
    assert "etcd can't read /etc/ssl/etcd/peer.key (peer-transport-security.key-file" in said
    assert "owner root, group root" in said


def test_etcd_ha_preflight_by_hand_says_the_same(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    assert node.run("etcd-ha", "preflight").stdout == ""
    node.put(CONFIG, node.get(CONFIG) + "log-level: loud\n", mode="0640")
    done = node.run("etcd-ha", "preflight", check=False)
    assert done.returncode == CANT_HEAL
    assert "loud" in done.stdout


@pytest.mark.alone
def test_preflight_takes_less_than_a_second(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    begin = time.monotonic()
    node.run("etcd-ha", "preflight")
    assert time.monotonic() - begin < 1


@pytest.mark.timeout(900)
@pytest.mark.soak
@pytest.mark.parametrize("seconds", [20, 180])
def test_what_time_heals_is_tried_again_and_again_and_then_works(
    nodes: Nodes, serving: Nodes, package: Package, seconds: int
) -> None:
    deb = package("3.6.16")
    # One of three whose peers are gone, one whose peers have no address yet, one without its certificate.
    trio, (nameless, bare) = Cluster(serving(3, "3.6.16")), nodes(2)
    lonely, *others = trio.machines
    for other in others:
        other.run("systemctl", "stop", "etcd")
    lonely.run("systemctl", "restart", "--no-block", "etcd")
    preseed(
        nameless,
        {
            "setup": "cluster",
            "node-name": "late",
            "address": nameless.address,
            "members": f"late=http://late.example:2380,other=http://other.example:2380,n=http://{bare.address}:2380",
            "cluster-state": "new",
        },
    )
    nameless.install(deb)
    single(bare, deb)
    with_certificate = (
        bare.get(CONFIG)
        .replace("http://", "https://")
        .replace("initial-advertise-peer-urls: https", "initial-advertise-peer-urls: http")
        .replace("listen-peer-urls: https", "listen-peer-urls: http")
    )
    with_certificate += "client-transport-security:\n  cert-file: /etc/late.pem\n  key-file: /etc/late.key\n"
    before = bare.get(CONFIG)
    bare.put(CONFIG, with_certificate, mode="0640")
    bare.run("systemctl", "restart", "--no-block", "etcd")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for node in (lonely, nameless, bare):
            assert service(node).active in {"activating", "deactivating"}, node.name
        time.sleep(5)
    assert service(bare).restarts > seconds / 20
    bare.put(CONFIG, before, mode="0640")
    for other in others:
        other.run("systemctl", "start", "--no-block", "etcd")
    trio.wait_for_quorum(within=30)
    wait_for("the member with the file to be healthy", partial(is_healthy, bare), within=30)


@pytest.mark.parametrize("suite", sampled(["bookworm", "trixie"], "bookworm"))
def test_directory_changed_in_the_file_needs_no_daemon_reload(
    nodes: Nodes, package: Package, suite: str
) -> None:
    (node,) = nodes(1, suite)
    single(node, package("3.6.16"))
    config = node.get(CONFIG)
    setting = "data-dir: /var/lib/etcd-ha\n"
    assert setting in config
    for directory in ("/srv/etcd", "/home/etcd", "/var/lib/etcd-ha"):
        node.run("install", "-d", "-o", "etcd", "-g", "etcd", "-m", "0700", directory)
        # As an editor does: `etcd-ha config set` would reload systemd.
        node.put(CONFIG, config.replace(setting, f"data-dir: {directory}\n"), mode="0640")
        node.run("systemctl", "restart", "etcd")
        assert is_healthy(node)
        assert node.run("test", "-e", f"{directory}/member/snap/db", check=False).returncode == 0
    writable = node.run("systemctl", "show", "-p", "ReadWritePaths", "--value", "etcd").stdout
    assert "/srv/etcd" not in writable, "the sandbox kept what the file no longer names"


@pytest.mark.soak
def test_sandbox_that_keeps_the_directory_read_only_is_named_and_the_advice_mends_it(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    node.run(
        "sh",
        "-ec",
        "mkdir -p /etc/systemd/system-generators; cd /etc/systemd/system-generators; ln -s /dev/null etcd-ha",
    )
    node.run("systemctl", "daemon-reload")
    node.run("install", "-d", "-o", "etcd", "-g", "etcd", "-m", "0700", "/srv/etcd")
    node.run("etcd-ha", "config", "set", "data-dir", "/srv/etcd")
    said = start_refused(node)
    assert "the sandbox of etcd.service keeps /srv/etcd read-only" in said
    assert "chown" not in said
    # No drop-in of the generator lets it write there.
    shown = follow(said, node, "systemctl cat etcd")
    assert "ProtectSystem=strict" in shown
    assert "/srv/etcd" not in shown
    follow(said, node, "mkdir -p", "systemctl daemon-reload; systemctl start etcd")
    assert is_healthy(node)


@pytest.mark.soak
def test_file_system_that_is_read_only_or_full_is_named_and_heals_by_itself(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    node.run("mkdir", "/srv/etcd")
    node.run("etcd-ha", "config", "set", "data-dir", "/srv/etcd")
    for options, reason, remedy in (
        ("ro,mode=0700,uid=etcd", "the file system of /srv/etcd is read-only", None),
        (
            "nr_inodes=1,mode=0700,uid=etcd",
            "No space left on device",
            "mount -o remount,nr_inodes=1000 /srv/etcd",
        ),
    ):
        node.run("mount", "-t", "tmpfs", "-o", options, "tmpfs", "/srv/etcd")
        node.run("systemctl", "restart", "--no-block", "etcd")
        wait_for(reason, lambda: reason in node.journal("-u", "etcd"), within=20)  # noqa: B023
        said = node.journal("-u", "etcd")
        if remedy:
            assert " 0 " in follow(said, node, "df -h")
            node.run("sh", "-ec", remedy)
        else:
            follow(said, node, "mount -o remount,rw")
        wait_for("the member to be healthy", partial(is_healthy, node), within=20)
        node.run("systemctl", "stop", "etcd")
        node.run("umount", "/srv/etcd")
