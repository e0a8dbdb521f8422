"""SUITE.sources and SUITE_SERIES.sources: all that a node needs to use the repository, the key included."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from builder.repository.state.generation import Generation
from builder.repository.state.index import Damaged, Entry, IndexKey
from builder.repository.state.layout import Repository
from builder.version import Architecture

_COMPONENTS = re.compile("^Components: (.*)$", re.MULTILINE)


def sources_files(repository: Repository, generation: Generation) -> dict[Path, str]:
    """The text of each .sources file of a suite: of its chosen series, and of each one that it has.

    None of them ever names another series, so that a node that is made again gets that of its cluster.
    Raises Damaged, OSError.
    """
    # A series whose packages were all taken out keeps its file; main is there before any package is.
    filled = [
        name
        for name in sorted(generation.components, key=component_order)
        if name != "main" or any(generation.text(key) for key in generation.keys if key.component == name)
    ]
    key = _key(repository)
    return {
        repository.sources_file(generation.suite): _text(
            repository, generation, generation.chosen or "main", filled, key
        ),
        **{
            repository.sources_file(generation.suite, component): _text(
                repository, generation, component, filled, key
            )
            for component in filled
        },
    }


def choose_component(
    repository: Repository, base: Generation | None, suite: str, changed: Mapping[IndexKey, Sequence[Entry]]
) -> str:
    """The series that SUITE.sources names for good: the newest that has a release when it gets its first

    package; where all are pre-releases, the newest. Empty while there is none.
    """
    versions = {key: [entry.version for entry in entries] for key, entries in changed.items() if entries}
    for key in base.keys if base else ():
        if base and key not in changed and (entries := base.entries(key)):
            versions[key] = [entry.version for entry in entries]
    filled = {key.component for key in versions}
    if (told := _told_before(repository.sources_file(suite))) in filled:
        return told
    released = {key.component for key, found in versions.items() if any("~" not in one for one in found)}
    return max(released or filled, key=component_order, default="")


def _told_before(file: Path) -> str:
    """What an earlier etcd-deb wrote for nodes, since it recorded that nowhere else."""
    found = _COMPONENTS.search(file.read_text(encoding="utf-8", errors="replace")) if file.is_file() else None
    return found[1] if found else ""


def _text(
    repository: Repository, generation: Generation, component: str, filled: Sequence[str], key: str
) -> str:
    """deb822, for /etc/apt/sources.list.d/ (sources.list(5); the key inside since apt 2.3.10)."""
    others = [repository.sources_file(generation.suite, name).name for name in filled if name != component]
    return (
        f"# {repository.settings.origin}: /etc/apt/sources.list.d/etcd-ha.sources\n"
        "# A component holds one series of etcd, so that apt upgrade stays on it.\n"
        + (f"# Other series: {', '.join(others)}\n" if others else "")
        + "Types: deb\n"
        f"URIs: {repository.settings.url}\n"
        f"Suites: {generation.suite}\n"
        f"Components: {component}\n"
        # apt would ask for those of every foreign architecture that the node has as well.
        f"Architectures: {' '.join(Architecture)}\n"
        f"Signed-By:\n{key}\n"
    )


def _key(repository: Repository) -> str:
    file = repository.armoured_key
    try:
        lines = file.read_text(encoding="ascii").splitlines()
    except UnicodeDecodeError as error:
        raise Damaged(f"{file} is damaged", str(error)) from error
    return "\n".join(f" {line or '.'}" for line in lines)


def component_order(component: str) -> tuple[int, ...]:
    """What sorts series by number; other components come before them."""
    parts = component.split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()
