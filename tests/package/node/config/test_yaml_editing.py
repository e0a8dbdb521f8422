"""The editor of etcd.yaml (lib/yaml*.awk): the keys it is told, exactly, and not a byte more."""

from __future__ import annotations

import re
from typing import TypeAlias

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.package.node.config.yaml_files import (
    BLOCKS,
    AdminFile,
    Line,
    admin_files,
    edit_lists,
    is_about_a_block_of_text,
    texts,
)
from tests.package.node.node_shell import REFUSED, SET, Edit, NodeShell

Value: TypeAlias = str | int | bool | float | list["Value"] | dict[str, "Value"] | None

BOM = "\ufeff".encode()
QUICK = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=300)
SOAK = settings(QUICK, max_examples=2000, derandomize=False)


def parsed(content: bytes) -> dict[str, Value]:
    """The keys in lower case, as etcd matches them; blocks of TLS flattened to dotted keys."""
    document: object = yaml.safe_load(content)
    flat: dict[str, Value] = {}
    if document is None:
        return flat
    assert isinstance(document, dict)
    for key, value in document.items():
        name = str(key).lower()
        if name in BLOCKS:
            for part, inner in (value or {}).items():
                flat[f"{name}.{str(part).lower()}"] = inner
        else:
            flat[name] = value
    return flat


def is_read_by_etcd(document: str) -> bool:
    """A document of keys, as far as PyYAML can tell."""
    try:
        parsed(document.encode())
    except (yaml.YAMLError, AssertionError, AttributeError, TypeError, ValueError):
        return False
    return True


def wanted(edit: Edit) -> Value:
    """The value that an edit asks for."""
    if edit.kind == "int":
        return int(edit.value)
    return edit.value == "true" if edit.kind == "bool" else edit.value


def expected(before: dict[str, Value], edits: list[Edit]) -> dict[str, Value]:
    """What the file must say after the edits; null counts as absent."""
    after = {**before, **{edit.key: wanted(edit) for edit in edits if edit.operation == SET}}
    for edit in edits:
        if edit.operation != SET:
            after.pop(edit.key, None)
    return {key: value for key, value in after.items() if value is not None}


def split_lines(content: bytes, newline: str) -> list[str]:
    """Lines without their ends; a file of one line without an end can't tell the editor which to use."""
    newline = newline if newline.encode() in content else "\n"
    return content.decode().removeprefix("\ufeff").split(newline)


def key_of(line: str) -> str:
    """The key that a line of the editor's or of a managed key says."""
    found = re.match(r"\s*[\"']?([A-Za-z-]+)[\"']?\s*:", line)
    return found.group(1).lower() if found else ""


def check_untouched(file: AdminFile, edits: list[Edit], edited: bytes) -> None:
    """Every line that no edit names is there in the old order; edited lines keep their comments."""
    touched = {edit.key for edit in edits}
    blocks = {edit.key.split(".")[0] for edit in edits if "." in edit.key}
    remaining = split_lines(edited, file.newline)
    for line in file.lines:
        if line.key in touched or line.key in blocks:
            continue
        assert line.text in remaining, f"lost: {line.text!r}"
        position = remaining.index(line.text)
        for new in remaining[:position]:
            assert is_ours(new, touched, blocks), f"not asked for: {new!r}"
        remaining = remaining[position + 1 :]
    assert all(is_ours(new, touched, blocks) or new == "" for new in remaining)
    if not file.newline.startswith("\r"):
        assert b"\r" not in edited


def is_ours(line: str, touched: set[str], blocks: set[str]) -> bool:
    """A line that an edit may write."""
    key = key_of(line)
    return key in touched or key in blocks or any(name.endswith(f".{key}") for name in touched)


def comments_that_stay(file: AdminFile, edits: list[Edit]) -> list[Line]:
    """Commented lines whose key is set, not taken out."""
    kept = {edit.key for edit in edits if edit.operation == SET}
    return [line for line in file.lines if line.comment and line.key in kept]


def check_edited(shell: NodeShell, file: AdminFile, edits: list[Edit]) -> None:
    before = parsed(file.content)
    outcome = shell.edit(file.content, edits)
    if outcome.status == REFUSED:
        gone = {edit.key for edit in edits if edit.operation != SET}
        assert is_about_a_block_of_text(outcome.message, file, gone), outcome.message
        return
    assert outcome.status == 0, outcome.message
    after = {key: value for key, value in parsed(outcome.edited).items() if value is not None}
    assert after == expected(before, edits)
    check_untouched(file, edits, outcome.edited)
    assert outcome.edited.startswith(BOM) == (file.prefix != "")
    for line in comments_that_stay(file, edits):
        assert any(
            text.endswith(line.comment) and key_of(text) == line.key.split(".")[-1]
            for text in split_lines(outcome.edited, file.newline)
        )
    assert outcome.edited.endswith(b"\n") or not file.last_newline or not outcome.edited.strip(BOM)
    assert outcome.again == outcome.edited


@QUICK
@given(admin_files(), edit_lists())
def test_a_file_says_the_answers_and_every_other_byte_stays(
    shell: NodeShell, file: AdminFile, edits: list[Edit]
) -> None:
    check_edited(shell, file, edits)


@pytest.mark.soak
@SOAK
@given(admin_files(), edit_lists())
def test_each_of_2000_files_says_the_answers_and_every_other_byte_stays(
    shell: NodeShell, file: AdminFile, edits: list[Edit]
) -> None:
    check_edited(shell, file, edits)


# Pieces that a YAML scanner can trip over, put together at random.
PIECES = [
    "name:",
    "name",
    "data-dir: ",
    ": ",
    ":",
    " ",
    "  ",
    "\t",
    "\n",
    "\n",
    "\n",
    "\n  ",
    "\r\n",
    "- ",
    "-",
    "? ",
    "'",
    '"',
    "''",
    "#",
    " #",
    "|",
    ">",
    "|-",
    ">+",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "!!str ",
    "<<: ",
    "---",
    "...",
    "%YAML 1.1",
    "@",
    "`",
    "~",
    "x",
    "x-a: ",
    "x-b:",
    "\n    ",
    "a: b",
    "client-transport-security:",
    "\n  cert-file: ",
    "cert-file: c",
    "true",
    "5",
    "\\",
    "\xa0",
    "\u2028",
    "\x85",
    "\r",
    "\x0b",
    "\n- ",
]
documents = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def check_right_or_left_alone(shell: NodeShell, document: str, edits: list[Edit]) -> None:
    assume(is_read_by_etcd(document))
    before = parsed(document.encode())
    outcome = shell.edit(document.encode(), edits)
    if outcome.status == 0:
        after = {key: value for key, value in parsed(outcome.edited).items() if value is not None}
        assert after == expected(before, edits)
        assert outcome.again == outcome.edited
    else:
        assert outcome.status == REFUSED
        assert outcome.message.startswith("line ")


@QUICK
@given(documents, edit_lists())
def test_any_text_is_edited_right_or_left_alone(shell: NodeShell, document: str, edits: list[Edit]) -> None:
    check_right_or_left_alone(shell, document, edits)


@pytest.mark.soak
@SOAK
@given(documents, edit_lists())
def test_any_of_2000_texts_is_edited_right_or_left_alone(
    shell: NodeShell, document: str, edits: list[Edit]
) -> None:
    check_right_or_left_alone(shell, document, edits)


@settings(QUICK, max_examples=100)
@given(admin_files())
def test_what_is_read_is_what_etcd_reads(shell: NodeShell, file: AdminFile) -> None:
    before = parsed(file.content)
    outcome = shell.keys(file.content)
    assert outcome.status == 0, outcome.message
    for row in outcome.edited.decode().splitlines():
        _, key, kind, value = row.split("\t", 3)
        if kind == "string" and not key.startswith("x-"):
            assert before[key.lower()] == value
        elif kind == "int":
            assert before[key.lower()] == int(value)


@settings(QUICK, max_examples=100)
@given(texts)
def test_any_text_comes_back_as_text(shell: NodeShell, text: str) -> None:
    outcome = shell.edit(b"", [Edit("name", "string", text)])
    assert parsed(outcome.edited) == {"name": text}


UNSAFE = {
    "flow style": "{name: pg1}\n",
    "a list": "- name: pg1\n",
    "several documents": "name: a\n---\nname: b\n",
    "an end of document": "name: a\n...\n",
    "a directive": "%YAML 1.1\n---\nname: a\n",
    "an anchor": "name: &a pg1\ntoken: *a\n",
    "an anchor in flow style": "x: [&a b, *a]\nname: pg1\n",
    "a tag": "name: !!str pg1\n",
    "a merged key": "x: {a: 1}\n<<: {name: pg1}\n",
    "an explicit key": "? name\n: pg1\n",
    "a quoted text over lines": 'x: "a\n  name: b"\nname: pg1\n',
    "a flow list over lines": "x: [a,\nname, b]\nname: pg1\n",
    "a tab as indentation": "x:\n\ty: 1\n",
    "a lone carriage return": "name: a\rdata-dir: b\n",
    "a Unicode line break": "# a\u2028name: b\n",
    "a control character": "name: a\x07\n",
    "a NUL": "name: a\0\n",
    "an explicit indentation": "x: |2\n    a\nname: pg1\n",
    "a key that appears twice": "name: a\nName: b\n",
    "a value over several lines": "name: a\n  b\n",
    "a block as the value": "name: |\n  a\n",
}


@pytest.mark.parametrize("form", UNSAFE)
def test_an_unsafe_form_is_left_alone_and_named(shell: NodeShell, form: str) -> None:
    outcome = shell.edit(UNSAFE[form].encode(), [Edit("name", "string", "pg2")])
    assert outcome.status == REFUSED
    assert re.match(r"line \d+: .", outcome.message)
    assert outcome.edited == b""


def test_a_byte_order_mark_alone_is_an_empty_file(shell: NodeShell) -> None:
    outcome = shell.edit(BOM, [Edit("name", "string", "a")])
    assert outcome.edited == BOM + b"name: a\n"
