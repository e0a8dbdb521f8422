"""A member of another cluster than its peers, or of none, is told so and can start over: etcd-ha reset."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pexpect
import pytest

from tests.support.machines.cluster import Cluster, etcdctl, is_healthy, is_serving, preseed
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.advice import follow
from tests.system.service import service
from tests.system.test_status import screen, status

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

DATA = "/var/lib/etcd-ha"
NONINTERACTIVE = {"DEBIAN_FRONTEND": "noninteractive"}


def single(machine: Machine, deb: Path) -> None:
    """A node with a running member that has a key."""
    preseed(machine, {"setup": "single", "address": machine.address})
    machine.install(deb)
    wait_for("the member to be healthy", partial(is_healthy, machine), within=30)
    etcdctl(machine, "put", "key", "value")


def reset(machine: Machine, *options: str) -> tuple[int, str]:
    done = machine.run("etcd-ha", "reset", *options, check=False)
    return done.returncode, done.stdout


WAL = "/var/lib/etcd-ha/member/wal"


def health(machine: Machine) -> dict[str | None, str]:
    return {member["name"]: member["health"] for member in status(machine)[0]["members"]}


@pytest.mark.soak
def test_member_of_another_cluster_is_named_on_both_sides_and_joins_after_it_started_over(
    nodes: Nodes, package: Package
) -> None:
    deb = package("3.6.16")
    cluster = Cluster(nodes(3))
    first, second, wrong = cluster.machines
    # Its own entry has a wrong port: it waits for the others for ever, as they do for it.
    members = f"{first.name}={first.address},{second.name}={second.address},{wrong.name}={wrong.address}:2390"
    # First, while nobody can tell it that the others do not know it.
    preseed(wrong, {**cluster.answers(wrong), "members": members})
    wrong.install(deb)
    wait_for("it to begin its log", lambda: "0.wal" in wrong.run("ls", WAL, check=False).stdout, within=30)
    for machine in (first, second):
        preseed(machine, cluster.answers(machine))
        machine.install(deb)
    wait_for("two of three to be healthy", lambda: status(first)[0]["quorum"], within=30)
    # Its cluster has an id as soon as etcd has begun its log.
    seen = {first.name: "foreign", second.name: "foreign", wrong.name: "unreachable"}
    wait_for("the two to be known as of another cluster", lambda: health(wrong) == seen, within=30)
    said = screen(wrong)
    assert f"{first.name} answers, but belongs to another cluster" in said
    assert status(wrong)[1] == 1
    # Nobody can say that it would be missed: the others answer, and are not its cluster.
    follow(said, wrong, "etcd-ha reset", after=" --yes")
    preseed(wrong, cluster.answers(wrong))
    wrong.run("dpkg-reconfigure", "etcd-ha", env=NONINTERACTIVE)
    wrong.run("systemctl", "start", "etcd")
    cluster.wait_for_quorum(within=30)


@pytest.mark.soak
def test_member_that_serves_as_another_cluster_is_no_part_of_the_quorum(
    nodes: Nodes, package: Package
) -> None:
    deb = package("3.6.16")
    cluster = Cluster(nodes(3))
    first, second, alone = cluster.machines
    for machine in (first, second):
        preseed(machine, cluster.answers(machine))
        machine.install(deb)
    single(alone, deb)
    wait_for("two of three to be healthy", lambda: status(first)[0]["quorum"], within=30)
    said, code = status(first)
    assert (said["quorum"], code) == (True, 1)
    assert health(first) == {first.name: "healthy", second.name: "healthy", alone.name: "foreign"}
    assert f"{alone.name} answers, but belongs to another cluster" in screen(first)
    second.run("systemctl", "stop", "etcd")
    wait_for("the quorum to be lost", lambda: not status(first)[0]["quorum"], within=20)


@pytest.mark.soak
def test_reset_is_refused_while_a_working_cluster_knows_the_member_and_says_the_way(serving: Nodes) -> None:
    cluster = Cluster(serving(3, "3.6.16"))
    first, second, third = cluster.machines
    etcdctl(first, "put", "key", "value")
    said = ""
    for options in (("--yes",), ("--yes", "--force")):
        code, said = reset(third, *options)
        assert code == 1
        assert "the cluster works and lists this member" in said
    assert is_serving(third)
    # As the message says, a young cluster is asked again.
    wait_for(
        "the member to be removed",
        lambda: "removed from cluster" in follow(said, third, "etcdctl --endpoints=", check=False),
        within=15,
    )
    follow(reset(third)[1], third, "etcd-ha reset --yes")
    assert service(third).active == "inactive"
    assert third.run("sh", "-c", f"ls {DATA}").stdout.startswith("member.before-reset-")
    # The cluster is one of two now; without the other nobody can say whether this member is missed.
    second.run("systemctl", "stop", "etcd")
    wait_for("the quorum to be lost", lambda: not status(first)[0]["quorum"], within=20)
    code, said = reset(first, "--yes")
    assert code == 1
    assert "the other members do not answer" in said
    assert first.run("test", "-d", f"{DATA}/member").returncode == 0
    follow(said, first, "etcd-ha reset --force", after=" --yes")
    assert first.run("test", "-d", f"{DATA}/member", check=False).returncode == 1


def test_reset_asks_and_keeps_a_copy_that_no_etcd_starts_from(serving: Nodes) -> None:
    (node,) = serving(1, "3.7.3")
    etcdctl(node, "put", "key", "value")
    code, said = reset(node)
    assert code == 1
    assert "can't ask for confirmation" in said
    assert is_healthy(node)
    argv = node.command("etcd-ha", "reset", env={"TERM": "dumb"})
    for reply, sign in (
        ("", "nothing was changed"),
        ("y", "the data is now in /var/lib/etcd-ha/member.before-reset-"),
    ):
        child = pexpect.spawn(argv[0], argv[1:], encoding="utf-8", timeout=60)
        child.expect_exact("Move the data aside? [y/N] ")
        child.sendline(reply)
        child.expect_exact(sign)
        child.expect(pexpect.EOF)
        child.close()
    assert service(node).active == "inactive"
    code, said = reset(node, "--yes")
    assert (code, "nothing to move aside" in said) == (0, True)
    node.run("systemctl", "start", "etcd")
    wait_for("the new member to be healthy", partial(is_healthy, node), within=30)
    assert etcdctl(node, "get", "key") == ""
    # The copy is whole: in its place again it is the member that it was.
    node.run("systemctl", "stop", "etcd")
    node.run("sh", "-ec", f"cd {DATA}; rm -r member; mv member.before-reset-* member")
    node.run("systemctl", "start", "etcd")
    assert etcdctl(node, "get", "key").split() == ["key", "value"]


@pytest.mark.soak
def test_reset_sets_a_log_elsewhere_aside_too_and_goes_on_after_it_was_killed_between(
    nodes: Nodes, package: Package
) -> None:
    (node,) = nodes(1)
    node.run("install", "-d", "-m", "0755", "/srv/log")
    single(node, package("3.6.16"))
    node.run("systemctl", "stop", "etcd")
    node.run("mv", f"{DATA}/member/wal", "/srv/log/wal")
    node.run("chown", "-R", "etcd:etcd", "/srv/log")
    node.run("etcd-ha", "config", "set", "wal-dir", "/srv/log/wal")
    node.run("systemctl", "start", "etcd")
    assert etcdctl(node, "get", "key").split() == ["key", "value"]
    node.run("systemctl", "stop", "etcd")
    # As after a kill between the two renames.
    node.run("mv", "/srv/log/wal", "/srv/log/wal.before-reset-x")
    assert reset(node, "--yes")[0] == 0
    left = node.run("sh", "-c", f"ls {DATA} /srv/log").stdout
    assert "member.before-reset-" in left
    assert "wal.before-reset-x" in left
    assert node.run("test", "-e", f"{DATA}/member", check=False).returncode == 1


@pytest.mark.soak
def test_etcd_of_another_unit_is_ended_by_the_command_and_the_node_starts_over(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.16")
    etcdctl(node, "put", "key", "value")
    node.run("systemctl", "stop", "etcd")
    program = ("/usr/lib/etcd-ha/bin/etcd", "--data-dir", DATA)
    node.run("systemd-run", "--unit=other", "--uid=etcd", *program)
    local = ("etcdctl", "endpoint", "health")
    wait_for("the other etcd", lambda: "is healthy" in node.run(*local, check=False).stdout, within=20)
    code, said = reset(node, "--yes")
    assert (code, f"an etcd process that is not etcd.service uses {DATA}" in said) == (1, True)
    follow(said, node, "systemctl stop other.service")
    said = follow(said, node, "etcd-ha reset", after=" --yes")
    follow(said, node, "dpkg-reconfigure etcd-ha", before="export DEBIAN_FRONTEND=noninteractive; ")
    follow(said, node, "systemctl --no-block start etcd")
    wait_for("the new member to be healthy", partial(is_healthy, node), within=30)
    assert etcdctl(node, "get", "key") == ""
