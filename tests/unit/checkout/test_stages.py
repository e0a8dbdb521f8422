"""The value of each stage is made by that stage alone, and each stage keeps to its own means."""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

import builder

PACKAGE = Path(builder.__file__).parent
# What a later stage takes: whoever could make one himself could pass by the checks that stand before it.
MADE_IN = {
    "Fetched": {"release/fetch.py"},
    "VerifiedTarball": {"release/verify.py"},
    "Binaries": {"package/unpack.py"},
    "ExaminedBinaries": {"package/examine.py"},
    "Upload": {"package/pack.py"},
    "Incoming": {"repository/incoming.py"},
}
# Who may use what; `requests` and `socket` are the network.
USED_IN = {
    "requests": {"release/http.py"},
    "socket": set(),
    "urllib.request": set(),
    "http.client": set(),
    "click": {str(path.relative_to(PACKAGE)) for path in (PACKAGE / "cli").rglob("*.py")},
    "builder.release.http": {"release/fetch.py", "release/github.py"},
    "jinja2": {"package/source_tree.py", "repository/announcement/page.py"},
    "elftools": {"package/examine.py", "package/go_modules.py"},
    # One lock, with a bound, and one reader of .changes.
    "fcntl": {"system/lock.py"},
    "debian.deb822.Changes": {"deb/changes.py"},
    "ctypes": set(),
    "multiprocessing": set(),
    "concurrent.futures.process": set(),
}


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of builder/, parsed."""
    return {
        str(path.relative_to(PACKAGE)): ast.parse(path.read_text(), str(path))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def callers() -> dict[str, set[str]]:
    """For each name that is called, the modules that call it."""
    found = defaultdict(set)
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = node.func
                if isinstance(called, ast.Attribute):
                    found[called.attr].add(module)
                elif isinstance(called, ast.Name):
                    found[called.id].add(module)
    return found


def importers(wanted: str) -> set[str]:
    """The modules that import a module or something below it."""
    found = set()
    for module, tree in modules().items():
        for node in ast.walk(tree):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            if any(name == wanted or name.startswith(f"{wanted}.") for name in names):
                found.add(module)
    return found


@pytest.mark.parametrize("name", MADE_IN)
def test_the_value_of_a_stage_is_constructed_in_its_module_only(name: str) -> None:
    assert callers()[name] == MADE_IN[name]


def test_no_module_gets_round_a_stage_by_copying_its_value() -> None:
    values = {"replace", "copy", "deepcopy", "__new__", "cast"}
    imported = {
        (module, alias.name)
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("dataclasses", "copy", "typing")
        for alias in node.names
        if alias.name in values
    }
    assert imported == set()


@pytest.mark.parametrize("name", USED_IN)
def test_a_stage_keeps_to_its_own_means(name: str) -> None:
    assert importers(name) <= USED_IN[name]


def test_sha256_of_a_stream_and_json_of_the_command_line_are_made_in_one_place() -> None:
    by_piece = {
        module
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node) == "hashlib.sha256()"
    }
    # tar_part's own sees what tarfile reads.
    assert by_piece == {"system/digest.py", "deb/tar_part.py"}
    assert {name for name in importers("json") if name.startswith("cli/")} == {"cli/terminal.py"}


def test_no_stage_knows_the_command_line() -> None:
    assert importers("builder.cli") <= {
        "__main__.py",
        *(name for name in modules() if name.startswith("cli/")),
    }


def test_dataclasses_are_frozen() -> None:
    loose = [
        (module, node.name)
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
        if ast.unparse(decorator).startswith("dataclass") and "frozen=True" not in ast.unparse(decorator)
    ]
    assert loose == []
