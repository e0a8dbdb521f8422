"""index.html: how to use the repository, and what it holds. It works without JavaScript."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from builder.replace import replacing
from builder.repository.generation import Generation, current_generation
from builder.repository.index import Entry
from builder.repository.layout import Repository
from builder.repository.sources_file import component_order, sources_text, write_sources

TEMPLATE = Path(__file__).with_name("index.html.j2")
MEBIBYTE = 1024 * 1024
# Of each series and architecture: what was published last.
SHOWN = 10
# As debian-template/control.j2 names them.
_PROVENANCE = re.compile(r"^Upstream-(Release|Tarball|Sha256|Vouchers): (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ShownProvenance:
    """Whose bytes a package has. release: the URL of upstream's release; sha256: of its tarball."""

    release: str
    tarball: str
    sha256: str
    vouchers: str


@dataclass(frozen=True, slots=True)
class ShownPackage:
    """A row of the table. provenance: None where the package does not tell it."""

    version: str
    day: str
    architecture: str
    size: str
    sha256: str
    filename: str
    provenance: ShownProvenance | None


@dataclass(frozen=True, slots=True)
class ShownComponent:
    """A series, its packages the newest first. more: how many older ones are not shown."""

    name: str
    entries: tuple[ShownPackage, ...]
    more: int


@dataclass(frozen=True, slots=True)
class ShownSuite:
    """A suite, with the text of its .sources file."""

    name: str
    sources: str
    components: tuple[ShownComponent, ...]


def announce(repository: Repository, suite: str) -> None:
    """Tell people what a suite has become: its .sources file and index.html. Raises DiskFull, OSError."""
    write_sources(repository, suite)
    with replacing(repository.root / "index.html", "writing index.html") as file:
        file.write(page(repository).encode())


def page(repository: Repository) -> str:
    """The text of index.html."""
    environment = Environment(
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        origin=repository.settings.origin,
        fingerprint=repository.settings.key,
        keyring=repository.armoured_key.name,
        suites=[_suite(repository, suite) for suite in repository.suites],
    )


def _suite(repository: Repository, suite: str) -> ShownSuite:
    generation = current_generation(repository, suite)
    components = sorted(generation.components, key=component_order, reverse=True)
    return ShownSuite(
        name=suite,
        sources=sources_text(repository, suite, generation),
        components=tuple(
            shown for name in components if (shown := _component(repository, generation, name)).entries
        ),
    )


def _component(repository: Repository, generation: Generation, component: str) -> ShownComponent:
    indices = [generation.entries(key) for key in generation.keys if key.component == component]
    # Sorting all of a large repository would take longer than publishing in it.
    latest = [entry for entries in indices for entry in entries[-SHOWN:]]
    latest.sort(key=Entry.order, reverse=True)
    return ShownComponent(
        name=component,
        entries=tuple(_package(repository, entry) for entry in latest),
        more=sum(map(len, indices)) - len(latest),
    )


def _package(repository: Repository, entry: Entry) -> ShownPackage:
    published = datetime.fromtimestamp((repository.root / entry.filename).stat().st_mtime, UTC)
    return ShownPackage(
        version=entry.version,
        day=f"{published:%Y-%m-%d}",
        architecture=entry.architecture,
        size=f"{entry.size / MEBIBYTE:.1f} MiB",
        sha256=entry.sha256,
        filename=entry.filename,
        provenance=_provenance(entry),
    )


def _provenance(entry: Entry) -> ShownProvenance | None:
    told = dict(_PROVENANCE.findall(entry.text))
    try:
        provenance = ShownProvenance(told["Release"], told["Tarball"], told["Sha256"], told["Vouchers"])
    except KeyError:
        return None
    # A link to a script would run in the page.
    return provenance if provenance.release.startswith("https://") else None
