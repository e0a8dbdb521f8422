"""Manual pages as a reader sees them, and what programs say of themselves in their help."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from builder import shipped
from tests.support.command import run
from tests.support.releases import releases

PAGES = shipped.DEBIAN_TEMPLATE / "man"
# Makers of the lists that help prints, which are no commands of etcd's.
LISTING = ("help", "completion")
_OVERSTRIKE = re.compile(".\b")
# In a list of commands: the command, of one word or two, then what it does.
_COMMAND = re.compile(r"^(?:\t|  )((?:[a-z][\w-]* ?){1,2}?)(?:\t+ *| {2,}| (?=[A-Z]))\S", re.MULTILINE)
_FLAG = re.compile(r"^\s+(?:-\w, )?--([a-z][\w-]*)", re.MULTILINE)
_OF_ALL_COMMANDS = re.compile(r"^(?:GLOBAL OPTIONS|Global Flags):", re.MULTILINE)


@cache
def rendered(page: Path) -> str:
    """The page on a screen so wide that no entry is broken."""
    shown = run(
        ["man", "--nh", "--nj", "--encoding=ascii", "--local-file", page],
        env={"MANWIDTH": "1000", "LC_ALL": "C.UTF-8", "MANROFFOPT": ""},
    ).stdout
    return _OVERSTRIKE.sub("", shown)


def unpack_programs(version: str, folder: Path) -> dict[str, Path]:
    """The real programs of a release that the registries hold, by name."""
    releases.ensure(version)
    (tarball,) = (releases.RELEASES / f"v{version}").glob("*.tar.gz")
    run(["tar", "-xf", tarball, "--no-same-owner", "-C", folder])
    (top,) = folder.iterdir()
    return {name: top / name for name in releases.PROGRAMS if (top / name).is_file()}


@dataclass(frozen=True)
class Command:
    """A command without commands of its own, and the flags that its help lists."""

    words: tuple[str, ...]
    flags: frozenset[str]


def commands_of(program: Path) -> Iterator[Command]:
    """What the help of a program says that it can do."""
    yield from _below(program, (), _help_of(program, ()))


def _below(program: Path, words: tuple[str, ...], text: str) -> Iterator[Command]:
    found = dict.fromkeys(tuple(match.split()) for match in _COMMAND.findall(_list_of_commands(text)))
    if not found:
        yield Command(words, frozenset(_FLAG.findall(_OF_ALL_COMMANDS.split(text)[0])) - {"help"})
    for command in found:
        if command[0] not in LISTING:
            below = (*words, *command)
            yield from _below(program, below, _help_of(program, below))


def _list_of_commands(text: str) -> str:
    """The parts of a help text from a heading of commands to the next empty line; 3.7 has several."""
    heading = r"^(?:Available Commands:|COMMANDS:|[A-Z][\w -]* commands)\n"
    return "\n".join(re.findall(rf"{heading}(.*?)(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL))


def _help_of(program: Path, words: tuple[str, ...]) -> str:
    return run([program, *words, "--help"], env={"ETCDCTL_API": "3"}).stdout


def global_flags_of(program: Path) -> frozenset[str]:
    """The flags in the help of the program itself; etcdctl 3.7 has a command that lists them."""
    text = _help_of(program, ())
    if re.search(r"^  options ", _list_of_commands(text), re.MULTILINE):
        text += run([program, "options"]).stdout
    return frozenset(_FLAG.findall(text))
