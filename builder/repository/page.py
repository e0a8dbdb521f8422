"""What people are told of a repository: index.html, which works without JavaScript, and SUITE.sources."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from builder.replace import replacing
from builder.repository.generation import Generation, current_generation
from builder.repository.index import Entry, read_stanza, stanzas
from builder.repository.layout import Repository
from builder.repository.sources_file import component_order, sources_files

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
    sources: str
    entries: tuple[ShownPackage, ...]
    more: int


@dataclass(frozen=True, slots=True)
class ShownSuite:
    """A suite, with the text of its .sources file."""

    name: str
    sources: str
    components: tuple[ShownComponent, ...]


@dataclass(frozen=True, slots=True)
class Announcement:
    """What people will be told once a suite is switched. sources: the text of each of its .sources files."""

    suite: str
    sources: Mapping[Path, str]
    page: str


def expected_pages(repository: Repository) -> dict[Path, str]:
    """The text of each file for people, as it is where all is well. Raises Damaged, OSError."""
    told = [announcement(repository, current_generation(repository, name)) for name in repository.suites]
    pages = {file: text for one in told for file, text in one.sources.items()}
    # Each tells of all suites, whichever changed last.
    return pages | ({repository.root / "index.html": told[-1].page} if told else {})


def announce_all(repository: Repository) -> None:
    """Tell all of it again, where something else is told. Raises Damaged, DiskFull, OSError."""
    for file, text in expected_pages(repository).items():
        if not (file.is_file() and file.read_bytes() == text.encode()):
            _write(file, text)


def announcement(repository: Repository, fresh: Generation) -> Announcement:
    """What there is to tell when clients see this generation. Raises Damaged, OSError."""
    others = (current_generation(repository, name) for name in repository.suites if name != fresh.suite)
    shown = {generation.suite: _suite(repository, generation) for generation in (fresh, *others)}
    page = _page(repository, [shown[name] for name in sorted(shown)])
    return Announcement(fresh.suite, sources_files(repository, fresh), page)


def announce(repository: Repository, told: Announcement) -> None:
    """Tell it. Raises DiskFull, OSError."""
    for file, text in told.sources.items():
        if not (file.is_file() and file.read_bytes() == text.encode()):
            _write(file, text)
    # Of a series that a rollback has taken back whole.
    for file in set(repository.sources_files(told.suite)) - set(told.sources):
        file.unlink(missing_ok=True)
    _write(repository.root / "index.html", told.page)


def _write(file: Path, text: str) -> None:
    with replacing(file, f"writing {file.name}") as out:
        out.write(text.encode())


def _page(repository: Repository, suites: Sequence[ShownSuite]) -> str:
    environment = Environment(
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # That is for templates that are rendered again and again; it takes longer than rendering this one.
        optimized=False,
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        origin=repository.settings.origin,
        fingerprints=repository.settings.keys,
        keyring=repository.armoured_key.name,
        suites=suites,
    )


def _suite(repository: Repository, generation: Generation) -> ShownSuite:
    components = sorted(generation.components, key=component_order, reverse=True)
    return ShownSuite(
        name=generation.suite,
        sources=sources_files(repository, generation)[repository.sources_file(generation.suite)],
        components=tuple(
            shown for name in components if (shown := _component(repository, generation, name)).entries
        ),
    )


def _component(repository: Repository, generation: Generation, component: str) -> ShownComponent:
    indices = [stanzas(generation.text(key)) for key in generation.keys if key.component == component]
    # Reading and sorting all of a large repository would take longer than publishing in it.
    latest = [read_stanza(stanza) for index in indices for stanza in index[-SHOWN:]]
    latest.sort(key=Entry.order, reverse=True)
    return ShownComponent(
        name=component,
        sources=repository.sources_file(generation.suite, component).name,
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
