"""docs/reference/package.md and the preseed example against the questions and files of the package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from debian.deb822 import Deb822

from builder import shipped

TEMPLATE = shipped.DEBIAN_TEMPLATE
REFERENCE = Path(__file__).parents[3] / "docs/reference/package.md"
# Of the package's own scripts.
INTERNAL = {"read-file", "set-backup"}


def questions() -> dict[str, Deb822]:
    """The questions that a fleet may preseed, by name without the package."""
    with (TEMPLATE / "etcd-ha.templates").open(encoding="utf-8") as lines:
        found = {entry["Template"].removeprefix("etcd-ha/"): entry for entry in Deb822.iter_paragraphs(lines)}
    return {name: entry for name, entry in found.items() if entry["Type"] != "error" and name not in INTERNAL}


def rows() -> dict[str, list[str]]:
    """The table of questions: name to type, priority, default, keys."""
    section = REFERENCE.read_text(encoding="utf-8").split("\n## Questions\n")[1].split("\n## ")[0]
    found: dict[str, list[str]] = {}
    for line in re.findall(r"^\| (?!name |---)(.*) \|$", section, re.MULTILINE):
        names, *cells = line.split(" | ")
        found |= dict.fromkeys(names.split(", "), cells)
    return found


def test_the_reference_has_each_question_with_its_type() -> None:
    expected = {}
    for name, entry in questions().items():
        choices = entry.get("__Choices") or entry.get("Choices")
        expected[name] = f"select: {choices}" if choices else entry["Type"]
    assert {name: cells[0] for name, cells in rows().items()} == expected


@pytest.mark.parametrize("name", sorted(questions()))
def test_the_reference_has_the_default_of_the_question(name: str) -> None:
    default = questions()[name].get("Default")
    shown = rows()[name][2]
    if default is None:
        # What the config script finds out on the node.
        assert shown in {"-", "host name", "source address of the default route"}
    else:
        assert shown == default


def test_the_preseed_example_has_each_question_with_its_type_and_default() -> None:
    text = (TEMPLATE / "examples/preseed.example").read_text(encoding="utf-8")
    # debconf-set-selections takes a second blank before the value for a part of it.
    lines = re.findall(r"^(#?)etcd-ha etcd-ha/([a-z-]+) +(\w+) (\S.*)$", text, re.MULTILINE)
    assert {name: kind for _, name, kind, _ in lines} == {
        name: entry["Type"] for name, entry in questions().items()
    }
    for commented, name, _, value in lines:
        default = questions()[name].get("Default")
        if commented and default is not None:
            assert value == default


def test_each_file_that_the_reference_names_is_in_the_template() -> None:
    section = REFERENCE.read_text(encoding="utf-8").split("\n## Files\n")[1].split("\n## ")[0]
    sources = {
        "/usr/sbin/etcd-ha": "sbin/etcd-ha",
        "/usr/lib/systemd/system/etcd.service": "etcd-ha.etcd.service",
        "/usr/lib/systemd/system/etcd.path": "etcd-ha.etcd.path",
        "/usr/lib/systemd/system/etcd-ha-backup.timer": "etcd-ha.etcd-ha-backup.timer",
        "/usr/lib/systemd/system-generators/etcd-ha": "generator/etcd-ha",
        "/usr/lib/sysusers.d/etcd-ha.conf": "etcd-ha.sysusers",
        "/usr/lib/tmpfiles.d/etcd-ha.conf": "etcd-ha.tmpfiles",
        "/usr/share/etcd-ha/config-keys": "config-keys.j2",
        "/usr/share/etcd-ha/known-faults": "known-faults.j2",
        "/etc/apt/apt.conf.d/80etcd-ha": "apt/80etcd-ha",
        "/etc/needrestart/conf.d/etcd-ha.conf": "needrestart/etcd-ha.conf",
    }
    for path, source in sources.items():
        assert path in section
        assert (TEMPLATE / source).is_file()
    directories = re.findall(
        r"^d (\S+) +(\d+) (\w+)", (TEMPLATE / "etcd-ha.tmpfiles").read_text(), re.MULTILINE
    )
    assert directories
    for path, mode, owner in directories:
        assert re.search(rf"^\| {re.escape(path)} \|.*\| {owner} {mode} \|$", section, re.MULTILINE)
