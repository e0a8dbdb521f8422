"""`etcd-ha config set` with several keys, and `config unset`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.package.node.config.test_lint import Tool

BEFORE = "# mine\nname: pg1\npeer-transport-security:\n  cert-file: /a\n  key-file: /b\n"


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    """For etcd 3.6."""
    tool = Tool(tmp_path, "3.6")
    tool.file.write_text(BEFORE)
    return tool


def test_several_keys_are_set_in_one_step_with_one_copy_of_the_file_before(tool: Tool) -> None:
    done = tool.run("set", "name", "pg2", "peer-transport-security.key-file", "/c", "pre-vote", "false")
    assert done.returncode == 0, done.stderr
    assert tool.file.read_text() == BEFORE.replace("pg1", "pg2").replace("/b", "/c") + "pre-vote: false\n"
    assert [copy.read_text() for copy in tool.backups.iterdir()] == [BEFORE]


def test_of_several_keys_none_is_set_where_one_is_refused(tool: Tool) -> None:
    done = tool.run("set", "name", "pg2", "snapshot-count", "many")
    assert (done.returncode, "snapshot-count must be a whole number" in done.stderr) == (1, True)
    assert tool.file.read_text() == BEFORE


def test_a_key_without_a_value_is_wrong_usage(tool: Tool) -> None:
    for words in (("set", "name"), ("set", "name", "pg2", "pre-vote"), ("unset",)):
        assert tool.run(*words).returncode == 2
    assert tool.file.read_text() == BEFORE


def test_keys_are_removed_and_with_the_last_of_them_their_block(tool: Tool) -> None:
    keys = ("peer-transport-security.cert-file", "peer-transport-security.key-file", "pre-vote")
    assert tool.run("unset", *keys).returncode == 0
    assert tool.file.read_text() == "# mine\nname: pg1\n"
    assert tool.run("unset", *keys).returncode == 0


def test_a_key_that_etcd_does_not_have_is_not_removed(tool: Tool) -> None:
    done = tool.run("unset", "nam")
    assert (done.returncode, "etcd has no key nam" in done.stderr) == (1, True)
    assert tool.file.read_text() == BEFORE
