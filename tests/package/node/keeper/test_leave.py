"""A member leaves its cluster; real etcd on loopback."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.package.node.keeper.conftest import VERSIONS
from tests.package.node.keeper.nodes import Node, longest_gap, lost, make_leader, planned, running, writing
from tests.support.sample import sampled

LONGEST_GAP = 1.0


@pytest.fixture(params=sampled(VERSIONS, "3.6.16"))
def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sequence[Node]]:
    with running(planned(tmp_path, request.param, 3), 3) as found:
        yield found


@pytest.fixture
def three(tmp_path: Path) -> Iterator[Sequence[Node]]:
    """The same of one version, for what no version changes."""
    with running(planned(tmp_path, "3.6.16", 3), 3) as found:
        yield found


def names(node: Node) -> list[str]:
    return sorted(node.members().values())


def test_the_leader_leaves_under_a_writer_and_comes_back_by_a_join(nodes: Sequence[Node]) -> None:
    first, second, third = nodes
    make_leader(nodes, first)
    with writing([second, third]) as acknowledged:
        done = first.tool("leave", "--yes")
        assert done.returncode == 0, done.stdout
        assert names(second) == ["pg2", "pg3"]
        assert first.pid == 0
        back = first.tool("join", "--yes", second.url)
    assert back.returncode == 0, back.stdout
    assert names(second) == ["pg1", "pg2", "pg3"]
    assert lost(acknowledged, first) == []
    assert longest_gap(acknowledged) < LONGEST_GAP


def test_what_would_be_done_is_shown_and_what_ends_a_membership_is_asked(three: Sequence[Node]) -> None:
    first, second, _ = three
    shown = first.tool("leave", "--dry-run")
    assert (shown.returncode, "remove pg1 from the cluster, and stop" in shown.stdout) == (0, True), (
        shown.stdout
    )
    asked = first.tool("leave")
    assert (asked.returncode, "not confirmed" in asked.stdout) == (1, True), asked.stdout
    assert len(names(second)) == 3


def test_a_member_that_the_quorum_needs_stays_and_the_one_that_is_ill_is_named(three: Sequence[Node]) -> None:
    first, second, third = three
    third.stop()
    done = first.tool("leave", "--yes")
    assert done.returncode == 1
    assert "pg1 can't leave: the remaining members would have no quorum" in done.stdout
    assert "2 of 2 voting members must be healthy; 1 are" in done.stdout
    assert f"pg3 is not healthy: {third.url}: connection refused" in done.stdout
    assert len(names(second)) == 3
    assert first.takes_writes()


def test_the_only_member_stays(tmp_path: Path) -> None:
    with running(planned(tmp_path, "3.6.16", 1), 1) as (only,):
        done = only.tool("leave", "--yes")
        assert (done.returncode, "without it there is no cluster" in done.stdout) == (1, True), done.stdout
        assert only.takes_writes()


def test_a_leave_that_was_killed_after_the_removal_is_ended_by_the_next(three: Sequence[Node]) -> None:
    first, second, _ = three
    # systemd that takes its time.
    script = first.folder / "bin/systemctl"
    slow = script.read_text()
    script.write_text(slow.replace("#!/bin/sh\n", '#!/bin/sh\ncase "$*" in *disable*) sleep 600 ;; esac\n'))
    process = first.begin("leave", "--yes")
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "stopping etcd" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.stdout.close()
    process.wait()
    assert names(second) == ["pg2", "pg3"], said
    script.write_text(slow)
    done = first.tool("leave", "--yes")
    assert done.returncode == 0, done.stdout
    assert first.pid == 0
    assert not (first.folder / "begun").exists()
