"""The node's library: each file has what it says it needs, and never speaks to people itself."""

from __future__ import annotations

import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from builder.shipped import DEBIAN_TEMPLATE

LIBRARY = DEBIAN_TEMPLATE / "node/lib"
PARTS = {path.stem: path for path in sorted(LIBRARY.glob("*.sh"))}
# debhelper puts the library into these, or they source it; the others are commands.
MAINTAINER = [
    DEBIAN_TEMPLATE / f"etcd-ha.{name}" for name in ("preinst", "config", "postinst", "postrm", "prerm")
]
SCRIPTS = [
    *sorted((DEBIAN_TEMPLATE / "node/commands").iterdir()),
    *MAINTAINER,
    DEBIAN_TEMPLATE / "generator/etcd-ha",
]
# What speaks by its very purpose.
SPEAKERS = {
    "backup-timer": "asks debconf and answers it, for the config script and postinst",
    "message": "the words for people",
    "debconf": "between debconf and the folder of answers",
}
_DEFINITION = re.compile(r"^(\w+)\(\) \{", re.MULTILINE)
_HERE_DOCUMENT = re.compile(r"<<('?)END'?(.*?)\nEND$", re.MULTILINE | re.DOTALL)
_SUBSTITUTION = re.compile(r"\$\((?:[^()]|\([^()]*\))*\)")
_LOADED = (
    re.compile(r"^for part in ((?:[\w -]|\\\n)+); do$", re.MULTILINE),
    re.compile(r"^\. \"\$LIB/([\w-]+)\.sh\"", re.MULTILINE),
)
# A word where the shell expects a command, or the first argument of need().
_COMMAND = re.compile(
    r"(?=(?:^|[;|&({!)]|\b(?:then|do|else|elif|if|while|until|need)\b)\s*(?:\w+=[^\s(]*\s+)*(\w+)(?![\w=/.-]))",
    re.MULTILINE,
)
_INLINED = re.compile(r"^#LIB_(\w+)\.sh#$", re.MULTILINE)


def code(path: Path) -> str:
    """A script without comments, and without text that the shell does not run."""
    text = _HERE_DOCUMENT.sub(
        lambda found: "" if found[1] else "\n".join(_SUBSTITUTION.findall(found[2])),
        path.read_text(encoding="utf-8"),
    )
    kept: list[str] = []
    # What the end of an open quote or substitution is.
    closers = [""]
    at = 0
    while at < len(text):
        char, quoted = text[at], closers[-1] == '"'
        if char == "\\":
            at += 1
        elif char == "#" and not quoted and (not kept or kept[-1].isspace()):
            at = text.find("\n", at) - 1
        elif char == "'" and not quoted:
            at = text.index("'", at + 1)
        elif char == closers[-1]:
            closers.pop()
            kept.append(" ")
        elif char == '"':
            closers.append('"')
        elif text.startswith("$(", at):
            closers.append(")")
            kept.append("(")
            at += 1
        elif char == "(" and not quoted:
            closers.append(")")
            kept.append("(")
        elif not quoted:
            kept.append(char)
        at += 1
    return "".join(kept)


@cache
def defined(path: Path) -> frozenset[str]:
    """The functions of a script."""
    return frozenset(_DEFINITION.findall(path.read_text(encoding="utf-8")))


@cache
def used(path: Path) -> frozenset[str]:
    """The functions of the library and of scripts that a script uses."""
    words = set(_COMMAND.findall(code(path)))
    return frozenset(words & {name for other in (*PARTS.values(), *SCRIPTS) for name in defined(other)})


@cache
def needs(part: str) -> frozenset[str]:
    """The other parts that a part says it needs."""
    (line,) = re.findall(r"^# Needs: (.*)\.$", PARTS[part].read_text(encoding="utf-8"), re.MULTILINE)
    return frozenset() if line == "nothing" else frozenset(line.split(", "))


def loaded(path: Path) -> set[str]:
    """The parts that a script sources or is given by debhelper."""
    text = path.read_text(encoding="utf-8")
    words = " ".join(found for pattern in _LOADED for found in pattern.findall(text)).replace("\\\n", " ")
    return {*words.split(), *(name.replace("_", "-") for name in _INLINED.findall(text))}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_uses_what_it_says_it_needs_and_needs_what_it_says(part: str) -> None:
    foreign = used(PARTS[part]) - defined(PARTS[part])
    assert sorted(foreign - {name for other in needs(part) for name in defined(PARTS[other])}) == []
    assert [other for other in sorted(needs(part)) if not foreign & defined(PARTS[other])] == []


def test_no_part_needs_itself_by_way_of_others() -> None:
    assert list(TopologicalSorter({part: needs(part) for part in PARTS}).static_order())


def test_no_function_is_defined_twice() -> None:
    names = [
        name for part in PARTS.values() for name in _DEFINITION.findall(part.read_text(encoding="utf-8"))
    ]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_loads_what_it_uses_and_what_that_needs(script: Path) -> None:
    parts = loaded(script)
    foreign = used(script) - defined(script)
    there = {name for part in parts for name in defined(PARTS[part])}
    library = {name for part in PARTS.values() for name in defined(part)}
    assert sorted(foreign & library - there) == []
    assert sorted({other for part in parts for other in needs(part)} - parts) == []


@pytest.mark.parametrize("part", sorted(PARTS.keys() - SPEAKERS.keys()))
def test_a_function_of_the_library_never_speaks_to_people_and_never_exits(part: str) -> None:
    spoken = re.findall(r">&2|/dev/stderr", code(PARTS[part]))
    commands = _COMMAND.findall(code(PARTS[part]))
    assert [
        *spoken,
        *sorted(
            word
            for word in commands
            if word in {"exit", *defined(PARTS["message"])} or word.startswith("db_")
        ),
    ] == []
