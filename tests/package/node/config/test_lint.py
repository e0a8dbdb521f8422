"""`etcd-ha config`: what it says of a file, for each minor, and what it lets through."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from builder.package.source_tree import config_keys
from builder.version import Series
from tests.package.node.config.yaml_files import UNREAD
from tests.package.node.node_shell import LIBRARY, TEMPLATE

ARTICLE = """\
name: pg1
data-dir: /var/lib/etcd/postgresql
initial-cluster: pg1=http://pg1:2380
listen-client-urls: http://192.168.6.10:2379,http://127.0.0.1:2379
dial-timeout: 20s
read-timeout: 20s
write-timeout: 20s
"""


class Tool:
    """`etcd-ha config` on a file of the test's, with the keys of a minor and without etcd itself."""

    def __init__(self, folder: Path, series: str) -> None:
        self.file = folder / "etcd.yaml"
        self.backups = folder / "backups"
        keys = folder / "config-keys"
        rows = "".join(f"{key} {kind}\n" for key, kind in config_keys(Series(3, int(series[2:]))))
        keys.write_text(f"# etcd {series}: keys\n{rows}")
        self.program = TEMPLATE / "node/commands/config"
        self.environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "ETCD_HA_LIB": str(LIBRARY),
            "ETCD_HA_KEYS": str(keys),
            "ETCD_BIN": str(folder / "none"),
            "CONFIG": str(self.file),
            "BACKUPS": str(self.backups),
        }

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """The command, which runs beside others."""
        return subprocess.Popen(
            ["sh", self.program, *arguments],
            env=self.environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """The command, with stdout and stderr apart."""
        with self.start(*arguments, **variables) as process:
            out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def lint(self, document: str) -> str:
        """Its warnings for a document."""
        self.file.write_text(document)
        done = self.run("lint")
        assert done.stderr == ""
        assert done.returncode == (1 if done.stdout else 0)
        return done.stdout


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    """For etcd 3.5."""
    return Tool(tmp_path, "3.5")


@pytest.mark.parametrize("series", ["3.4", "3.5", "3.6", "3.7"])
def test_keys_of_the_article_that_no_etcd_reads_are_named(tmp_path: Path, series: str) -> None:
    said = Tool(tmp_path, series).lint(ARTICLE)
    for line, key in ((5, "dial-timeout"), (6, "read-timeout"), (7, "write-timeout")):
        assert (
            f"line {line}: etcd {series} ignores {key}: no version of etcd has it; delete the line\n" in said
        )


MISSPELT = {
    "hearbeat-interval: 5": "heartbeat-interval",
    "initial-advertised-peer-urls: x": "initial-advertise-peer-urls",
    "quota_backend_bytes: 5": "quota-backend-bytes",
    "datadir: /x": "data-dir",
    "client-transport-security:\n  certfile: x": "client-transport-security.cert-file",
}


@pytest.mark.parametrize("document", MISSPELT)
def test_misspelt_key_is_named_with_the_right_one(tool: Tool, document: str) -> None:
    assert f"did you mean {MISSPELT[document]}?" in tool.lint(document + "\n")


@pytest.mark.parametrize(
    ("series", "key", "hint"),
    [
        ("3.6", "enable-v2: true", "the v2 API was removed in 3.6"),
        ("3.7", "experimental-compaction-batch-limit: 5", "did you mean compaction-batch-limit?"),
        ("3.7", "experimental-initial-corrupt-check: true", 'feature-gates: "InitialCorruptCheck=true"'),
        ("3.5", "feature-gates: x", "etcd 3.5 ignores feature-gates"),
    ],
)
def test_key_that_the_minor_no_longer_or_not_yet_reads_is_named(
    tmp_path: Path, series: str, key: str, hint: str
) -> None:
    assert hint in Tool(tmp_path, series).lint(key + "\n")


REFUSED = {
    "name: 123": 'the value needs quotes: "123"',
    "auto-compaction-mode: periodic\nauto-compaction-retention: 1": 'the value needs quotes: "1"',
    "quota-backend-bytes: 8G": "a whole number",
    'quota-backend-bytes: "8"': "a whole number",
    "heartbeat-interval: 100ms": "a whole number",
    "grpc-keepalive-interval: 10m": "nanoseconds",
    'pre-vote: "true"': "true or false",
    "log-outputs: stderr": "a list is expected",
    "client-transport-security:\n  allowed-cn: foo": "a list is expected",
    "client-transport-security: foo": "a block of keys",
    "listen-peer-urls: http://pg1:2380": "not on the name pg1",
    "initial-cluster-state: old": "new or existing",
    "heartbeat-interval: 300\nelection-timeout: 1000": "5 times heartbeat-interval",
    "election-timeout: 60000": "the maximum is 50000",
    "log-level: loud": "crashes with log-level loud",
    "logger: capnslog": "only zap remains",
    "listen-client-urls: https://10.0.0.1:2379": "https needs client-transport-security",
}


@pytest.mark.parametrize("document", REFUSED)
def test_value_that_etcd_refuses_is_named(tool: Tool, document: str) -> None:
    assert REFUSED[document] in tool.lint(document + "\n")


@pytest.mark.parametrize("form", UNREAD)
def test_value_that_is_not_read_is_named_with_its_line(tool: Tool, form: str) -> None:
    assert "line " in tool.lint(UNREAD[form])


def test_value_that_is_not_read_is_not_judged_by_the_default(tool: Tool) -> None:
    said = tool.lint("heartbeat-interval: 500\nelection-timeout: >-\n\n\n  5000\n")
    assert "5 times" not in said


FINE = """\
Name: "101"
data-dir: /var/lib/etcd-ha
listen-client-urls: http://[fd00::1]:2379, http://localhost:2379
cipher-suites:
log-outputs: [stderr]
heartbeat-interval: 100
auto-compaction-mode: periodic
auto-compaction-retention: "1h"
client-transport-security:
  client-cert-auth: no
"""


@pytest.mark.parametrize("series", ["3.5", "3.6", "3.7"])
def test_file_that_etcd_takes_earns_no_warning(tmp_path: Path, series: str) -> None:
    assert Tool(tmp_path, series).lint(FINE) == ""


def test_key_that_is_there_twice_is_named(tool: Tool) -> None:
    assert "line 2: NAME appears twice" in tool.lint("name: a\nNAME: b\n")


def test_compaction_without_its_mode_is_named_where_it_does_nothing(tmp_path: Path) -> None:
    document = 'auto-compaction-retention: "1h"\n'
    for series in ("3.4", "3.5"):
        assert "compacts nothing" in Tool(tmp_path, series).lint(document)
    assert Tool(tmp_path, "3.6").lint(document) == ""


def test_gateway_that_3_4_turns_off_is_named(tmp_path: Path) -> None:
    assert "enable-grpc-gateway" in Tool(tmp_path, "3.4").lint("name: a\n")
    assert Tool(tmp_path, "3.5").lint("name: a\n") == ""


def test_unreadable_form_is_named(tool: Tool) -> None:
    assert "not checked key by key: line 1: flow style" in tool.lint("{name: a}\n")


def test_get_prints_the_value_alone(tool: Tool) -> None:
    tool.file.write_text("name: 'it''s'  # c\npeer-transport-security:\n  key-file: /k\n")
    assert tool.run("get", "name").stdout == "it's\n"
    assert tool.run("get", "peer-transport-security.key-file").stdout == "/k\n"
    assert tool.run("get", "data-dir").returncode == 1


def test_get_tells_a_key_that_is_not_there_from_a_value_that_it_can_not_read(tool: Tool) -> None:
    tool.file.write_text("name: a\nName: b\n")
    assert [tool.run("get", key).returncode for key in ("data-dir", "name")] == [1, 2]


def test_set_changes_one_value_and_keeps_a_copy(tool: Tool) -> None:
    before = "# c\nname: a   # mine\r\nx: [1]"
    tool.file.write_bytes(before.encode())
    assert tool.run("set", "name", "no").returncode == 0
    assert tool.file.read_bytes() == b'# c\nname: "no"   # mine\r\nx: [1]'
    (copy,) = tool.backups.iterdir()
    assert copy.read_bytes() == before.encode()


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("heartbeat-interval", "5s", "a whole number"),
        ("pre-vote", "maybe", "true or false"),
        ("log-outputs", "stderr", "a single value"),
        ("nmae", "x", "did you mean name?"),
        ("name", "a\nb", "control characters"),
    ],
)
def test_set_refuses_what_etcd_would_not_read(tool: Tool, key: str, value: str, reason: str) -> None:
    tool.file.write_text("name: a\n")
    done = tool.run("set", key, value)
    assert (done.returncode, done.stdout) == (1, "")
    assert reason in done.stderr
    assert tool.file.read_text() == "name: a\n"
    assert not tool.backups.exists()


def test_set_leaves_a_symbolic_link_alone(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "real").write_text("name: a\n")
    tool.file.symlink_to("real")
    assert "symbolic link" in tool.run("set", "name", "b").stderr
    assert tool.file.read_text() == "name: a\n"


@pytest.mark.parametrize("arguments", [(), ("get",), ("set", "name"), ("lint", "a", "b"), ("frob",)])
def test_wrong_usage_is_status_2(tool: Tool, arguments: tuple[str, ...]) -> None:
    done = tool.run(*arguments)
    assert done.returncode == 2
    assert "usage: etcd-ha config" in done.stderr
