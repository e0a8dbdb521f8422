"""What a stage of the change to https waits for, refuses and shows; real etcd on loopback."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.package.node.check.authority import Authority, authority
from tests.package.node.keeper.changing import (
    NONE,
    change_under_way,
    following,
    hand_out_to_client,
    is_served,
    member_urls,
    members,
)
from tests.package.node.keeper.nodes import Node
from tests.package.node.keeper.runs import done, refused
from tests.system.advice import follow


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Node]]:
    """Of one version, which stay what they are."""
    folder = tmp_path_factory.mktemp("three")
    signer = authority(folder / "authority")
    hand_out_to_client(signer)
    with members(folder, "3.6.16", signer) as found:
        yield found


def test_a_change_that_was_begun_can_be_undone_at_each_stage(three: Sequence[Node]) -> None:
    first, second, _ = three
    client = first.folder.parent / "authority/client"
    done(first, "tls", "enable")
    assert is_served(first, "https", client)
    done(first, "tls", "disable", "--yes")
    assert not is_served(first, "https", client)
    assert change_under_way(second) == NONE
    assert member_urls(first) == {url for node in three for url in (node.url, node.peer_url)}


def test_status_shows_the_stage_of_each_member_and_where_to_go_on(three: Sequence[Node]) -> None:
    first, second, _ = three
    assert change_under_way(second) == NONE
    done(first, "tls", "enable")
    try:
        stages = {"pg1": "both", "pg2": "http", "pg3": "http"}
        assert change_under_way(second) == ("enable", "pg2", stages)
        screen = second.tool("status").stdout
        assert "pg1 http between members, http and https for clients; pg2 http; pg3 http" in screen
        assert "next, on pg2: etcd-ha tls enable" in screen
        said = follow(screen, second, "etcd-ha tls")
        assert following(said) == ("pg3", ("enable",))
    finally:
        done(first, "tls", "disable", "--yes")
        done(second, "tls", "disable", "--yes")


def test_a_stage_waits_for_the_others_and_names_where_to_go_on(three: Sequence[Node]) -> None:
    first = three[0]
    done(first, "tls", "enable")
    try:
        said = refused(first, "tls", "enable", "--yes")
        assert "pg2 is not as far; nothing was changed" in said
        assert "hint: on pg2: etcd-ha tls enable" in said
    finally:
        done(first, "tls", "disable", "--yes")


def test_what_would_be_done_is_shown_and_nothing_is_changed(three: Sequence[Node]) -> None:
    first = three[0]
    before = (first.folder / "etcd.yaml").read_text()
    said = done(first, "tls", "enable", "--dry-run")
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
        said = refused(first, "tls", "enable")
        assert "with TLS, this member would not work; nothing was changed" in said
        assert f"{first.tls}/server.crt (client-transport-security.cert-file) does not exist" in said
        other = authority(tmp_path / "other").issue("other", first.address)
        shutil.copy(other.certificate, first.tls / "server.crt")
        assert "the key of the certificate" in refused(first, "tls", "enable")
    finally:
        (first.tls / "server.crt").write_bytes(kept)
    assert file.read_text() == before


def test_while_a_member_is_down_nothing_is_changed_and_it_is_named(three: Sequence[Node]) -> None:
    first, second, third = three
    third.stop()
    try:
        # Its own member can't be asked for it.
        assert change_under_way(third) == (None, None, {})
        said = refused(first, "tls", "enable")
        assert "pg3 is not healthy; nothing was changed" in said
        second.stop()
        assert "the cluster has no quorum" in refused(first, "tls", "enable")
    finally:
        second.start()
        third.start()
        second.serves()
        third.serves()


@pytest.mark.soak
def test_two_at_once_on_a_node_are_refused(three: Sequence[Node]) -> None:
    first = three[0]
    process = first.begin("tls", "enable")
    assert process.stdout is not None
    try:
        process.stdout.readline()
        assert f"etcd-ha tls enable (process {process.pid}) is running on this node" in refused(
            first, "tls", "enable"
        )
    finally:
        process.communicate(timeout=120)
        done(first, "tls", "disable", "--yes")


@pytest.mark.soak
def test_clients_are_asked_for_before_members_advertise_https_alone(
    tmp_path: Path, signer: Authority
) -> None:
    with members(tmp_path, "3.6.16", signer) as nodes:
        first, second, _ = nodes
        # A CA file of its own, which has the same CA in it.
        (second.tls / "ca.crt").write_bytes(b"# ours\n" + signer.file.read_bytes())
        said = [done(node, "tls", "enable") for node in nodes][-1]
        assert "Next, on pg1: etcd-ha tls enable" in said
        assert "pg2 is not as far" in (said := refused(first, "tls", "enable", "--yes"))
        assert "its CA file for members is another one than this node's" in said
        shutil.copy(signer.file, second.tls / "ca.crt")
        assert "not confirmed: standard input is not a terminal" in refused(second, "tls", "enable")
        said = refused(first, "tls", "enable")
        assert "not confirmed: standard input is not a terminal" in said
        assert "  cacert: /etc/patroni/tls/ca.crt" in said
        assert "to do it: etcd-ha tls enable --yes" in said
        # The first member refuses it: its connections do not come from where its names say.
        kept = (second.tls / "peer.crt").read_bytes(), (second.tls / "peer.key").read_bytes()
        pair = signer.issue("other", second.address)
        shutil.copy(pair.certificate, second.tls / "peer.crt")
        shutil.copy(pair.key, second.tls / "peer.key")
        said = refused(first, "tls", "enable", "--yes")
        assert "not all members reach each other" in said
        assert "found     pg2 does not reach pg1" in said
        (second.tls / "peer.crt").write_bytes(kept[0])
        (second.tls / "peer.key").write_bytes(kept[1])
        assert "Next, on pg2" in done(first, "tls", "enable", "--yes")
        assert f"https://{first.address}:2379" in member_urls(second)


@pytest.mark.parametrize("words", [[], ["on"], ["enable", "now"], ["enable", "--force"]])
def test_other_words_are_refused(three: Sequence[Node], words: list[str]) -> None:
    ended = three[0].tool("tls", *words)
    assert (ended.returncode, "usage: etcd-ha tls enable" in ended.stdout) == (2, True), ended.stdout
