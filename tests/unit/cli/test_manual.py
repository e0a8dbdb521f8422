"""The manual page of etcd-deb and the reference of its settings against the command line itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from builder import shipped
from builder.cli.main import cli
from builder.settings import ENVIRONMENT_PREFIX, read_settings_file

DOCS = Path(__file__).parents[3] / "docs"


def commands_below(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands_below(command, f"{before}{name} ")
        elif not command.hidden:
            yield f"{before}{name}", command


COMMANDS = dict(commands_below(cli))
# Every command takes them, before its name and after it.
OF_ALL = {"--verbose", "--quiet"}


def page() -> str:
    """The source of the page with its macros of flags put together: `.Fl Fl json , Fl v` is `--json , -v`."""
    text = (DOCS / "man/etcd-deb.1").read_text(encoding="utf-8")
    return re.sub(r"\bFl ", "-", text.replace("Fl Fl ", "--"))


def entry(command: str) -> str:
    """The entry of a command, up to the next command or section."""
    found = re.search(
        rf"^\.It Cm {command}(?![\w-]).*?(?=^\.It Cm |^\.Sh )", page(), re.MULTILINE | re.DOTALL
    )
    assert found, f"no entry for {command}"
    return found.group()


def flags_of(command: click.Command) -> set[str]:
    return {
        flag
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for flag in parameter.opts
        if flag.startswith("--")
    } - {"--help", *OF_ALL}


def flags_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_entry_of_a_command_has_its_options_and_no_others(name: str) -> None:
    assert flags_in(entry(name)) == flags_of(COMMANDS[name])


def test_the_page_has_no_command_that_is_not_there() -> None:
    section = page().split("\n.Sh COMMANDS\n")[1].split("\n.Sh ")[0]
    assert sorted(
        re.findall(r"^\.It Cm ((?:repo|cache) [\w-]+|cluster (?:certs )?[\w-]+|\w+)", section, re.MULTILINE)
    ) == sorted(COMMANDS)


def test_options_before_the_command_stand_in_the_page() -> None:
    section = page().split("\n.Sh OPTIONS\n")[1].split("\n.Ss ")[0]
    assert flags_in(section) == flags_of(cli) | {"--help", *OF_ALL}


def test_options_of_several_commands_are_explained_once() -> None:
    section = page().split("\n.Ss Options shared by several commands\n")[1].split("\n.Sh ")[0]
    explained = re.findall(r"^\.It (--[a-z-]+)", section, re.MULTILINE)
    shared = [flag for command in COMMANDS.values() for flag in flags_of(command)]
    assert sorted(explained) == sorted({flag for flag in shared if shared.count(flag) > 1} - {"--to"})


def test_the_page_names_each_variable() -> None:
    settings = read_settings_file(shipped.CONF / "etcd-deb.toml")
    named = set(re.findall(rf"{ENVIRONMENT_PREFIX}[A-Z_]+", page()))
    assert named == {f"{ENVIRONMENT_PREFIX}{name.upper()}" for name in (*settings, "config")}


def test_the_reference_has_each_setting_with_its_default_and_its_option() -> None:
    text = (DOCS / "reference/settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| (ETCD_DEB_\w+) \| (\S*) ?\| `(.*)` \|$", text, re.MULTILINE)
    options = {flag for command in COMMANDS.values() for flag in flags_of(command)}
    as_option = {"arches": "--arch"}
    expected = []
    for name, value in read_settings_file(shipped.CONF / "etcd-deb.toml").items():
        option = as_option.get(name, f"--{name}")
        shown = json.dumps(value) if value == "" or isinstance(value, tuple) else str(value)
        expected.append((name, f"ETCD_DEB_{name.upper()}", option if option in options else "", shown))
    assert rows == expected
    for name, *_ in rows:
        assert f"\n**{name}** " in text
