"""Whoever changes etcd.yaml reads and writes it alone, so no edit is lost."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.package.node.config.test_lint import Tool
from tests.package.node.node_functions import call
from tests.package.node.node_shell import LIBRARY, TEMPLATE

# Holds the lock until it is killed: read is a part of the shell, so no other process has the descriptor.
HOLDER = '. "$1/yaml-file.sh"; lock_file "$2"; echo held; read -r _'
# postinst's part with debconf's answers: those of the file, but for one.
POSTINST = """
work=$1
FILE=$CONFIG
mkdir -p "$work/file" "$work/asked"
db_get() { return 1; }
db_set() { :; }
load_answers() { answers_of_file "$FILE" && give setup single && give heartbeat-interval 200; }
configure_file
echo "$RESULT"
"""
PARTS = "message yaml host member answers check from-file setup debconf yaml-file"
SCRIPT = TEMPLATE / "etcd-ha.postinst"
KEYS = [
    *("snapshot-count", "max-snapshots", "max-wals", "max-txn-ops", "max-request-bytes"),
    *("max-concurrent-streams", "grpc-keepalive-interval", "grpc-keepalive-timeout"),
    *("grpc-keepalive-min-time", "backend-batch-limit", "backend-batch-interval", "tls-min-version"),
    *("cors", "host-whitelist", "log-level", "log-format", "auth-token", "name"),
    *("initial-cluster-token", "bcrypt-cost"),
]


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    """For etcd 3.6."""
    return Tool(tmp_path, "3.6")


def finish(writers: list[subprocess.Popen[str]]) -> None:
    """Each writer ends well."""
    for writer in writers:
        _, said = writer.communicate(timeout=300)
        assert writer.returncode == 0, said


def test_twenty_writers_at_once_leave_twenty_edits(tool: Tool) -> None:
    tool.file.write_text("# mine\n")
    finish([tool.start("set", key, "7") for key in KEYS])
    lines = tool.file.read_text().splitlines()
    assert lines[0] == "# mine"
    assert sorted(line.split(":")[0] for line in lines[1:]) == sorted(KEYS)


def test_an_installation_beside_writers_loses_none_of_their_edits(tool: Tool, tmp_path: Path) -> None:
    tool.file.write_text("name: pg1\nlisten-peer-urls: http://10.0.0.1:2380\n")
    writers = [tool.start("set", key, "7") for key in KEYS if key not in ("name", "initial-cluster-token")]
    done = call(PARTS, POSTINST, str(tmp_path / "work"), config=tool.file, command=SCRIPT)
    assert done.out == "changed\n", done.err
    finish(writers)
    lines = tool.file.read_text().splitlines()
    assert "heartbeat-interval: 200" in lines
    assert {line.split(":")[0] for line in lines} >= set(KEYS) - {"initial-cluster-token"}


def test_a_writer_that_is_killed_lets_the_next_one_write(tool: Tool) -> None:
    tool.file.write_text("name: pg1\n")
    holder = subprocess.Popen(
        ["sh", "-c", HOLDER, "sh", LIBRARY, tool.file],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        writer = tool.start("set", "name", "pg2")
        holder.kill()
        finish([writer])
    assert tool.file.read_text() == "name: pg2\n"


def test_a_writer_that_has_waited_long_enough_says_so_and_changes_nothing(tool: Tool, tmp_path: Path) -> None:
    tool.file.write_text("name: pg1\n")
    with subprocess.Popen(
        ["flock", tool.file.parent, "sh", "-c", "echo held; read -r _"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        done = tool.run("set", "name", "pg2", LOCK_WAIT="0")
        installed = call(
            *(PARTS, POSTINST, str(tmp_path / "work")),
            config=tool.file,
            variables={"LOCK_WAIT": "0"},
            command=SCRIPT,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"etcd-ha: error: name was not set: another program has been changing {tool.file} for 0 s"
    )
    assert installed.out == "untouched\n"
    assert "When that program has finished: dpkg-reconfigure etcd-ha" in installed.err
    assert tool.file.read_text() == "name: pg1\n"
