"""A file of the member counts as changed exactly while its content is not what etcd has read."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from builder.shipped import DEBIAN_TEMPLATE

SHELL = r"""
LIB=$1 CONFIG=$2 RUNTIME_DIRECTORY=$3
for part in yaml member restart-due; do . "$LIB/$part.sh"; done
START_RECORD=$RUNTIME_DIRECTORY/start
systemctl() { echo "$STARTED"; }
shift 3
"$@"
"""


@dataclass
class Node:
    """A configuration and the directory of the record."""

    folder: Path

    @property
    def config(self) -> Path:
        """etcd.yaml."""
        return self.folder / "etcd.yaml"

    def say(self, *command: str, started: float = 0) -> str:
        """What a function of lib/restart-due.sh prints."""
        words = ["sh", "-euc", SHELL, "sh", DEBIAN_TEMPLATE / "node/lib", self.config, self.folder, *command]
        date = time.strftime("%a %Y-%m-%d %H:%M:%S", time.gmtime(started)) + ".500000 UTC"
        environment = {"PATH": os.environ["PATH"], "STARTED": date if started else ""}
        return subprocess.run(
            [str(word) for word in words], env=environment, capture_output=True, text=True, check=True
        ).stdout

    def start(self) -> str:
        """As preflight does; the process id."""
        self.say("record_start")
        return (self.folder / "start").read_text().split()[0]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    (tmp_path / "etcd.yaml").write_text("name: pg1\n")
    return Node(tmp_path)


def test_date_of_the_file_does_not_count(node: Node) -> None:
    pid = node.start()
    node.config.touch()
    assert node.say("why_file", pid) == ""


def test_other_content_counts_whatever_the_date_and_the_same_content_does_not(node: Node) -> None:
    pid = node.start()
    node.config.write_text("name: pg2\n")
    os.utime(node.config, (0, 0))
    assert node.say("why_file", pid) == f"{node.config} was changed since the start\n"
    node.config.write_text("name: pg1\n")
    assert node.say("why_file", pid) == ""
    node.config.unlink()
    assert node.say("why_file", pid) == f"{node.config} was removed since the start\n"


def test_record_of_another_process_does_not_count_and_what_is_not_known_is_said(node: Node) -> None:
    node.start()
    node.config.write_text("name: pg2\n")
    now = time.time()
    doubt = f"{node.config} was written after the start, and it is unknown what etcd has read\n"
    assert node.say("why_file", "1", started=now - 3600) == doubt
    assert node.say("why_file", "1", started=now + 3600) == ""
    # The date can be set, the time of the change can't.
    os.utime(node.config, (0, 0))
    assert node.say("why_file", "1", started=now - 3600) == doubt


def test_without_a_directory_for_it_nothing_is_recorded_and_the_start_goes_on(node: Node) -> None:
    node.say("eval", "unset RUNTIME_DIRECTORY; record_start")
    node.say("eval", "RUNTIME_DIRECTORY=/nowhere; record_start 2>/dev/null")
    assert not (node.folder / "start").exists()
