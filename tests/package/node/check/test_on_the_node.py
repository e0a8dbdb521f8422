"""`etcd-ha check` as a node runs it: by the file that etcd was started with."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.package.node.check.authority import SERVER, Authority, Pair, authority
from tests.package.node.check.clusters import HOST, NEWEST, Cluster, identity_of, planned, running
from tests.package.node.node_shell import LIBRARY, TEMPLATE
from tests.support.wait import wait_for


class Node:
    """A node whose member is the first of a cluster."""

    def __init__(self, cluster: Cluster, folder: Path, signer: Authority) -> None:
        self.cluster, self.folder, self.signer = cluster, folder, signer
        (folder / "known-faults").write_text(f"# Known faults of etcd v{NEWEST} as of 2026-11-26: …\n")

    def writes(self, peer: Pair | None = None, **changed: str) -> None:
        """Its file, as the package writes it. peer: what it presents to other members, if not the same."""
        member = self.cluster.members[0]
        lines = {
            "name": member.name,
            "advertise-client-urls": member.url,
            "listen-client-urls": member.url,
            "initial-advertise-peer-urls": member.peer_url,
            "initial-cluster": ",".join(f"{one.name}={one.peer_url}" for one in self.cluster.members),
            **changed,
        }
        text = [f"{key}: {value}" for key, value in lines.items() if value]
        if member.tls:
            authority, pair = member.tls
            for section, shown in (("client", pair), ("peer", peer or pair)):
                text += [
                    f"{section}-transport-security:",
                    f"  trusted-ca-file: {authority}",
                    f"  cert-file: {shown.certificate}",
                    f"  key-file: {shown.key}",
                ]
        (self.folder / "etcd.yaml").write_text("\n".join(text) + "\n")

    def check(
        self, *words: str, before: tuple[str, ...] = (), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """etcd-ha check."""
        return subprocess.run(
            [*before, "sh", str(TEMPLATE / "node/commands/check"), *words],
            env={
                "PATH": "/usr/bin:/bin",
                "ETCD_HA_LIB": str(LIBRARY),
                "ETCD_HA_PYTHON": str(TEMPLATE / "node"),
                "ETCD_HA_FAULTS": str(self.folder / "known-faults"),
                "CONFIG": str(self.folder / "etcd.yaml"),
                "CREDENTIALS": str(self.folder / "credentials"),
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, signer: Authority) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("node")
    pair = signer.issue("node", HOST)
    with running(planned(folder, 2, (signer.file, pair)), identity_of(signer, pair)) as cluster:
        yield Node(cluster, folder, signer)


def test_a_node_knows_all_that_it_takes(node: Node) -> None:
    node.writes()
    done = node.check()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.endswith("\nAll is well.\n")
    assert [line.split()[0] for line in done.stdout.splitlines()[1:3]] == ["pg1", "pg2"]


def test_json_has_what_was_seen_of_each_url(node: Node) -> None:
    node.writes()
    said = json.loads(node.check("--json").stdout)
    assert said["result"] == "fine"
    assert {one["url"] for one in said["endpoints"]} == {one.url for one in node.cluster.members}


def test_a_clock_that_is_off_by_five_seconds_is_found_as_this_machines(node: Node) -> None:
    node.writes()
    done = node.check("--json", before=("faketime", "-f", "+5s"))
    said = json.loads(done.stdout)
    assert [(one["fault"], one["where"], one["on"]) for one in said["findings"]] == [
        ("clock", "this machine", "this machine")
    ]
    assert said["findings"][0]["found"].startswith("all 2 members are at least ")
    assert "behind this machine" in said["findings"][0]["found"]
    assert said["findings"][0]["command"] == "timedatectl set-ntp true"
    assert done.returncode == 1


def test_another_version_than_the_packages_is_not_called_free_of_faults(node: Node) -> None:
    node.writes()
    other = node.folder / "other-faults"
    other.write_text("# Known faults of etcd v3.6.7 as of 2026-11-26: …\n")
    done = node.check(ETCD_HA_FAULTS=str(other))
    assert done.returncode == 2
    assert f"not checked: known faults of etcd {NEWEST}" in done.stdout


def test_what_the_admin_has_set_wins(node: Node) -> None:
    node.writes()
    stranger = node.signer.folder / "nobody.pem"
    done = node.check(ETCDCTL_CERT=str(stranger), ETCDCTL_KEY=str(stranger))
    assert (done.returncode, str(stranger) in done.stderr) == (2, True)
    assert "hint: " in done.stderr


def test_a_value_that_can_not_be_read_for_certain_is_no_default(node: Node) -> None:
    node.writes(name="", Name="pg1", NAME="pg2")
    done = node.check()
    assert (done.returncode, done.stdout) == (2, "")
    assert "etcd-ha: error: name can't be read" in done.stderr


def test_where_the_own_member_is_down_the_others_of_its_file_are_asked(
    tmp_path: Path, signer: Authority
) -> None:
    first, second = planned(tmp_path, 2)
    second = replace(second, host="127.0.0.2", port=first.port)
    with running([first, second]) as cluster:
        node = Node(cluster, tmp_path, signer)
        node.writes()
        first.stop()
        wait_for("the quorum to be lost", lambda: "RAFT NO LEADER" in node.check().stdout, within=30)
        done = node.check("--json")
        found = {(one["fault"], one["on"]) for one in json.loads(done.stdout)["findings"]}
        assert found == {("not-listening", "pg1"), ("unhealthy", "pg2")}, done.stdout
        assert done.returncode == 1


def of_a_member_that_is_down(
    folder: Path, signer: Authority, pair: Pair, peer: Pair | None = None
) -> tuple[int, set[tuple[str, str]]]:
    """Status, and kind and place of the findings, of the node of a member that never started."""
    (member,) = planned(folder / "down", 1, (signer.file, pair))
    node = Node(Cluster((member,), identity_of(signer, pair)), folder, signer)
    node.writes(peer)
    done = node.check("--json")
    said = json.loads(done.stdout)["findings"]
    found = {(one["fault"], one["where"]) for one in said} - {("not-listening", f"pg1 ({member.url})")}
    assert len(found) == len(said) - 1, "nobody listens there"
    return done.returncode, found


def test_the_files_of_a_member_that_is_down_are_judged(tmp_path: Path, signer: Authority) -> None:
    fine = signer.issue("down", HOST)
    assert of_a_member_that_is_down(tmp_path, signer, fine) == (2, set())
    ended = signer.issue("down-ended", HOST, began=30, days=-2)
    found = {("certificate-expired", f"file {ended.certificate}")}
    assert of_a_member_that_is_down(tmp_path, signer, ended) == (2, found)
    wrong = signer.issue("down-wrong", "pg9", usages=(SERVER,))
    found = {(f"certificate-{fault}", f"file {wrong.certificate}") for fault in ("name", "usage")}
    assert of_a_member_that_is_down(tmp_path, signer, wrong) == (2, found)


def test_the_files_for_other_members_are_judged_too(tmp_path: Path, signer: Authority) -> None:
    fine = signer.issue("down-peer", HOST)
    theirs = authority(tmp_path / "theirs", "their CA").issue("peer", HOST)
    found = {("certificate-chain", f"file {theirs.certificate}")}
    assert of_a_member_that_is_down(tmp_path, signer, fine, theirs) == (2, found)
    mixed = Pair(fine.certificate, theirs.key)
    found = {("certificate-file", f"file {fine.certificate}")}
    assert of_a_member_that_is_down(tmp_path, signer, fine, mixed) == (2, found)
    absent = Pair(tmp_path / "absent.crt", tmp_path / "absent.key")
    found = {("certificate-file", f"file {absent.certificate}")}
    assert of_a_member_that_is_down(tmp_path, signer, fine, absent) == (2, found)


def test_other_words_are_wrong_usage(node: Node) -> None:
    done = node.check("--yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: etcd-ha check [--json]" in done.stderr
