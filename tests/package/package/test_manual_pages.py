"""The manual pages of the package against the real programs and the tool."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from builder import shipped
from tests.package.manual import PAGES, Command, commands_of, global_flags_of, rendered, unpack_programs
from tests.support.command import run

VERSIONS = ("3.4.23", "3.5.1", "3.5.35", "3.6.7", "3.6.16", "3.7.3")
TOOL = shipped.DEBIAN_TEMPLATE / "sbin/etcd-ha"


@pytest.fixture(scope="module", params=VERSIONS)
def programs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    version: str = request.param
    return unpack_programs(version, tmp_path_factory.mktemp(version))


def usage_of_the_tool() -> list[str]:
    """The usage lines of `etcd-ha help`, without the name of the tool."""
    text = TOOL.read_text(encoding="utf-8")
    here = re.sub(
        r"^COMMANDS=.*$", f"COMMANDS='{shipped.DEBIAN_TEMPLATE / 'node/commands'}'", text, flags=re.MULTILINE
    )
    shown = run(["sh", "-c", here, "etcd-ha", "help"]).stdout
    return re.findall(r"^  etcd-ha (.+)$", shown, re.MULTILINE)


def entry_of(page: str, command: tuple[str, ...]) -> str:
    """The page from the command's entry to the entry of a command that begins with another word."""
    first = command[0]
    start = re.search(rf"^ +{' '.join(map(re.escape, command))}\b", page, re.MULTILINE)
    if start is None:
        return ""
    indent = len(start.group()) - len(start.group().lstrip())
    rest = page[start.start() :]
    following = re.search(
        rf"^(?: {{{indent}}}(?!{re.escape(first)}\b)\S| {{0,{indent - 1}}}\S)", rest, re.MULTILINE
    )
    return rest[: following.start()] if following else rest


def is_in(flag: str, text: str) -> bool:
    return re.search(rf"--{re.escape(flag)}(?![\w-])", text) is not None


def missing(page: str, commands: list[Command]) -> list[str]:
    lost = []
    for command in commands:
        entry = entry_of(page, command.words)
        if not entry:
            lost.append(" ".join(command.words))
        lost.extend(f"{' '.join(command.words)} --{flag}" for flag in command.flags if not is_in(flag, entry))
    return lost


@pytest.mark.parametrize("name", ["etcdctl", "etcdutl"])
def test_each_command_and_flag_of_the_program_stands_in_its_page(
    programs: Mapping[str, Path], name: str
) -> None:
    if name == "etcdutl" and name not in programs:
        return  # etcd 3.4 has none.
    page = rendered(PAGES / f"{name}.1")
    commands = list(commands_of(programs[name]))
    assert len(commands) > {"etcdctl": 40, "etcdutl": 4}[name]
    assert missing(page, commands) == []
    assert [flag for flag in global_flags_of(programs[name]) if not is_in(flag, page)] == []


def test_each_flag_of_etcd_has_an_entry_in_its_page(programs: Mapping[str, Path]) -> None:
    page = rendered(PAGES / "etcd.1")
    flags = global_flags_of(programs["etcd"])
    assert len(flags) >= 80
    lost = [flag for flag in flags if not re.search(rf"^ +--{re.escape(flag)}(?![\w-])", page, re.MULTILINE)]
    assert lost == []


def test_each_command_of_the_tool_stands_in_its_page() -> None:
    page = rendered(PAGES / "etcd-ha.8")
    usage = usage_of_the_tool()
    assert {"config", "help", "preflight", "status"} <= {line.split()[0] for line in usage}
    commands = []
    for line in usage:
        words = re.match(r"[a-z-]+(?: [a-z-]+)*", line)
        assert words, line
        commands.append(Command(tuple(words.group().split()), frozenset(re.findall(r"--([a-z-]+)", line))))
    assert missing(page, commands) == []


def test_the_page_of_the_tool_names_no_command_that_is_not_there() -> None:
    page = rendered(PAGES / "etcd-ha.8")
    section = page[page.index("\nCOMMANDS\n") : page.index("\nPREFLIGHT\n")]
    entries = {line.split()[0] for line in re.findall(r"^ {5}([a-z]\S*.*)$", section, re.MULTILINE)}
    assert entries == {line.split()[0] for line in usage_of_the_tool()}


@pytest.mark.parametrize("page", sorted(PAGES.iterdir()), ids=lambda page: page.name)
def test_page_renders_without_a_warning(page: Path) -> None:
    groff: list[str | Path] = ["man", "--warnings", "--encoding=UTF-8", "--local-file", "-Tutf8", "-Z", page]
    printed = run(["sh", "-c", '"$@" 2>&1 >/dev/null', "sh", *groff], env={"LC_ALL": "C.UTF-8"}).stdout
    assert printed == ""
    assert run(["mandoc", "-Tlint", "-Wwarning", page]).stdout == ""


def test_each_command_of_the_package_has_a_page() -> None:
    names = {page.name for page in PAGES.iterdir()}
    assert names == {"etcd.1", "etcdctl.1", "etcdutl.1", "etcd-ha.8"}


def test_a_command_that_the_page_lacks_is_found() -> None:
    page = "COMMANDS\n     get KEY\n          --rev=N\n     put KEY\n"
    made_up = [Command(("get",), frozenset({"rev", "limit"})), Command(("del",), frozenset())]
    assert missing(page, made_up) == ["get --limit", "del"]
