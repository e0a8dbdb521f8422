"""What follows for a member from a certificate that is not taken, and from a CA file that was changed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from builder.shipped import DEBIAN_TEMPLATE

LIBRARY = DEBIAN_TEMPLATE / "node/lib"
REFUSED = "x509: certificate has expired or is not yet valid"
ETCDCTL = f"""#!/bin/sh
echo '{{"level":"warn","error":"desc = \\"transport: authentication handshake failed: {REFUSED}\\""}}' >&2
exit 1
"""
CONFIG = """\
name: pg1
data-dir: /none
initial-cluster: pg1=https://10.0.0.5:2380,pg2=https://10.0.0.6:2380
auth-token: jwt,pub-key=/none/jwt.pub,priv-key=/none/jwt.key,sign-method=RS256
peer-transport-security:
  cert-file: {0}/node.pem
  trusted-ca-file: {0}/ca.pem
"""


def shell(script: str, folder: Path, **variables: str) -> str:
    """What the node's shell prints."""
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LIB": str(LIBRARY),
        "CONFIG": str(folder / "etcd.yaml"),
        "ETCD_BIN": str(folder),
        "view": str(folder),
        **variables,
    }
    words = ["sh", "-ec", script]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout


def test_member_that_could_not_be_asked_is_unknown_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "etcd.yaml").write_text(CONFIG.format(tmp_path))
    (tmp_path / "etcdctl").write_text(ETCDCTL)
    (tmp_path / "etcdctl").chmod(0o755)
    ask = """
    for part in service yaml bbolt wal host member client process cluster-view turn; do
        . "$LIB/$part.sh"
    done
    own_id=
    cluster_view "$view"
    cut -d '|' -f 2,4,11 "$view/rows"
    why_others_not_ready 0
    """
    said = shell(ask, tmp_path).splitlines()
    assert said == [
        f"pg1|unknown|{REFUSED}",
        f"pg2|unknown|{REFUSED}",
        f"could not ask pg2: {REFUSED}",
    ]


def test_what_etcd_reads_once_makes_a_restart_due_and_a_certificate_does_not(tmp_path: Path) -> None:
    (tmp_path / "etcd.yaml").write_text(CONFIG.format(tmp_path))
    for name in ("ca.pem", "node.pem"):
        (tmp_path / name).write_text("before\n")
    record = """
    exec 2>&1
    for part in service yaml member restart-due; do . "$LIB/$part.sh"; done
    START_RECORD=$RUNTIME_DIRECTORY/start
    files_read_once
    record_start
    echo after >"${CONFIG%/*}/node.pem"
    why_file "$$"
    echo after >"${CONFIG%/*}/ca.pem"
    why_file "$$"
    """
    said = shell(record, tmp_path, RUNTIME_DIRECTORY=str(tmp_path)).splitlines()
    assert said[:4] == [
        str(tmp_path / "etcd.yaml"),
        "/none/jwt.key",
        "/none/jwt.pub",
        str(tmp_path / "ca.pem"),
    ]
    # What was not there, and is not there, is no reason.
    assert said[4:] == [f"{tmp_path}/ca.pem was changed since the start"]


@pytest.mark.parametrize(
    ("complaint", "reason"),
    [
        (r"desc = \"error reading server preface: EOF\"", "error reading server preface: EOF"),
        (
            r"desc = \"transport: authentication handshake failed: EOF\"",
            "authentication handshake failed: EOF",
        ),
        (
            r"desc = \"error reading server preface: remote error: tls: bad certificate\"",
            "remote error: tls: bad certificate",
        ),
        (r"desc = \"transport: Error while dialing: connect: connection refused\"", ""),
    ],
)
def test_connection_that_was_there_and_ended_is_told_from_nobody_there(
    tmp_path: Path, complaint: str, reason: str
) -> None:
    (tmp_path / "said").write_text(f'{{"error":"{complaint}"}}\n')
    words = [
        "sh",
        "-euc",
        '. "$1/cluster-view.sh"; tls_refusal "$2"',
        "sh",
        str(DEBIAN_TEMPLATE / "node/lib"),
    ]
    said = subprocess.run([*words, tmp_path / "said"], capture_output=True, text=True, check=True).stdout
    assert said.strip() == reason
