"""The facts below the first line of an error have the same labels everywhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from builder.shipped import DEBIAN_TEMPLATE

FOLDERS = (Path("builder"), DEBIAN_TEMPLATE / "node/etcd_ha")
OTHER_WORDS = {"actual", "got", "received", "wanted"}
_LABELLED = re.compile(r"(\w+) {2,}\S?")


def labels(source: str) -> Iterator[str]:
    """Those of the details that a source gives to its errors."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg == "details":
            for part in ast.walk(node.value):
                text = part.value if isinstance(part, ast.Constant) else None
                if isinstance(text, str) and (found := _LABELLED.match(text)):
                    yield found[1]


def test_what_was_expected_and_found_is_called_so() -> None:
    used = {
        label: path.name
        for folder in FOLDERS
        for path in folder.rglob("*.py")
        for label in labels(path.read_text(encoding="utf-8"))
    }
    assert {label: name for label, name in used.items() if label in OTHER_WORDS} == {}
    assert {"expected", "found"} <= set(used)


def test_another_label_is_seen() -> None:
    source = "raise Error('a', details=(f'got       {b}', 'expected  c', 'of no label'))"
    assert set(labels(source)) == {"got", "expected"}
