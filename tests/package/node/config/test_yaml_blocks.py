"""Edits of etcd.yaml (lib/yaml-edit.awk) that take from a block or end beside one: of keys, and of text."""

from __future__ import annotations

import pytest

from tests.package.node.node_shell import REFUSED, Edit, NodeShell


def test_a_block_of_text_keeps_its_newline_when_the_last_key_goes(shell: NodeShell) -> None:
    outcome = shell.edit(b"x: |\n  kept\nname: a", [Edit("name", operation="unset")])
    assert outcome.edited == b"x: |\n  kept\n"


def test_a_block_of_text_does_not_get_the_empty_lines_behind_a_key(shell: NodeShell) -> None:
    outcome = shell.edit(b"x: |+\n  kept\nname: a\n\ny: 1\n", [Edit("name", operation="unset")])
    assert outcome.status == REFUSED
    assert outcome.message.startswith("line 3: without it,")


@pytest.mark.parametrize("mark", ["|", ">", "|-", ">-"])
def test_a_block_of_text_does_not_get_the_blanks_behind_a_key(shell: NodeShell, mark: str) -> None:
    """YAML 1.2.2, 8.1.2: of a line of blanks, what exceeds the indentation of the block is text."""
    edits = [Edit("name", operation="unset")]
    outcome = shell.edit(f"x: {mark}\n  kept\nname: a\n\n   \ny: 1\n".encode(), edits)
    assert outcome.status == REFUSED
    assert outcome.message.startswith("line 3: without it, the empty lines after it")
    outcome = shell.edit(f"x: {mark}\n  kept\nname: a\n\t\ny: 1\n".encode(), edits)
    assert outcome.status == REFUSED
    outcome = shell.edit(f"x: {mark}\n  kept\nname: a\n\n  \ny: 1\n".encode(), edits)
    assert outcome.edited == f"x: {mark}\n  kept\n\n  \ny: 1\n".encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("peer-transport-security:\n  cert-file: a\nname: b\n", "name: b\n"),
        ("name: b\npeer-transport-security: # c\n  # d\n  cert-file: a\n", "name: b\n  # d\n"),
        (
            "peer-transport-security:\n  cert-file: a\n  key-file: k\n",
            "peer-transport-security:\n  key-file: k\n",
        ),
        ("peer-transport-security:\n  cert-file: a\n  x: [1]\n", "peer-transport-security:\n  x: [1]\n"),
    ],
)
def test_a_block_goes_with_its_last_key(shell: NodeShell, before: str, after: str) -> None:
    edit = Edit("peer-transport-security.cert-file", operation="unset")
    assert shell.edit(before.encode(), [edit]).edited.decode() == after


def test_a_block_stays_that_gets_another_key(shell: NodeShell) -> None:
    edits = [
        Edit("peer-transport-security.cert-file", operation="unset"),
        Edit("peer-transport-security.key-file", "string", "k"),
    ]
    outcome = shell.edit(b"peer-transport-security:\n  cert-file: a\n", edits)
    assert outcome.edited == b"peer-transport-security:\n  key-file: k\n"


def test_a_block_of_text_does_not_get_the_comment_behind_a_key(shell: NodeShell) -> None:
    outcome = shell.edit(b"x: |\n  kept\nname: a\n  # no text\n", [Edit("name", operation="unset")])
    assert outcome.status == REFUSED
    assert outcome.message.startswith("line 3: without it,")


@pytest.mark.parametrize("block", ["{cert-file: /a}", "&x {cert-file: /a}", "text"])
def test_nothing_is_taken_out_of_what_is_no_block_of_keys(shell: NodeShell, block: str) -> None:
    edit = Edit("peer-transport-security.cert-file", operation="unset")
    outcome = shell.edit(f"peer-transport-security: {block}\n".encode(), [edit])
    assert outcome.status == REFUSED
    assert outcome.message.startswith("line 1: ")
