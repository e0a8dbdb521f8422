"""A living cluster goes from http to https and back; real etcd on loopback."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.package.node.check.authority import Authority, authority
from tests.package.node.keeper.conftest import VERSIONS
from tests.package.node.keeper.nodes import Node, longest_gap, lost, planned, running, writing
from tests.support.clients.gateway import Gateway
from tests.support.sample import sampled
from tests.system.advice import follow

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
# What status says of no change.
NONE = ("none", None, dict[str, str]())


def hand_out(signer: Authority, node: Node) -> None:
    """Certificates as `cluster certs` names them."""
    node.tls.mkdir(parents=True)
    shutil.copy(signer.file, node.tls / "ca.crt")
    for name in ("server", "peer"):
        # On the loopback a member's connections to others come from the first address.
        pair = signer.issue(f"{node.name}-{name}", node.address, node.name, "127.0.0.1")
        shutil.copy(pair.certificate, node.tls / f"{name}.crt")
        shutil.copy(pair.key, node.tls / f"{name}.key")


@pytest.fixture
def signer(tmp_path: Path) -> Authority:
    return authority(tmp_path / "authority")


@pytest.fixture
def client(signer: Authority) -> Path:
    """What a client presents."""
    folder = signer.folder / "client"
    folder.mkdir()
    pair = signer.issue("client")
    for source, name in ((signer.file, "ca.pem"), (pair.certificate, "node.pem"), (pair.key, "node.key")):
        shutil.copy(source, folder / name)
    return folder


@contextlib.contextmanager
def members(folder: Path, version: str, signer: Authority) -> Iterator[Sequence[Node]]:
    """Three members with http, and certificates that nobody uses yet."""
    nodes = planned(folder, version, 3)
    for node in nodes:
        hand_out(signer, node)
    with running(nodes, 3):
        yield nodes


# Runs that are killed do the same with one version in ci/test, and booted nodes do.
@pytest.fixture(params=sampled(VERSIONS))
def nodes(request: pytest.FixtureRequest, tmp_path: Path, signer: Authority) -> Iterator[Sequence[Node]]:
    with members(tmp_path, request.param, signer) as found:
        yield found


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Node]]:
    """Of one version, which stay what they are."""
    folder = tmp_path_factory.mktemp("three")
    with members(folder, "3.6.16", authority(folder / "authority")) as found:
        yield found


def done(node: Node, *words: str) -> str:
    """What a run says that has to succeed."""
    ended = node.tool("tls", *words)
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def refused(node: Node, *words: str) -> str:
    """What a run says that has to refuse."""
    ended = node.tool("tls", *words)
    assert ended.returncode == 1, ended.stdout
    return ended.stdout


def following(said: str) -> tuple[str, tuple[str, ...]] | None:
    """The node and the words of the command that is printed as the next."""
    found = re.search(r"^Next, on (\S+): etcd-ha tls (.*)$", said, re.MULTILINE)
    return (found[1], tuple(found[2].split())) if found else None


def walk(nodes: Sequence[Node], way: str) -> list[str]:
    """Follow the printed commands to the end, and say yes; what each run said."""
    named = {node.name: node for node in nodes}
    said = list[str]()
    step: tuple[str, tuple[str, ...]] | None = (nodes[0].name, (way,))
    while step is not None and len(said) < 20:
        said.append(done(named[step[0]], *step[1], "--yes"))
        step = following(said[-1])
    return said


def member_urls(node: Node) -> set[str]:
    """All URLs that the members have in the cluster."""
    rows = [line.split(", ") for line in node.etcdctl("member", "list").splitlines()]
    return {url for row in rows for url in (*row[3].split(","), *row[4].split(","))}


def is_served(node: Node, scheme: str, client: Path) -> bool:
    gateway = Gateway(f"{scheme}://{node.address}:2379", 2, client)
    try:
        return gateway.put("first", "put")
    finally:
        gateway.close()


def change_under_way(node: Node) -> tuple[str | None, str | None, dict[str, str]]:
    """As status has it: which, the next member, and the stage of each."""
    said = json.loads(node.tool("status", "--json").stdout)
    return said["tls_change"], said["tls_next"], {one["name"]: one["stage"] for one in said["tls_stages"]}


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


def killed_after(node: Node, way: str, step: str, after: float) -> str:
    """A run that is killed so many seconds after it has announced a step, if it has it; what it said."""
    process = node.begin("tls", way, "--yes")
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if step in line:
            break
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=after)
    process.send_signal(signal.SIGKILL)
    process.stdout.close()
    process.wait()
    return said


@pytest.mark.parametrize(
    ("way", "shift"),
    sampled([(way, shift) for way in ("enable", "disable") for shift in range(len(STEPS))], ("enable", 1)),
)
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
                said = killed_after(named[place[0]], way, step, after)
                met |= {step} if step in said else set()
                place = following(done(named[place[0]], way, "--yes"))
                runs += 1
            scheme = "https" if way == "enable" else "http"
            assert {url.partition(":")[0] for url in member_urls(nodes[0])} == {scheme}
            assert len(met) >= 4
        assert lost(acknowledged, nodes[0]) == []


def test_a_change_that_was_begun_can_be_undone_at_each_stage(three: Sequence[Node], client: Path) -> None:
    first, second, _ = three
    done(first, "enable")
    assert is_served(first, "https", client) is False
    done(first, "disable", "--yes")
    assert change_under_way(second) == NONE
    assert member_urls(first) == {url for node in three for url in (node.url, node.peer_url)}


def test_status_shows_the_stage_of_each_member_and_where_to_go_on(three: Sequence[Node]) -> None:
    first, second, _ = three
    assert change_under_way(second) == NONE
    done(first, "enable")
    try:
        stages = {"pg1": "both", "pg2": "http", "pg3": "http"}
        assert change_under_way(second) == ("enable", "pg2", stages)
        screen = second.tool("status").stdout
        assert "pg1 http between members, http and https for clients; pg2 http; pg3 http" in screen
        assert "next, on pg2: etcd-ha tls enable" in screen
        said = follow(screen, second, "etcd-ha tls")
        assert following(said) == ("pg3", ("enable",))
    finally:
        done(first, "disable", "--yes")
        done(second, "disable", "--yes")


def test_a_stage_waits_for_the_others_and_names_where_to_go_on(three: Sequence[Node]) -> None:
    first = three[0]
    done(first, "enable")
    try:
        said = refused(first, "enable", "--yes")
        assert "pg2 is not as far; nothing was changed" in said
        assert "hint: on pg2: etcd-ha tls enable" in said
    finally:
        done(first, "disable", "--yes")


def test_what_would_be_done_is_shown_and_nothing_is_changed(three: Sequence[Node]) -> None:
    first = three[0]
    before = (first.folder / "etcd.yaml").read_text()
    said = done(first, "enable", "--dry-run")
    assert "to do: writing etcd.yaml" in said
    assert "to do: restarting etcd in its turn" in said
    assert (first.folder / "etcd.yaml").read_text() == before
    assert not (first.folder / "begun").exists()
    assert change_under_way(first) == NONE


def test_certificates_are_judged_before_anything_changes(three: Sequence[Node], tmp_path: Path) -> None:
    first = three[0]
    file = first.folder / "etcd.yaml"
    before = file.read_text()
    kept = (first.tls / "server.crt").read_bytes()
    (first.tls / "server.crt").unlink()
    try:
        said = refused(first, "enable")
        assert "with TLS, this member would not work; nothing was changed" in said
        assert f"{first.tls}/server.crt (client-transport-security.cert-file) does not exist" in said
        other = authority(tmp_path / "other").issue("other", first.address)
        shutil.copy(other.certificate, first.tls / "server.crt")
        assert "the key of the certificate" in refused(first, "enable")
    finally:
        (first.tls / "server.crt").write_bytes(kept)
    assert file.read_text() == before


def test_while_a_member_is_down_nothing_is_changed_and_it_is_named(three: Sequence[Node]) -> None:
    first, second, third = three
    third.stop()
    try:
        said = refused(first, "enable")
        assert "pg3 is not healthy; nothing was changed" in said
        second.stop()
        assert "the cluster has no quorum" in refused(first, "enable")
    finally:
        second.start()
        third.start()
        second.serves()
        third.serves()


def test_two_at_once_on_a_node_are_refused(three: Sequence[Node]) -> None:
    first = three[0]
    process = first.begin("tls", "enable")
    assert process.stdout is not None
    try:
        process.stdout.readline()
        assert f"etcd-ha tls enable (process {process.pid}) is running on this node" in refused(
            first, "enable"
        )
    finally:
        process.communicate(timeout=120)
        done(first, "disable", "--yes")


def test_clients_are_asked_for_before_members_advertise_https_alone(
    tmp_path: Path, signer: Authority
) -> None:
    with members(tmp_path, "3.6.16", signer) as nodes:
        first, second, _ = nodes
        # A CA file of its own, which has the same CA in it.
        (second.tls / "ca.crt").write_bytes(b"# ours\n" + signer.file.read_bytes())
        said = [done(node, "enable") for node in nodes][-1]
        assert "Next, on pg1: etcd-ha tls enable" in said
        assert "pg2 is not as far" in (said := refused(first, "enable", "--yes"))
        assert "its CA file for members is another one than this node's" in said
        shutil.copy(signer.file, second.tls / "ca.crt")
        assert "not confirmed: standard input is not a terminal" in refused(second, "enable")
        said = refused(first, "enable")
        assert "not confirmed: standard input is not a terminal" in said
        assert "  cacert: /etc/patroni/tls/ca.crt" in said
        assert "to do it: etcd-ha tls enable --yes" in said
        # The first member refuses it: its connections do not come from where its names say.
        kept = (second.tls / "peer.crt").read_bytes(), (second.tls / "peer.key").read_bytes()
        pair = signer.issue("other", second.address)
        shutil.copy(pair.certificate, second.tls / "peer.crt")
        shutil.copy(pair.key, second.tls / "peer.key")
        said = refused(first, "enable", "--yes")
        assert "not all members reach each other" in said
        assert "got       pg2 does not reach pg1" in said
        (second.tls / "peer.crt").write_bytes(kept[0])
        (second.tls / "peer.key").write_bytes(kept[1])
        assert "Next, on pg2" in done(first, "enable", "--yes")
        assert f"https://{first.address}:2379" in member_urls(second)


@pytest.mark.parametrize("words", [[], ["on"], ["enable", "now"], ["enable", "--force"]])
def test_other_words_are_refused(three: Sequence[Node], words: list[str]) -> None:
    ended = three[0].tool("tls", *words)
    assert (ended.returncode, "usage: etcd-ha tls enable" in ended.stdout) == (2, True), ended.stdout
