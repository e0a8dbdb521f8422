"""SUITE.sources: all that a node needs to use the repository, the key included."""

from __future__ import annotations

import re

from builder.repository.generation import Generation
from builder.repository.layout import Repository

_RELEASED = re.compile("^Version: [^~\n]*$", re.MULTILINE)


def sources_text(repository: Repository, generation: Generation) -> str:
    """deb822, for /etc/apt/sources.list.d/ (sources.list(5); the key inside since apt 2.3.10)."""
    chosen = default_component(generation)
    filled = {key.component for key in generation.keys if generation.text(key)}
    others = sorted(filled - {chosen}, key=component_order)
    key = "\n".join(
        f" {line or '.'}" for line in repository.armoured_key.read_text(encoding="utf-8").splitlines()
    )
    return (
        f"# {repository.settings.origin}: /etc/apt/sources.list.d/etcd-ha.sources\n"
        "# A component holds one series of etcd, so that apt upgrade stays on it.\n"
        + (f"# Others here: {' '.join(others)}\n" if others else "")
        + "Types: deb\n"
        f"URIs: {repository.settings.url}\n"
        f"Suites: {generation.suite}\n"
        f"Components: {chosen}\n"
        f"Signed-By:\n{key}\n"
    )


def default_component(generation: Generation) -> str:
    """The newest series that has a release; where all are pre-releases or there is none, the newest."""
    released = {key.component for key in generation.keys if _RELEASED.search(generation.text(key))}
    candidates = sorted(released or generation.components, key=component_order)
    return candidates[-1] if candidates else "main"


def component_order(component: str) -> tuple[int, ...]:
    """What sorts series by number; other components come before them."""
    parts = component.split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()
