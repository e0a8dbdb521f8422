"""etcd-ha status tells the truth on one screen, in time."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypedDict

import pytest

from builder.known_faults import shipped_faults
from tests.package.repository.test_json_output import check
from tests.support.machines.cluster import Cluster, etcdctl, is_healthy, preseed
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.advice import follow

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

# Seconds.
BOUND = 5


class Member(TypedDict):
    """An entry of "members"."""

    id: str | None
    name: str | None
    endpoint: str
    health: str
    version: str | None
    is_leader: bool
    is_learner: bool
    database_bytes: int | None
    alarms: list[str]


class Status(TypedDict):
    """What --json prints."""

    package: str | None
    installed: str | None
    running: str | None
    service: str | None
    restarts: int | None
    restarting: bool
    failure: str | None
    name: str
    member_id: str | None
    leader: str | None
    quorum: bool
    database_bytes: int | None
    quota_bytes: int
    alarms: list[str]
    pending_restart: list[str]
    config_warnings: list[str]
    known_faults: list[dict[str, str | None]]
    unread: list[str]
    members: list[Member]


def status(machine: Machine) -> tuple[Status, int]:
    """Its JSON, which has the form of its schema, and exit status."""
    done = machine.run("etcd-ha", "status", "--json", check=False)
    check("etcd-ha-status", done.stdout)
    said: Status = json.loads(done.stdout)
    return said, done.returncode


def screen(machine: Machine) -> str:
    """The text."""
    return machine.run("etcd-ha", "status", check=False).stdout


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    """The block may take no longer than an admin waits."""
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < BOUND


def test_status_of_a_healthy_cluster_is_complete(serving: Nodes) -> None:
    cluster = Cluster(serving(3, "3.7.3"))
    first = cluster.machines[0]
    said, code = status(first)
    assert code == 0
    assert (said["package"], said["installed"], said["running"]) == ("3.7.3-1", "3.7.3", "3.7.3")
    assert (said["service"], said["name"], said["quorum"]) == ("active", "n1", True)
    assert said["quota_bytes"] == 2 * 1024**3
    assert said["alarms"] == said["pending_restart"] == said["config_warnings"] == []
    assert said["known_faults"] == []
    rows = [row.split(", ") for row in etcdctl(first, "member", "list").splitlines()]
    assert {member["id"]: member["name"] for member in said["members"]} == {r[0]: r[2] for r in rows}
    assert {member["health"] for member in said["members"]} == {"healthy"}
    (leader,) = (member["name"] for member in said["members"] if member["is_leader"])
    assert said["leader"] == leader
    text = screen(first)
    assert "has a quorum" in text
    assert text.count(" healthy ") == 3
    assert len(text.splitlines()) < 25


@pytest.mark.alone
def test_status_without_quorum_answers_in_time_and_says_so(serving: Nodes) -> None:
    cluster = Cluster(serving(3, "3.7.3"))
    first, second, third = cluster.machines
    second.cut_power()
    third.run("systemctl", "stop", "etcd")
    wait_for("the leader to be lost", lambda: not is_healthy(first), within=20)
    with in_time():
        said, code = status(first)
    assert code == 1
    assert (said["quorum"], said["leader"]) == (False, None)
    health = {member["name"]: member["health"] for member in said["members"]}
    assert health == {"n1": "unhealthy", "n2": "unreachable", "n3": "unreachable"}
    with in_time():
        assert "NO QUORUM" in screen(first)
    # A member that starts without one does not serve at all.
    first.run("systemctl", "restart", "--no-block", "etcd")
    wait_for("etcd to be back", lambda: status(first)[0]["service"] == "activating", within=20)
    with in_time():
        assert {member["name"] for member in status(first)[0]["members"]} == {"n1", "n2", "n3"}
    said, code = status(third)
    assert (said["running"], said["service"], said["quorum"], code) == (None, "inactive", False, 1)


@pytest.mark.soak
def test_status_shows_alarms_warnings_and_a_pending_restart(nodes: Nodes, package: Package) -> None:
    (node,) = nodes(1)
    preseed(node, {"setup": "single", "address": node.address, "quota": "16M"})
    node.install(package("3.6.16"))
    wait_for("the member to be healthy", partial(is_healthy, node), within=30)
    etcdctl(node, "get", "nothing")
    node.put("/root/big", "x" * 1_000_000)
    fill = 'for i in $(seq 40); do etcdctl put "k$i" </root/big >/dev/null 2>&1 || exit 0; done'
    node.run("sh", "-c", fill)
    node.run("etcd-ha", "config", "set", "heartbeat-interval", "150")
    config = node.get("/etc/etcd/etcd.yaml")
    node.put("/etc/etcd/etcd.yaml", config + "dial-timeout: 20s\n", mode="0640")
    said, code = status(node)
    assert code == 1
    assert said["alarms"] == ["NOSPACE"]
    assert said["quota_bytes"] == 16 * 1024**2
    assert any("changed since the start" in reason for reason in said["pending_restart"])
    assert any("dial-timeout" in warning for warning in said["config_warnings"])
    text = screen(node)
    assert "alarm NOSPACE on n1: the database has reached its quota" in text
    assert "dial-timeout" in text
    # The restart that is due says why it has to wait, and the commands that end it.
    asked = node.run("etcd-ha", "restart", check=False)
    assert asked.returncode == 1
    assert "etcd was not restarted: alarm NOSPACE on n1: the database has reached its quota" in asked.stdout
    commands = asked.stdout.partition("To clear the alarm:\n")[2]
    assert "\n".join(line.strip() for line in commands.splitlines()) in "\n".join(
        line.strip() for line in text.splitlines()
    )
    follow(commands, node, "export ETCDCTL_ENDPOINTS", "etcdctl compact", "etcdctl defrag", "alarm disarm")
    assert status(node)[0]["alarms"] == []
    follow(commands, node, "etcd-ha config set quota-backend-bytes")
    assert status(node)[0]["quota_bytes"] == 8 * 1024**3
    assert status(node)[0]["pending_restart"] == []


def test_restart_is_due_exactly_while_the_file_differs_from_what_etcd_has_read(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    node.run("touch", "/etc/etcd/etcd.yaml")
    assert status(node)[0]["pending_restart"] == []
    config = node.get("/etc/etcd/etcd.yaml")
    # Neither the date of the file nor that of /proc tells.
    change = "echo '# edited' >>/etc/etcd/etcd.yaml; touch -d '1 hour ago' /etc/etcd/etcd.yaml"
    node.run("sh", "-c", change)
    assert status(node)[0]["pending_restart"] == ["/etc/etcd/etcd.yaml was changed since the start"]
    node.put("/etc/etcd/etcd.yaml", config, mode="0640")
    assert status(node)[0]["pending_restart"] == []
    node.run("sh", "-c", change)
    node.run("etcd-ha", "restart")
    assert status(node)[0]["pending_restart"] == []
    # A member that no preflight has started.
    unit = node.get("/usr/lib/systemd/system/etcd.service").replace("/usr/lib/etcd-ha/preflight ", "")
    node.put("/etc/systemd/system/etcd.service", unit)
    node.run("systemctl", "daemon-reload")
    node.run("systemctl", "restart", "etcd")
    assert status(node)[0]["pending_restart"] == []
    node.run("sh", "-c", change)
    assert status(node)[0]["pending_restart"] == [
        "/etc/etcd/etcd.yaml was written after the start, and it is unknown what etcd has read"
    ]


@pytest.mark.soak
def test_status_before_any_configuration_says_what_to_do(nodes: Nodes, package: Package) -> None:
    (node,) = nodes(1)
    node.install(package("3.6.7"))
    shown = screen(node)
    assert "dpkg-reconfigure etcd-ha" in shown
    said, code = status(node)
    assert (said["running"], said["members"], code) == (None, [], 1)
    faults = shipped_faults().of_package(str(said["package"]))
    assert faults
    for fault in faults:
        assert shown.count(f"known fault etcd {said['installed']}: {fault}\n") == 1
    assert [fault["fixed_in"] for fault in said["known_faults"]] == [fault.fixed for fault in faults]


@pytest.mark.soak
def test_status_sees_a_binary_replaced_under_the_running_one(nodes: Nodes, package: Package) -> None:
    (node,) = nodes(1)
    preseed(node, {"setup": "single", "address": node.address, "restart-policy": "never"})
    node.install(package("3.6.7"))
    wait_for("the member to be healthy", partial(is_healthy, node), within=30)
    node.install(package("3.6.16"))
    said, _ = status(node)
    assert (said["running"], said["installed"]) == ("3.6.7", "3.6.16")
    assert said["pending_restart"] == [
        "etcd 3.6.7 runs, 3.6.16 is installed",
        "not restarted: restart-policy is never",
    ]
