"""Every command in a message is typed by a test as printed, and so is every section of README.Debian."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.system import readme
from tests.system.advice import commands
from tests.unit.checkout.messages import SCRIPTS, texts
from tests.unit.checkout.register import REGISTER

TESTS = Path(__file__).parents[2]
# Lines of usage, and what stands before a colon of another kind.
NO_ADVICE = {"etcd-ha COMMAND", "etcd-ha ${package_version"}

SECTIONS = {
    "After the installation": "test_unattended_installation_and_after_it",
    "Where things are": "test_unattended_installation_and_after_it",
    "Names and addresses": "test_unattended_installation_and_after_it",
    "Unattended installation": "test_unattended_installation_and_after_it",
    "TLS": "test_tls",
    "Upgrade": "test_unattended_installation_and_after_it",
    "Backup and restore": "test_unattended_installation_and_after_it",
    "Maintenance": "test_start_over",
    "Taking over an existing etcd": "test_taking_over",
    "Start over": "test_start_over",
    "Remove and purge": "test_start_over",
}


def given() -> set[str]:
    """SCRIPT: COMMAND of all messages."""
    return {
        f"{script.name}: {command}"
        for script in SCRIPTS
        for text in texts(script)
        for command in commands(text)
        if not any(command.startswith(other) for other in NO_ADVICE)
        # A usage line.
        and not re.search(r"\[-?-?\w", command)
    }


def test_every_command_in_a_message_is_typed_by_a_test() -> None:
    typed = [entry for entries in REGISTER.values() for entry in entries]
    assert sorted(given() - set(typed)) == []
    assert sorted(set(typed) - given()) == [], "no message says that any more"


def functions(module: ast.Module) -> dict[str, ast.FunctionDef]:
    """The functions of a file of tests, by name."""
    return {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}


def followed(module: ast.Module, test: str) -> list[str]:
    """The parts of commands that a test types by follow(), itself or in a function of its file."""
    known = functions(module)
    reached, waiting = set[str](), [test]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            used = (node.id for node in ast.walk(known[name]) if isinstance(node, ast.Name))
            waiting += [name for name in used if name in known]
    return [
        argument.value
        for name in reached
        for node in ast.walk(known[name])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "follow"
        for argument in node.args[2:]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def is_part(part: str, command: str) -> bool:
    """Whether a command of the source has the part, or begins so where a variable goes on."""
    begin = command.partition("$")[0]
    return part in command or (begin.endswith((" ", "=")) and part.startswith(begin))


def untyped(entries: Sequence[str], parts: Sequence[str]) -> list[str]:
    """The entries that no part is left for: the longest part finds its entry first, and serves one."""
    left = list(entries)
    for part in sorted(parts, key=len, reverse=True):
        matching = [entry for entry in left if is_part(part, entry.partition(": ")[2])]
        if matching:
            left.remove(min(matching, key=len))
    return left


@pytest.mark.parametrize("test", sorted(REGISTER))
def test_a_test_takes_each_of_its_commands_out_of_the_message_and_types_it(test: str) -> None:
    path, _, name = test.partition("::")
    module = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    assert name in functions(module)
    assert untyped(REGISTER[test], followed(module, name)) == []


def test_a_test_that_types_nothing_or_something_else_is_found() -> None:
    module = ast.parse(
        "def typed():\n    helper()\ndef helper():\n    follow(said, node, 'systemctl start etcd')\n"
        "def looked_at():\n    command(said, 'systemctl start etcd')\n"
    )
    entry = "preflight: systemctl start etcd"
    assert untyped([entry], followed(module, "typed")) == []
    assert untyped([entry], followed(module, "looked_at")) == [entry]
    assert untyped([entry, "restart: systemctl start etcd"], followed(module, "typed")) != []
    assert untyped(["preflight: systemctl stop etcd"], followed(module, "typed")) != []


def test_every_section_of_the_readme_with_commands_is_followed_by_a_test() -> None:
    assert [title for title in readme.SECTIONS if readme.commands(title)] == list(SECTIONS)
    source = (TESTS / "system/test_readme.py").read_text(encoding="utf-8")
    for title, test in SECTIONS.items():
        (body,) = re.findall(rf"^def {test}\(.*?(?=^(?:def|@)|\Z)", source, re.MULTILINE | re.DOTALL)
        assert f'Section("{title}")' in body
