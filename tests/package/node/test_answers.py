"""Answers: checked, brought into a file and read back (lib/answers.sh, check.sh, to-file.sh)."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.package.node.config.yaml_files import TRICKY, AdminFile, admin_files, is_about_a_block_of_text
from tests.package.node.node_shell import NodeShell

ANSWERS = {
    "setup": "cluster",
    "node-name": "pg1",
    "address": "192.168.6.10",
    "members": "pg1=http://pg1:2380,pg2=http://192.168.6.11:2380",
    "cluster-state": "new",
    "cluster-token": "patroni",
    "data-dir": "/srv/etcd",
    "tls": "false",
    "tls-ca": "",
    "tls-cert": "",
    "tls-key": "",
    "tls-peer-cert": "",
    "tls-peer-key": "",
    "metrics-address": "127.0.0.1:2381",
    "heartbeat-interval": "100",
    "election-timeout": "1000",
    "quota": "2G",
    "auto-compaction": "1h",
}
TLS = {"tls": "true", "tls-ca": "/t/ca.pem", "tls-cert": "/t/n.pem", "tls-key": "/t/n.key"}
PEER = {"tls-peer-cert": "/t/p.pem", "tls-peer-key": "/t/p.key"}
SIDES = ("client-transport-security", "peer-transport-security")


def said_by(content: bytes) -> dict[str, object]:
    """The keys of a file, in lower case."""
    document: object = yaml.safe_load(content)
    assert isinstance(document, dict)
    return {str(key).lower(): value for key, value in document.items()}


REFUSED = {
    "setup": ("clusters", ""),
    "node-name": ("", "a b", "a=b", "ä", "a,b"),
    "address": (
        "",
        "pg1",
        "1.2.3",
        "1.2.3.256",
        "01.2.3.4",
        "fd00::1::2",
        "0.0.0.0",  # noqa: S104
        "::",
        "[::]",
        "[10.0.0.1]",
        "fe80::1",
    ),
    "members": ("", "pg2", "pg1=ftp://x", "pg2=http://pg2:2380"),
    "cluster-state": ("old",),
    "cluster-token": ("", "a b", "a\tb"),
    "data-dir": (
        "",
        "relative",
        "/",
        "/var/lib",
        "/var/lib/etcd",
        "/var/lib/etcd/x",
        "/a/../b",
        "/a b",
        "/tmp/x",  # noqa: S108
        "/etc/x",
    ),
    "metrics-address": ("127.0.0.1", "pg1:2381", "127.0.0.1:", "http://pg1:2381", "127.0.0.1:99999"),
    "heartbeat-interval": ("0", "1s", "300", "-1"),
    "election-timeout": ("400", "50001", "1.5"),
    "quota": ("8T", "G", "-1", "1.5G", "8 G"),
    "auto-compaction": ("always", "1d", "revision:", "revision:x"),
}
TAKEN = {
    "address": ("10.0.0.1", "fd00::1", "::1", "::ffff:1.2.3.4", "[fd00::1]"),
    "data-dir": ("/srv/etcd", "/var/lib/etcd-ha", "/var/lib/etcdata", "/data/"),
    "members": ("pg1", "pg1,pg2=fd00::1", "pg1,pg2,"),
    "metrics-address": ("", "[::1]:2381", "http://127.0.0.1:2381,http://10.0.0.1:2381"),
    "heartbeat-interval": ("", "200"),
    "quota": ("", "0", "8589934592", "512M", "2g"),
    "auto-compaction": ("", "off", "30m", "1h30m", "5", "revision:1000"),
}


@pytest.mark.parametrize(
    ("question", "value"), [(q, value) for q, values in REFUSED.items() for value in values]
)
def test_answer_that_etcd_would_refuse_earns_an_error(shell: NodeShell, question: str, value: str) -> None:
    error, reason = shell.refusal_of(question, {**ANSWERS, question: value})
    assert error.startswith("etcd-ha/error-")
    # Of a list without this node the names are told.
    assert value.removesuffix("=http://pg2:2380") in reason


@pytest.mark.parametrize(
    ("question", "value"), [(q, value) for q, values in TAKEN.items() for value in values]
)
def test_answer_that_etcd_takes_earns_none(shell: NodeShell, question: str, value: str) -> None:
    assert shell.error_of(question, {**ANSWERS, question: value}) == ""


@pytest.mark.parametrize(
    ("question", "value", "reason"),
    [
        ("members", "", "the list is empty; NAME=URL of each member is expected, separated by commas"),
        ("members", "pg2,pg3", "'pg1', the name of this node, is not in the list, which has: pg2, pg3"),
        ("members", "PG1", "'pg1', the name of this node, is not in the list, which has: PG1"),
        (
            "members",
            "pg1,pg2=https://pg2",
            "in 'pg2=https://pg2' must start with http://, since tls is false",
        ),
        ("members", "pg1,pg2=x:99999", "the port in 'pg2=x:99999' is not a number from 1 to 65535"),
        ("setup", "Cluster", "'Cluster' is not one of: cluster, single, later"),
        ("election-timeout", "400", "heartbeat-interval '100' and election-timeout '400': milliseconds"),
    ],
)
def test_refusal_names_what_was_expected_and_what_was_found(
    shell: NodeShell, question: str, value: str, reason: str
) -> None:
    assert reason in shell.refusal_of(question, {**ANSWERS, question: value})[1]


def test_brackets_of_an_ipv6_address_are_for_urls_alone(shell: NodeShell) -> None:
    said = said_by(shell.new_file({**ANSWERS, "setup": "single", "address": "[fd00::10]"}).edited)
    assert said["listen-peer-urls"] == "http://[fd00::10]:2380"
    assert said["initial-cluster"] == "pg1=http://[fd00::10]:2380"


def test_new_file_says_all_answers(shell: NodeShell) -> None:
    outcome = shell.new_file(ANSWERS)
    assert outcome.status == 0, outcome.message
    assert said_by(outcome.edited) == {
        "name": "pg1",
        "data-dir": "/srv/etcd",
        "initial-cluster": "pg1=http://pg1:2380,pg2=http://192.168.6.11:2380",
        "initial-advertise-peer-urls": "http://pg1:2380",
        "advertise-client-urls": "http://pg1:2379",
        "listen-client-urls": "http://192.168.6.10:2379,http://127.0.0.1:2379",
        "listen-peer-urls": "http://192.168.6.10:2380",
        "initial-cluster-state": "new",
        "initial-cluster-token": "patroni",
        "listen-metrics-urls": "http://127.0.0.1:2381",
        "heartbeat-interval": 100,
        "election-timeout": 1000,
        "quota-backend-bytes": 2147483648,
        "auto-compaction-mode": "periodic",
        "auto-compaction-retention": "1h",
        "enable-grpc-gateway": True,
    }


def test_tls_has_a_block_for_clients_and_one_for_peers(shell: NodeShell) -> None:
    answers = {**ANSWERS, **TLS, "members": "pg1,pg2"}
    said = said_by(shell.new_file(answers).edited)
    block = {
        "cert-file": "/t/n.pem",
        "key-file": "/t/n.key",
        "trusted-ca-file": "/t/ca.pem",
        "client-cert-auth": True,
    }
    assert [said[side] for side in SIDES] == [block, block]
    assert said["initial-cluster"] == "pg1=https://pg1:2380,pg2=https://pg2:2380"
    assert said["listen-client-urls"] == "https://192.168.6.10:2379,https://127.0.0.1:2379"


def test_members_are_shown_their_own_certificate_where_one_is_named(shell: NodeShell) -> None:
    answers = {**ANSWERS, **TLS, **PEER, "members": "pg1,pg2"}
    made = shell.new_file(answers).edited
    found = [said_by(made)[side] for side in SIDES]
    others = {"trusted-ca-file": "/t/ca.pem", "client-cert-auth": True}
    assert found == [
        {"cert-file": "/t/n.pem", "key-file": "/t/n.key", **others},
        {"cert-file": "/t/p.pem", "key-file": "/t/p.key", **others},
    ]
    # A later certificate for clients leaves it, and without an answer both are shown the same one again.
    later = said_by(shell.answer(made, answers | {"tls-cert": "/t/new.pem"}).edited)
    assert later[SIDES[0]] == {"cert-file": "/t/new.pem", "key-file": "/t/n.key", **others}
    assert later[SIDES[1]] == found[1]
    same = said_by(shell.answer(made, answers | dict.fromkeys(PEER, "")).edited)
    assert [same[side] for side in SIDES] == [found[0], found[0]]


def test_a_certificate_for_members_that_is_that_for_clients_is_no_answer(shell: NodeShell) -> None:
    doubled = {**ANSWERS, **TLS, "tls-peer-cert": TLS["tls-cert"], "tls-peer-key": TLS["tls-key"]}
    made = shell.new_file(doubled).edited
    assert made == shell.new_file({**ANSWERS, **TLS}).edited
    assert [shell.answers_of(made)[question] for question in PEER] == ["", ""]


def test_turning_tls_off_takes_the_certificates_out(shell: NodeShell) -> None:
    encrypted = shell.new_file({**ANSWERS, **TLS, "members": "pg1,pg2"}).edited
    said = said_by(shell.answer(encrypted, {**ANSWERS, "members": "pg1,pg2"}).edited)
    assert not {*SIDES} & {*said}
    assert "https" not in str(said)


words = st.text("abcXYZ0189._-", min_size=1, max_size=8)
names = st.one_of(words, st.sampled_from(["y", "no", "101", "1e3", "0x1f", ".5", "null", "1.5", "010", "on"]))
tokens = st.one_of(words, st.sampled_from([word for word in TRICKY if word and not set(word) & set(" \t")]))
hosts = st.sampled_from(["10.0.0.1", "fd00::1", "pg1.example.org", "[fd00::2]", "pg1"])


@st.composite
def answers(draw: st.DrawFn) -> dict[str, str]:
    """Answers that are right, of every kind."""
    name = draw(names)
    others = draw(
        st.lists(st.builds("{}={}".format, words, st.sampled_from(["x1", "x2", "10.9.9.9"])), max_size=2)
    )
    own = f"{name}={draw(hosts)}"
    return {
        **ANSWERS,
        **draw(st.sampled_from([{}, TLS, TLS | PEER])),
        "setup": draw(st.sampled_from(["cluster", "single"])),
        "node-name": name,
        "address": draw(st.sampled_from(["10.0.0.1", "fd00::1", "127.0.0.1"])),
        "members": ",".join({member.split("=")[1]: member for member in [*others, own]}.values()),
        "cluster-state": draw(st.sampled_from(["new", "existing"])),
        "cluster-token": draw(tokens),
        "metrics-address": draw(st.sampled_from(["", "127.0.0.1:2381", "[::1]:9"])),
        "heartbeat-interval": draw(st.sampled_from(["", "100", "150"])),
        "quota": draw(st.sampled_from(["", "2G", "512M", "123"])),
        "auto-compaction": draw(st.sampled_from(["off", "30m", "revision:1000", "5"])),
    }


def check_come_back(shell: NodeShell, file: AdminFile, given_answers: dict[str, str]) -> None:
    outcome = shell.answer(file.content, given_answers)
    if outcome.status != 0:
        keys = {line.key for line in file.lines if line.key}
        assert is_about_a_block_of_text(outcome.message, file, keys), outcome.message
        return
    assert outcome.again == outcome.edited
    read = shell.answers_of(outcome.edited)
    for question in (
        "node-name",
        "address",
        "cluster-state",
        "cluster-token",
        "data-dir",
        "tls",
        "metrics-address",
    ):
        assert read[question] == given_answers[question], question
    for question in (
        "heartbeat-interval",
        "quota",
        "auto-compaction",
        *({**TLS, **PEER} if given_answers["tls"] == "true" else ()),
    ):
        assert read[question] == given_answers[question], question
    said = said_by(outcome.edited)
    scheme = "https" if given_answers["tls"] == "true" else "http"
    assert str(said["initial-advertise-peer-urls"]).startswith(f"{scheme}://")
    own = str(said["initial-advertise-peer-urls"]).split(",")[0]
    assert f"{given_answers['node-name']}={own}" in str(said["initial-cluster"]).split(",")


FILES = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=20)


@FILES
@given(admin_files(), answers())
def test_answers_come_back_from_any_file_they_were_written_to(
    shell: NodeShell, file: AdminFile, given_answers: dict[str, str]
) -> None:
    check_come_back(shell, file, given_answers)


@pytest.mark.soak
@settings(FILES, max_examples=500, derandomize=False)
@given(admin_files(), answers())
def test_answers_come_back_from_each_of_500_files(
    shell: NodeShell, file: AdminFile, given_answers: dict[str, str]
) -> None:
    check_come_back(shell, file, given_answers)
