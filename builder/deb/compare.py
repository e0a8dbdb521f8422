"""Two packages compared, member by member: what is other in one of them, and where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from debian.deb822 import Deb822

from builder.deb.deb_file import PARTS, ArMember, DebFile
from builder.deb.tar_part import CONTROL, Entry, Part

_ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Difference:
    """member: where in the package, such as `data.tar ./etc/cron.d/x` or `control.tar ./control`."""

    member: str
    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.member}: {self.what}: expected {self.expected}, found {self.found}"


def differences(expected: DebFile, found: DebFile) -> tuple[Difference, ...]:
    """All of them, of two packages whose bytes are not the same; at least one."""
    parts = [
        difference
        for name, wanted, is_there in zip(PARTS, expected.parts, found.parts, strict=True)
        for difference in _parts(name, wanted, is_there)
    ]
    return (*_archives(expected, found), *parts) or (
        Difference("the ar archive", "bytes", "as etcd-deb writes them", "others around the same members"),
    )


def _archives(expected: DebFile, found: DebFile) -> Iterator[Difference]:
    wanted, there = ([member.name for member in deb.members] for deb in (expected, found))
    for name in dict.fromkeys((*wanted, *there)):
        if wanted.count(name) != there.count(name):
            yield Difference(
                f"ar {name}", "member", how_often(wanted.count(name)), how_often(there.count(name))
            )
    if sorted(wanted) == sorted(there) and wanted != there:
        yield Difference("the ar archive", "order", " ".join(wanted), " ".join(there))
    by_name = {member.name: member for member in expected.members}
    same = {
        name
        for name, one, other in zip(PARTS, expected.parts, found.parts, strict=True)
        if one.sha256 == other.sha256
    }
    for member in found.members:
        before = by_name.get(member.name, member)
        if before.attributes != member.attributes:
            attributes = [" ".join(text.split()) for text in (before.attributes, member.attributes)]
            yield Difference(f"ar {member.name}", "time, owner, group, mode", *attributes)
        if before.sha256 != member.sha256 and (member.name == "debian-binary" or _part_of(member) in same):
            what = "content" if member.name == "debian-binary" else "compressed bytes of the same archive"
            yield Difference(f"ar {member.name}", what, before.sha256, member.sha256)
    if expected.after != found.after:
        yield Difference(
            "the ar archive", "bytes after its last member", str(expected.after), str(found.after)
        )


def _part_of(member: ArMember) -> str:
    return ".".join(member.name.split(".")[:2])


def how_often(count: int) -> str:
    """A number of members, as a difference shows it."""
    return {0: _ABSENT, 1: "there"}.get(count, f"{count} times")


def _parts(name: str, expected: Part, found: Part) -> Iterator[Difference]:
    if found.fault != expected.fault:
        yield Difference(name, "archive", expected.fault or "whole", found.fault or "whole")
    wanted, there = _by_name(expected.entries), _by_name(found.entries)
    for member in dict.fromkeys((*wanted, *there)):
        here = f"{name} {member}"
        one, other = wanted.get(member, []), there.get(member, [])
        if len(one) != len(other):
            yield Difference(here, "member", how_often(len(one)), how_often(len(other)))
        for before, now in zip(one, other, strict=False):
            yield from _entries(here, before, now)
    yield from _control_fields(expected.content(CONTROL), found.content(CONTROL))
    order = [entry.name for entry in expected.entries], [entry.name for entry in found.entries]
    if sorted(order[0]) == sorted(order[1]) and order[0] != order[1]:
        place = next(i for i, (one, other) in enumerate(zip(*order, strict=True)) if one != other)
        yield Difference(name, "order of members", order[0][place], order[1][place])
    if expected.entries == found.entries and expected.sha256 != found.sha256:
        yield Difference(name, "bytes between its members", expected.sha256, found.sha256)


def _by_name(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    found = defaultdict(list)
    for entry in entries:
        found[entry.name].append(entry)
    return dict(found)


def _entries(where: str, expected: Entry, found: Entry) -> Iterator[Difference]:
    for (what, before), (_, now) in zip(_facts(expected), _facts(found), strict=True):
        if before != now:
            yield Difference(where, what, before, now)


def _facts(entry: Entry) -> tuple[tuple[str, str], ...]:
    return (
        ("kind", entry.kind),
        ("mode", f"{entry.mode:04o}"),
        ("owner", entry.owner),
        ("time", entry.time),
        ("target", entry.link or "none"),
        ("extended header", ", ".join(f"{key}={text}" for key, text in entry.extra) or "none"),
        ("content", f"{entry.size} bytes, sha256 {entry.sha256 or 'none'}"),
    )


def _control_fields(expected: bytes | None, found: bytes | None) -> Iterator[Difference]:
    if expected is None or found is None:
        return
    wanted, there = Deb822(expected), Deb822(found)
    for field in dict.fromkeys((*wanted, *there)):
        before, now = wanted.get(field, _ABSENT), there.get(field, _ABSENT)
        if before != now:
            yield Difference(f"control.tar {CONTROL}", f"field {field}", before, now)
