"""The rooms of builder/ and of etcd_ha: none is crowded, and no import runs upward or in a circle."""

from __future__ import annotations

import ast
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import etcd_ha

import builder

PACKAGE = Path(builder.__file__).parent
# Rooms of one floor know nothing of each other; a module that is not named is in its folder's.
GROUND = ("", "errors", "version", "shipped", "settings", "known_faults")
FLOORS = (
    ("system",),
    ("advisories", "deb"),
    ("release", "repository.state"),
    ("package", "repository.announcement"),
    ("repository",),
    ("repository.remote", "pipeline"),
    ("inspection", "sync", "cluster"),
    ("cli",),
    ("cli.commands",),
    ("cli.main",),
    ("__main__",),
)
ROOMS = {room: number for number, floor in enumerate((GROUND, *FLOORS)) for room in floor}
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip("."): path
    for path in PACKAGE.rglob("*.py")
}


def imports(module: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("builder."):
            room = f"{node.module}".removeprefix("builder").removeprefix(".")
            names = {f"{room}.{alias.name}".removeprefix(".") for alias in node.names}
            found |= {name if name in MODULES else room for name in names}
    return found


def test_no_import_runs_upward_into_a_neighbour_or_in_a_circle() -> None:
    rooms = {m: max((r for r in ROOMS if f"{m}.".startswith(f"{r}.") or not r), key=len) for m in MODULES}
    wrong = [
        f"{module} -> {other}"
        for module, its in rooms.items()
        for other in imports(module)
        if its != rooms[other] and ROOMS[rooms[other]] >= max(ROOMS[its], 1)
    ]
    assert sorted(wrong) == []
    assert list(TopologicalSorter({module: imports(module) for module in MODULES}).static_order())


def test_no_room_is_crowded() -> None:
    on_nodes = Path(etcd_ha.__file__).parent.rglob("*.py")
    counts = Counter(path.parent for path in [*MODULES.values(), *on_nodes])
    assert [room for room, count in counts.items() if count > 14] == []
