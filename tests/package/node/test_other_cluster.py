"""A member beside another cluster, and the way out, with real etcd and without systemd."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest

from tests.package.manual import unpack_programs
from tests.package.node.real_members import NETWORK, Node
from tests.support.wait import wait_for

Named = Callable[[str, str], Node]
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="etcd-ha reset is root's")


@pytest.fixture(scope="module", params=["3.5.35", "3.7.3"])
def named(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Named:
    """named(name, address) is a node of this version."""
    version: str = request.param
    programs = unpack_programs(version, tmp_path_factory.mktemp(version))
    return lambda name, address: Node(name, address, tmp_path_factory.mktemp(name), programs)


def health(node: Node) -> dict[str, str]:
    shown = json.loads(node.tool("status", "--json").stdout)
    return {member["name"]: member["health"] for member in shown["members"]}


def reset(node: Node, *options: str) -> tuple[int, str]:
    done = node.tool("reset", "--yes", *options)
    return done.returncode, done.stdout


def kept(node: Node) -> list[str]:
    return [
        path.name.partition(".before-reset-")[0]
        for path in node.data.iterdir()
        if "before-reset" in path.name
    ]


def test_member_that_answers_for_another_cluster_is_foreign_and_this_one_may_start_over(named: Named) -> None:
    other, lost = named("other", f"{NETWORK}.2"), named("lost", f"{NETWORK}.3")
    other.configure()
    # It waits for a quorum for ever: the other one never heard of it.
    lost.configure(other)
    with other.runs():
        other.serves()
        with lost.runs():
            wait_for("its log", lambda: list(lost.data.glob("member/wal/*.wal")), within=20)
            assert health(lost) == {"lost": "unreachable", "other": "foreign"}
            said = lost.tool("status")
            assert said.returncode == 1
            assert "other answers, but belongs to another cluster" in said.stdout
            assert reset(lost)[0] == 1, "an etcd runs on the data"
        code, said_by_reset = reset(lost)
        assert (code, kept(lost)) == (0, ["member"]), said_by_reset
        assert not (lost.data / "member").exists()
        assert reset(lost) == (0, f"etcd-ha: nothing to move aside: no member in {lost.data}\n")


def test_reset_is_refused_while_the_cluster_knows_the_member_or_nobody_answers(named: Named) -> None:
    first, second = named("first", f"{NETWORK}.2"), named("second", f"{NETWORK}.3")
    first.configure(second)
    second.configure(first)
    with first.runs():
        with second.runs():
            first.serves()
            second.serves()
            first.etcdctl("put", "key", "value")
            said = ""
            for options in ((), ("--force",)):
                code, said = reset(second, *options)
                assert (code, "the cluster works and lists this member" in said) == (1, True)
            assert f"etcdctl --endpoints={first.client_url} member remove " in said
        # No quorum is left to ask.
        code, said = reset(second)
        assert (code, "does not list the members" in said) == (1, True), said
    code, said = reset(second)
    assert (code, "the other members do not answer: first" in said) == (1, True), said
    assert (second.data / "member").is_dir()
    assert "etcd-ha reset --force" in said
    assert reset(second, "--force")[0] == 0
    assert kept(second) == ["member"]


def test_reset_asks_where_nobody_says_yes(named: Named) -> None:
    alone = named("alone", f"{NETWORK}.2")
    alone.configure()
    with alone.runs():
        alone.serves()
        done = alone.tool("reset")
        assert (done.returncode, "To reset without asking: etcd-ha reset --yes" in done.stdout) == (1, True)
        assert health(alone) == {"alone": "healthy"}
    assert reset(alone)[0] == 0


def test_reset_reads_where_the_data_is_or_refuses(named: Named) -> None:
    alone = named("alone", f"{NETWORK}.2")
    alone.configure()
    file = alone.folder / "etcd.yaml"
    file.write_text(file.read_text().replace("data-dir: ", "data-dir: &here "))
    code, said = reset(alone)
    assert code == 1
    assert "data-dir can't be read from" in said
