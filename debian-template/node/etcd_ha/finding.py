"""What is wrong, and what could not be looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias


class Command(NamedTuple):
    """What to type, and on which machine."""

    text: str
    on: str


@dataclass(frozen=True, slots=True)
class Finding:
    """fault: its kind, for programs; kinds stay. command: what mends it, typed on the machine `on`."""

    fault: str
    where: str
    expected: str
    found: str
    command: str
    on: str = "any member"


@dataclass(frozen=True, slots=True)
class Gap:
    """What was not looked at, and why."""

    what: str
    why: str


Judgement: TypeAlias = Finding | Gap


def merged(findings: list[Finding]) -> tuple[Finding, ...]:
    """One for those that differ in where alone."""
    where = dict[Finding, list[str]]()
    for one in findings:
        where.setdefault(replace(one, where=""), []).append(one.where)
    return tuple(replace(one, where=", ".join(dict.fromkeys(places))) for one, places in where.items())
