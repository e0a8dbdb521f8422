"""Each question of the package is answered by cluster.yaml, or named as left; none is made up."""

from __future__ import annotations

from pathlib import Path

import pytest
from debian.deb822 import Deb822

from builder import shipped
from builder.cluster.folder import ETCD_FILES
from builder.cluster.preseed import LEFT, answers, preseed
from builder.cluster.tls.pairs import pairs
from tests.unit.cluster.files import FIVE, SMALL, described

REFERENCE = Path(__file__).parents[3] / "docs/reference/cluster.md"
FULL = SMALL + (
    "tuning: {heartbeat-interval: 200, election-timeout: 2000, quota: 4G, auto-compaction: 2h}\n"
    "ports: {peer: 12380, metrics: 12381}\ndata-dir: /srv/etcd\n"
)


def questions() -> dict[str, Deb822]:
    with (shipped.DEBIAN_TEMPLATE / "etcd-ha.templates").open(encoding="utf-8") as lines:
        found = {entry["Template"].removeprefix("etcd-ha/"): entry for entry in Deb822.iter_paragraphs(lines)}
    return {name: entry for name, entry in found.items() if entry["Type"] != "error"}


def test_each_question_is_answered_or_left_with_a_reason(tmp_path: Path) -> None:
    cluster = described(tmp_path, FULL)
    answered = answers(cluster, cluster.nodes[0])
    assert {*answered, *LEFT} == set(questions())
    assert not answered.keys() & LEFT.keys()
    assert all(LEFT.values())


def test_each_answer_has_the_type_and_a_choice_of_its_question(tmp_path: Path) -> None:
    cluster = described(tmp_path, FULL)
    for name, (kind, value) in answers(cluster, cluster.nodes[0]).items():
        question = questions()[name]
        assert kind == question["Type"]
        if "__Choices" in question:
            assert value in question["__Choices"].split(", ")


def test_a_member_is_told_what_the_file_says(tmp_path: Path) -> None:
    cluster = described(tmp_path, FULL)
    lines = preseed(cluster, cluster.nodes[1]).splitlines()
    assert "etcd-ha etcd-ha/node-name string pg2" in lines
    assert "etcd-ha etcd-ha/address string 192.0.2.2" in lines
    assert (
        "etcd-ha etcd-ha/members string "
        "pg1=https://192.0.2.1:12380,pg2=https://192.0.2.2:12380,pg3=https://192.0.2.3:12380"
    ) in lines
    assert "etcd-ha etcd-ha/tls boolean true" in lines
    assert "etcd-ha etcd-ha/metrics-address string 127.0.0.1:12381" in lines
    assert "etcd-ha etcd-ha/data-dir string /srv/etcd" in lines
    assert "etcd-ha etcd-ha/heartbeat-interval string 200" in lines


def test_clients_and_members_are_shown_the_certificates_that_certs_makes_for_each(tmp_path: Path) -> None:
    cluster = described(tmp_path, SMALL)
    node = cluster.nodes[0]
    made = [pair for pair in pairs(cluster) if pair.folder == Path(node.name, ETCD_FILES)]
    (server,), (peer,) = ([pair for pair in made if pair.stem == stem] for stem in ("server", "peer"))
    named = {name: Path(value).name for name, (_, value) in answers(cluster, node).items() if "tls-" in name}
    assert named == {
        "tls-ca": server.authority.name,
        "tls-cert": server.certificate.name,
        "tls-key": server.key.name,
        "tls-peer-cert": peer.certificate.name,
        "tls-peer-key": peer.key.name,
    }


def test_without_tls_no_file_of_a_certificate_is_named(tmp_path: Path) -> None:
    cluster = described(tmp_path, SMALL.replace("own", "none"))
    answered = answers(cluster, cluster.nodes[0])
    assert answered["tls"] == ("boolean", "false")
    assert not [name for name in answered if name.startswith("tls-")]
    assert "http://" in answered["members"][1]


def test_a_client_is_set_up_as_no_member(tmp_path: Path) -> None:
    cluster = described(tmp_path, FIVE)
    assert preseed(cluster, cluster.nodes[3]) == "etcd-ha etcd-ha/setup select later\n"


@pytest.mark.parametrize("name", sorted(set(LEFT) - {"read-file", "set-backup"}))
def test_the_reference_names_each_question_that_is_left(name: str) -> None:
    section = REFERENCE.read_text(encoding="utf-8").split("\n## Questions without an answer\n")[1]
    assert f"`{name}`" in section
