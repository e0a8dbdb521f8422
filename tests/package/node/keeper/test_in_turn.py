"""A command that runs while this member has the restart slot; real etcd on this machine's loopback."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.package.node.keeper.nodes import Node, leader_of, make_leader, planned, running
from tests.support.wait import wait_for
from tests.system.advice import follow

QUEUE = "/etcd-ha/restart/"
NOT_RUN = 75


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Node]]:
    with running(planned(tmp_path_factory.mktemp("nodes"), "3.6.16", 3), 3) as found:
        yield found


def waiting(node: Node) -> list[str]:
    """The keys of the queue."""
    return node.etcdctl("get", "--prefix", QUEUE, "--keys-only").split()


def test_the_command_runs_in_the_slot_with_leadership_moved_and_its_status_is_the_programs(
    nodes: Sequence[Node],
) -> None:
    first, second, _ = nodes
    make_leader(nodes, first)
    etcdctl = f"'{first.environment['ETCD_BIN']}/etcdctl' --endpoints={second.url}"
    look = f"{etcdctl} get --prefix {QUEUE} --print-value-only; env; exit 7"
    done = first.tool("in-turn", "--", "sh", "-c", look)
    assert done.returncode == 7, done.stdout
    assert "pg1" in done.stdout.splitlines()
    assert leader_of(nodes) is not first
    assert waiting(second) == []
    # What the program itself needs to reach the members is nothing for the command.
    assert "ETCDCTL_" not in done.stdout


def test_two_members_take_the_slot_one_after_the_other(nodes: Sequence[Node], tmp_path: Path) -> None:
    first, _, third = nodes
    log = tmp_path / "log"
    command = ["sh", "-c", f"echo begin >>{log}; sleep 1; echo end >>{log}"]
    both = [node.begin("in-turn", "--", *command) for node in (first, third)]
    for process in both:
        said, _ = process.communicate(timeout=90)
        assert process.returncode == 0, said
    assert log.read_text().split() == ["begin", "end", "begin", "end"]


def test_without_the_slot_in_time_the_command_does_not_run_and_the_reason_is_said(
    nodes: Sequence[Node], tmp_path: Path
) -> None:
    first, second, third = nodes
    ran = tmp_path / "ran"
    third.stop()
    try:
        done = first.tool("in-turn", "--wait", "1", "--", "touch", str(ran))
        assert done.returncode == NOT_RUN
        assert "touch was not run: pg3 is unreachable" in done.stdout
        assert not ran.exists()
    finally:
        third.start()
        third.serves()
    assert waiting(second) == []

    follow(done.stdout, first, "etcd-ha in-turn", replaced={"'1'": "'60'"})
    assert ran.exists()


@pytest.mark.parametrize("words", [[], ["true"], ["--"], ["--wait", "--", "true"], ["--force", "--", "true"]])
def test_other_words_are_refused(nodes: Sequence[Node], words: list[str]) -> None:
    done = nodes[0].tool("in-turn", *words)
    assert (done.returncode, "usage: etcd-ha in-turn [--wait SECONDS] -- COMMAND" in done.stdout) == (2, True)


def begun(node: Node, folder: Path) -> subprocess.Popen[str]:
    """A command that would take long, in the slot."""
    process = node.begin(
        "in-turn", "--", "sh", "-c", f"echo $$ >{folder}/new; mv {folder}/new {folder}/pid; exec sleep 600"
    )
    wait_for("the command to run", (folder / "pid").exists, within=60)
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda one: one.name)
def test_the_command_ends_with_the_program_however_that_ends(
    nodes: Sequence[Node], tmp_path: Path, number: signal.Signals
) -> None:
    process = begun(nodes[0], tmp_path)
    process.send_signal(number)
    process.communicate(timeout=30)
    command = Path("/proc", (tmp_path / "pid").read_text().strip())
    wait_for("the command to end", lambda: not command.exists(), within=10)
    if number != signal.SIGKILL:
        assert waiting(nodes[1]) == []
    # With its lease, the place of a killed one ends.
    wait_for("its place in the queue to be free", lambda: waiting(nodes[1]) == [], within=40)


def test_the_slot_outlasts_its_lease_while_the_command_runs(nodes: Sequence[Node], tmp_path: Path) -> None:
    process = begun(nodes[0], tmp_path)
    try:
        (key,) = waiting(nodes[1])
        lease = key.rpartition("/")[2].rstrip("+")

        def left() -> int:
            said = nodes[1].etcdctl("lease", "timetolive", lease)
            return int(said.rpartition("remaining(")[2].rstrip("s)\n"))

        begin = left()
        wait_for("some of its seconds to pass", lambda: left() < begin, within=20)
        low = left()
        wait_for("its renewal", lambda: left() > low, within=20)
        nodes[1].etcdctl("lease", "revoke", lease)
        said, _ = process.communicate(timeout=30)
        assert "the restart slot was lost, and sh is ended" in said
        assert process.returncode == 128 + signal.SIGTERM
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGTERM)
            process.wait()
