"""Debian's etcd-server moves over with its data, and its leftover can be purged without harm."""

import re
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.lab.command import run
from tests.lab.machine import Machine
from tests.lab.mirror import download_packages
from tests.lab.wait import wait_for
from tests.system.service import service

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]
Debian = Callable[[Machine, str], None]

SUITES = ("trixie", "forky")
KEYS = {f"key{number}": f"value {number}" for number in range(20)}


@pytest.fixture(scope="session")
def debian_etcd(tmp_path_factory: pytest.TempPathFactory) -> Debian:
    """Installs a suite's own etcd, with a name and a heartbeat of the admin's, and data in it."""
    fetched: dict[str, list[Path]] = {}

    def install(node: Machine, suite: str) -> None:
        if suite not in fetched:
            folder = tmp_path_factory.mktemp(f"debian-{suite}")
            fetched[suite] = download_packages(suite, ["etcd-server", "etcd-client"], folder)
        node.install(*fetched[suite])
        settings = "ETCD_NAME=admins-name\nETCD_HEARTBEAT_INTERVAL=200\nETCD_ELECTION_TIMEOUT=2000\n"
        node.run("sh", "-c", "cat >>/etc/default/etcd", input=settings)
        node.run("systemctl", "restart", "etcd")
        for key, value in KEYS.items():
            node.run("etcdctl", "put", key, value)

    return install


def keys_of(node: Machine) -> dict[str, str]:
    lines = node.run("etcdctl", "get", "", "--from-key").stdout.splitlines()
    return dict(zip(lines[::2], lines[1::2], strict=True))


def id_of(node: Machine) -> str:
    return node.run("etcdctl", "member", "list").stdout.split(", ")[0]


def prepared(nodes: Nodes, package: Package, debian_etcd: Debian, suite: str) -> Machine:
    """A node with Debian's data and our package, not yet migrated."""
    (node,) = nodes(1, suite, "adduser")
    debian_etcd(node, suite)
    said = node.install(package(suite)).stdout
    assert "to go on with it: etcd-ha migrate" in said
    return node


@pytest.mark.parametrize("suite", SUITES)
def test_migrated_member_survives_the_purge_of_debians_packages(
    nodes: Nodes, package: Package, debian_etcd: Debian, suite: str
) -> None:
    (node,) = nodes(1, suite, "adduser")
    debian_etcd(node, suite)
    known = id_of(node)
    node.install(package(suite))
    assert service(node).pid == 0, "etcd runs before it is configured"

    said = node.run("etcd-ha", "migrate").stdout
    assert "the member is healthy" in said
    assert (keys_of(node), id_of(node)) == (KEYS, known)
    config = node.get("/etc/etcd/etcd.yaml")
    assert "name: 'admins-name'" in config
    assert "heartbeat-interval: 200" in config
    assert "data-dir: '/var/lib/etcd-ha'" in config
    backups = node.run("sh", "-c", "cat /var/backups/etcd-ha/migrate-*/etcd").stdout
    assert "ETCD_NAME=admins-name" in backups

    pid, account = service(node).pid, node.run("id", "etcd").stdout
    node.run("dpkg", "-P", "etcd-server", "etcd-client")
    assert node.run("test", "-e", "/var/lib/etcd", check=False).returncode == 1
    assert service(node).pid == pid, "the purge touched the running etcd"
    assert node.run("id", "etcd").stdout == account
    assert node.run("systemctl", "is-enabled", "etcd").stdout.strip() == "enabled"
    assert keys_of(node) == KEYS
    node.reboot()
    wait_for("etcd after the reboot", lambda: service(node).active == "active", within=30)
    assert (keys_of(node), id_of(node)) == (KEYS, known)


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


# Stands before each program that migrate calls, and kills migrate before the Nth call.
SHIM = """\
#!/bin/sh
count=$(($(cat /run/calls) + 1))
echo $count >/run/calls
if [ $count = "$(cat /run/kill-at)" ]; then kill -KILL "$(cat /run/victim)"; exit 1; fi
exec /usr/bin/{program} "$@"
"""
PROGRAMS = (
    "cp",
    "mv",
    "rm",
    "rmdir",
    "install",
    "diff",
    "chown",
    "chgrp",
    "chmod",
    "find",
    "sync",
    "flock",
    "systemctl",
)
KILL_AT = "echo $$ >/run/victim; echo 0 >/run/calls; PATH=/run/shims:$PATH exec sh /usr/lib/etcd-ha/migrate"


def test_migration_killed_at_any_step_goes_on_where_it_was(
    nodes: Nodes, package: Package, debian_etcd: Debian
) -> None:
    node = prepared(nodes, package, debian_etcd, "trixie")
    node.run("systemctl", "disable", "etcd")
    node.run("mkdir", "/run/shims")
    for program in PROGRAMS:
        node.put(f"/run/shims/{program}", SHIM.format(program=program), mode="0755")
    # Sparse files stay sparse, so each round takes little time.
    node.run("cp", "-a", "/var/lib/etcd", "/root/pristine")
    steps = 0
    while True:
        steps += 1
        node.run(
            "sh",
            "-ec",
            "rm -rf /var/lib/etcd /var/lib/etcd-ha/member /var/lib/etcd-ha/.partial /etc/etcd/etcd.yaml*"
            " /var/backups/etcd-ha/*; cp -a /root/pristine /var/lib/etcd",
        )
        node.put("/run/kill-at", f"{steps}\n")
        done = node.run("sh", "-c", KILL_AT, check=False)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stdout
        again = node.run("etcd-ha", "migrate").stdout
        assert_migrated(node, f"killed before call {steps}:\n{again}")
    assert_migrated(node, "not killed")
    assert steps > 15
    node.run("systemctl", "enable", "--now", "etcd")
    assert keys_of(node) == KEYS


TREES = "/var/lib/etcd /var/lib/etcd-ha /etc/etcd /var/backups/etcd-ha"
FINGERPRINT = (
    f"find {TREES} -printf '%p %M %u %T@\\n' | sort; find {TREES} -type f -exec sha256sum {{}} + | sort;"
    "systemctl show -p ActiveState,MainPID etcd"
)


def fingerprint(node: Machine) -> str:
    """All that a migration touches."""
    return node.run("sh", "-c", FINGERPRINT).stdout


# What finds the plan. (Not cat: the shim itself calls it.)
READERS = ("awk", "dpkg-query", "grep", "mktemp", "mkdir", "sed", "uname")


def test_dry_run_changes_nothing_also_when_it_is_killed(
    nodes: Nodes, package: Package, debian_etcd: Debian
) -> None:
    node = prepared(nodes, package, debian_etcd, "trixie")
    node.run("mkdir", "/run/shims")
    for program in (*PROGRAMS, *READERS):
        node.put(f"/run/shims/{program}", SHIM.format(program=program), mode="0755")
    node.put("/run/kill-at", "0\n")
    before = fingerprint(node)
    shown = node.run("etcd-ha", "migrate", "--dry-run", "--to", "/srv/etcd").stdout
    assert "target=/srv/etcd\n" in shown
    assert "data-dir: '/srv/etcd'\n" in shown
    assert fingerprint(node) == before
    step = 0
    while True:
        step += 1
        node.put("/run/kill-at", f"{step}\n")
        done = node.run("sh", "-c", f"{KILL_AT} --dry-run", check=False)
        assert fingerprint(node) == before, f"killed before call {step}"
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stdout
    assert step > 3


def test_migration_that_was_begun_goes_on_as_it_was_planned_and_not_by_a_dry_run(
    nodes: Nodes, package: Package, debian_etcd: Debian
) -> None:
    node = prepared(nodes, package, debian_etcd, "trixie")
    node.run("mkdir", "/run/shims", "/srv/etcd")
    for program in PROGRAMS:
        node.put(f"/run/shims/{program}", SHIM.format(program=program), mode="0755")
    # The first is before the data is copied; those that go on reach it earlier.
    for step in (11, 8, 11):
        node.put("/run/kill-at", f"{step}\n")
        done = node.run("sh", "-c", f"{KILL_AT} --to /srv/etcd", check=False)
        assert done.returncode == -signal.SIGKILL, done.stdout
        before = fingerprint(node)
        shown = node.run("etcd-ha", "migrate", "--dry-run").stdout
        assert "this was begun; to end it: etcd-ha migrate\n" in shown
        assert "target=/srv/etcd\n" in shown
        for options, reason in (
            (["--to", "/var/lib/etcd-ha"], "a migration to /srv/etcd was begun, and not to /var/lib/etcd-ha"),
            (["--force"], "a migration was begun without --force"),
            (["--dry-run", "--force"], "a migration was begun without --force"),
        ):
            refused = node.run("etcd-ha", "migrate", *options, check=False)
            assert refused.returncode == 1
            assert reason in refused.stdout
            assert "To end it as it was begun: etcd-ha migrate\n" in refused.stdout
        assert fingerprint(node) == before
    node.run("etcd-ha", "migrate")
    assert "data-dir: '/srv/etcd'" in node.get("/etc/etcd/etcd.yaml")
    wait_for("the keys", partial(lambda: keys_of(node) == KEYS), within=20)


def assert_migrated(node: Machine, what: str) -> None:
    """One copy that etcd could start from, the original beside it, a whole file, and nothing half-made."""
    found = node.run("find", "/var/lib/etcd", "/var/lib/etcd-ha", "-name", "member*").stdout.split()
    assert found == ["/var/lib/etcd/default/member.before-etcd-ha", "/var/lib/etcd-ha/member"], what
    node.run("diff", "-r", *found)
    assert "data-dir: '/var/lib/etcd-ha'" in node.get("/etc/etcd/etcd.yaml"), what
    rest = node.run("ls", "-A", "/etc/etcd", "/var/lib/etcd-ha", "/var/backups/etcd-ha").stdout
    assert not re.findall(r"partial|etcd\.yaml\.|^migrate$", rest, re.MULTILINE), f"{what}{rest}"


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
    assert "an etcd runs on /var/lib/etcd/default" in done.stdout
    assert node.run("ls", "-A", "/var/lib/etcd-ha").stdout == ""
    node.run("systemctl", "stop", "other")
    node.run("etcd-ha", "migrate")
    assert keys_of(node) == KEYS


def test_member_of_ours_in_the_way_of_debians_purge_is_warned_of_and_moved(
    nodes: Nodes, package: Package, debian_etcd: Debian
) -> None:
    node = prepared(nodes, package, debian_etcd, "trixie")
    node.run("mv", "/var/lib/etcd/default", "/var/lib/etcd/postgresql")
    rest = (
        f"listen-client-urls: http://{node.address}:2379,http://127.0.0.1:2379\n"
        f"listen-peer-urls: http://{node.address}:2380\n"
        f"advertise-client-urls: http://{node.address}:2379\n"
    )
    config = "name: admins-name\ndata-dir: {} # here\n" + rest
    node.put("/etc/etcd/etcd.yaml", config.format("/var/lib/etcd/postgresql"))
    said = node.install(package("forky")).stdout
    assert "do NOT purge Debian's removed etcd-server" in said
    node.run("etcd-ha", "migrate")
    assert node.get("/etc/etcd/etcd.yaml") == config.format("/var/lib/etcd-ha")
    node.run("dpkg", "-P", "etcd-server")
    wait_for("the keys", partial(lambda: keys_of(node) == KEYS), within=20)


DIVERSIONS = ("dpkg-divert", "--list", "*etcd*")


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
