"""A migration that is killed at any step, or only shown, loses nothing and goes on as it was planned."""

import re
import signal
from functools import partial

import pytest

from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.debian_etcd import KEYS, Debian, Nodes, Package, keys_of, prepared

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


@pytest.mark.soak
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


@pytest.mark.soak
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
        assert "a migration has begun; to finish it: etcd-ha migrate\n" in shown
        assert "target=/srv/etcd\n" in shown
        for options, reason in (
            (
                ["--to", "/var/lib/etcd-ha"],
                "a migration to /srv/etcd has already begun, not to /var/lib/etcd-ha",
            ),
            (["--force"], "a migration without --force has already begun"),
            (["--dry-run", "--force"], "a migration without --force has already begun"),
        ):
            refused = node.run("etcd-ha", "migrate", *options, check=False)
            assert refused.returncode == 1
            assert reason in refused.stdout
            assert "To finish it as planned: etcd-ha migrate\n" in refused.stdout
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
