"""What is wrong, and what could not be checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias


class Command(NamedTuple):
    """What to type, and on which machine."""

    text: str
    on: str


@dataclass(frozen=True, slots=True)
class Finding:
    """fault: its kind, for programs; kinds never change. command: the fix, to type on the machine `on`."""

    fault: str
    where: str
    expected: str
    found: str
    command: str
    on: str = "any member"


@dataclass(frozen=True, slots=True)
class Gap:
    """What was not checked, and why."""

    what: str
    why: str


Judgement: TypeAlias = Finding | Gap


def merged(findings: list[Finding]) -> tuple[Finding, ...]:
    """Join findings that differ only in where."""
    where = dict[Finding, list[str]]()
    for one in findings:
        where.setdefault(replace(one, where=""), []).append(one.where)
    return tuple(replace(one, where=", ".join(dict.fromkeys(places))) for one, places in where.items())
