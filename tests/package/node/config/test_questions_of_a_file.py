"""Answers of debconf that are read from etcd.yaml: what can't be read keeps its answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.package.node.node_functions import call
from tests.package.node.node_shell import TEMPLATE, NodeShell


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "etcd.yaml"


FOLDED = "initial-cluster: >-\n  pg1=http://10.0.0.1:2380,\n  pg2=http://10.0.0.2:2380\n"
KEY_OF = {
    "setup": "initial-cluster",
    "members": "initial-cluster",
    "node-name": "name",
    "address": "listen-peer-urls",
    "cluster-state": "initial-cluster-state",
    "cluster-token": "initial-cluster-token",
    "data-dir": "data-dir",
    "tls": "client-transport-security:\n  cert-file",
    "tls-cert": "client-transport-security:\n  cert-file",
    "tls-key": "client-transport-security:\n  key-file",
    "tls-ca": "client-transport-security:\n  trusted-ca-file",
    "tls-peer-cert": "peer-transport-security:\n  cert-file",
    "tls-peer-key": "peer-transport-security:\n  key-file",
    "metrics-address": "listen-metrics-urls",
    "heartbeat-interval": "heartbeat-interval",
    "election-timeout": "election-timeout",
    "quota": "quota-backend-bytes",
    "auto-compaction": "auto-compaction-retention",
}
STORE = """
db_set() { echo "$1 $2"; }
ANSWERS=$1
answers_of_file "$CONFIG"
store_answers
echo "unread:$UNREAD"
"""


def stored(config: Path, folder: Path) -> list[str]:
    """What the config script would write into debconf, and which questions it can't answer."""
    folder.mkdir()
    answer = call("yaml answers host from-file debconf", STORE, str(folder), config=config)
    assert answer.status == 0, answer.err
    return answer.out.splitlines()


DEBCONF = """
db_get() { RET=; [ ! -e "$DEBCONF/${1#etcd-ha/}" ] || RET=$(cat "$DEBCONF/${1#etcd-ha/}"); }
db_set() { printf '%s' "$2" >"$DEBCONF/${1#etcd-ha/}"; }
FILE=$CONFIG
work=$1
DEBCONF=$1/debconf
mkdir -p "$work/file" "$work/asked" "$DEBCONF"
"""
OWN_PAIR = """\
client-transport-security:
  cert-file: /t/n.pem
peer-transport-security:
  cert-file: /t/p.pem
"""


def test_a_version_with_more_questions_takes_their_answers_from_the_file(
    config: Path, tmp_path: Path
) -> None:
    config.write_text(OWN_PAIR)

    def read(before: str) -> list[str]:
        script = (
            DEBCONF
            + before
            + """
        read_file configure
        for name in tls-peer-cert quota; do db_get "etcd-ha/$name"; echo "$RET"; done
        """
        )
        answer = call(
            "yaml answers host from-file debconf", script, str(tmp_path), config=config,
            command=TEMPLATE / "etcd-ha.config",
        )  # fmt: skip
        assert answer.status == 0, answer.err
        return answer.out.splitlines()

    # As a version without the last questions has left it.
    fewer = 'all=$QUESTIONS; QUESTIONS=${all%tls-peer*}; db_set etcd-ha/read-file "$(checksum "$FILE")"'
    assert read(f"{fewer}; QUESTIONS=$all") == ["/t/p.pem", ""]
    # The file as it was read is not read again: these answers are the administrator's.
    assert read("db_set etcd-ha/tls-peer-cert /t/q.pem; db_set etcd-ha/quota 4G") == ["/t/q.pem", "4G"]


def test_members_folded_over_lines_are_a_cluster(shell: NodeShell) -> None:
    answers = shell.answers_of(FOLDED.encode())
    assert answers["setup"] == "cluster"
    assert answers["members"] == "pg1=http://10.0.0.1:2380, pg2=http://10.0.0.2:2380"


@pytest.mark.parametrize("question", KEY_OF)
def test_a_question_whose_key_cannot_be_read_keeps_its_answer(
    question: str, config: Path, tmp_path: Path
) -> None:
    config.write_text(f"{KEY_OF[question]}: |+\n     x,y\n")
    lines = stored(config, tmp_path / "answers")
    assert not any(line.startswith(f"etcd-ha/{question} ") for line in lines)
    assert f" {question}" in lines[-1]


@pytest.mark.parametrize("key", ["discovery: http://d/1", "discovery-srv: example.org"])
def test_a_member_that_finds_its_cluster_by_discovery_is_not_single(
    key: str, config: Path, tmp_path: Path
) -> None:
    config.write_text(f"name: pg1\n{key}\n")
    assert stored(config, tmp_path / "answers")[-1] == "unread: setup"
