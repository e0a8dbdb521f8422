"""A living cluster goes from http to https and back; real etcd on loopback."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.package.node.check.authority import Authority
from tests.package.node.keeper.changing import following, is_served, member_urls, members
from tests.package.node.keeper.conftest import VERSIONS
from tests.package.node.keeper.nodes import Node, longest_gap, lost, writing
from tests.package.node.keeper.runs import done, killed

LONGEST_GAP = 1.0
STEPS = (
    "in both schemes",
    "writing etcd.yaml",
    "restarting etcd in its turn",
    "alone",
    "reach each other",
    "noting the stage",
)
# Seconds after a step was announced.
AFTER = (0.0, 0.3, 1.0)


# Each change waits for 18 restarts in turn; test_tls_stages.py has single stages.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1200)]


@pytest.fixture(params=VERSIONS)
def nodes(request: pytest.FixtureRequest, tmp_path: Path, signer: Authority) -> Iterator[Sequence[Node]]:
    with members(tmp_path, request.param, signer) as found:
        yield found


def walk(nodes: Sequence[Node], way: str) -> list[str]:
    """Follow the printed commands to the end, and say yes; what each run said."""
    named = {node.name: node for node in nodes}
    said = list[str]()
    step: tuple[str, tuple[str, ...]] | None = (nodes[0].name, (way,))
    while step is not None and len(said) < 20:
        said.append(done(named[step[0]], "tls", *step[1], "--yes"))
        step = following(said[-1])
    return said


def go_on(node: Node, way: str) -> tuple[str, tuple[str, ...]] | None:
    """Run the command again, and where to go on by what it says.

    Where a run had ended before it could be killed, the next one refuses: it is the turn of another member.
    """
    again = node.tool("tls", way, "--yes")
    if again.returncode == 0:
        return following(again.stdout)
    assert "is not as far; nothing was changed" in again.stdout
    hint = re.search(r"^hint: on (\S+): etcd-ha tls (.*)$", again.stdout, re.MULTILINE)
    assert hint is not None, again.stdout
    return hint[1], tuple(hint[2].split())


def test_the_printed_commands_lead_to_https_and_back_under_a_client_that_knows_both(
    nodes: Sequence[Node], client: Path
) -> None:
    first = nodes[0]
    before = [(node.folder / "etcd.yaml").read_text() for node in nodes]
    with writing(nodes, client) as acknowledged:
        said = walk(nodes, "enable")
        assert said[-1].endswith("All members use https alone.\n")
        assert len(said) == 9
        # The stage after which clients have to be changed.
        assert ["protocol: https" in one for one in said].index(True) == 2
        assert {url.partition(":")[0] for url in member_urls(first)} == {"https"}
        assert not is_served(first, "http", client)
        back = walk(nodes, "disable")
        assert len(back) == 9, back
    assert back[-1].endswith("All members use http alone.\n")
    assert {url.partition(":")[0] for url in member_urls(first)} == {"http"}
    assert not is_served(first, "https", client)
    assert [(node.folder / "etcd.yaml").read_text() for node in nodes] == before
    assert first.etcdctl("get", "--prefix", "/etcd-ha/tls/") == ""
    assert lost(acknowledged, first) == []
    assert longest_gap(acknowledged) < LONGEST_GAP


@pytest.mark.parametrize("shift", range(len(STEPS)))
@pytest.mark.parametrize("way", ["enable", "disable"])
def test_runs_that_were_killed_anywhere_go_on_when_they_are_run_again(
    tmp_path: Path, signer: Authority, client: Path, way: str, shift: int
) -> None:
    with members(tmp_path, "3.6.16", signer) as nodes:
        with writing(nodes, client) as acknowledged:
            if way == "disable":
                walk(nodes, "enable")
            named = {node.name: node for node in nodes}
            place: tuple[str, tuple[str, ...]] | None = (nodes[0].name, (way,))
            runs, met = 0, set()
            while place is not None and runs < 20:
                # Each of the nine runs at another step.
                step, after = STEPS[(runs + shift) % len(STEPS)], AFTER[runs % len(AFTER)]
                said = killed(named[place[0]], step, after, "tls", way, "--yes")
                met |= {step} if step in said else set()
                place = go_on(named[place[0]], way)
                runs += 1
            scheme = "https" if way == "enable" else "http"
            assert {url.partition(":")[0] for url in member_urls(nodes[0])} == {scheme}
            # Some steps belong to one stage alone; with all shifts each is met.
            assert len(met) >= 3
        assert lost(acknowledged, nodes[0]) == []
