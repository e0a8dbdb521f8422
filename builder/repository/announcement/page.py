"""What people read about a repository: index.html, which works without JavaScript, and SUITE.sources."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from builder.advisories import kept_faults
from builder.errors import EtcdDebError, UsageError
from builder.known_faults import Faults, KnownFault, ended_on, shipped_faults
from builder.repository.announcement.sources_file import component_order, sources_files
from builder.repository.state.generation import Generation, current_generation, parse_date
from builder.repository.state.index import Entry, read_stanza, stanzas
from builder.repository.state.layout import Repository
from builder.system.files import replacing
from builder.version import Series, parse_version

TEMPLATE = Path(__file__).with_name("index.html.j2")
MEBIBYTE = 1024 * 1024
# Of each series and architecture: what was published last.
SHOWN = 10
# What curl can fetch; apt knows more kinds of URLs.
_FETCHED = ("http://", "https://", "file:///")
_VALID_UNTIL = re.compile(r"^Valid-Until: (.*)$", re.MULTILINE)
# As debian-template/control.j2 names them.
_PROVENANCE = re.compile(r"^Upstream-(Release|Tarball|Sha256|Vouchers): (.*)$", re.MULTILINE)


# Who vouched for a digest, as builder/release/verify.py and builder/release/fetch.py name them, for people
# who know neither.
_VOUCHERS = (
    (re.compile(r"pin in (\S+)"), r"one that was recorded beforehand in \1"),
    (re.compile(r"SHA256SUMS of (\S+)"), r"the list of digests at \1"),
    (re.compile(r"asset digests of (\S+)"), r"the digest that \1 computed when the file was uploaded"),
    (re.compile(r"(\S+) in the folder"), r"the list of digests \1, stored next to the file"),
)


@dataclass(frozen=True, slots=True)
class ShownProvenance:
    """Whose bytes a package has. release: the URL of upstream's release; sha256: of its tarball."""

    release: str
    tarball: str
    sha256: str
    vouchers: str


@dataclass(frozen=True, slots=True)
class ShownPackage:
    """A row of the table. provenance: None if the package does not record it."""

    version: str
    day: str
    architecture: str
    size: str
    sha256: str
    filename: str
    provenance: ShownProvenance | None
    faulty: bool


@dataclass(frozen=True, slots=True)
class ShownFault:
    """A known fault of some of the packages shown. versions: which ones, and what fixes it there."""

    what: str
    source: str
    versions: str


@dataclass(frozen=True, slots=True)
class ShownComponent:
    """A series, its packages the newest first. more: how many older ones are not shown.

    ended: when upstream ended it, empty where it has not. fetch: the command that gets its .sources file.
    """

    name: str
    ended: str
    sources: str
    fetch: str
    entries: tuple[ShownPackage, ...]
    more: int
    faults: tuple[ShownFault, ...]


@dataclass(frozen=True, slots=True)
class ShownSuite:
    """A suite, with the name and the text of its .sources file, and the series that file names."""

    name: str
    chosen: str
    sources: str
    text: str
    fetch: str
    signed: str
    valid_until: str
    components: tuple[ShownComponent, ...]


@dataclass(frozen=True, slots=True)
class Announcement:
    """What people will read once a suite is switched. sources: the text of each of its .sources files."""

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
    faults = page_faults(repository)
    shown = {generation.suite: _suite(repository, generation, faults) for generation in (fresh, *others)}
    page = _page(repository, sorted(shown.values(), key=lambda suite: (not suite.components, suite.name)))
    return Announcement(fresh.suite, sources_files(repository, fresh), page)


def page_faults(repository: Repository) -> Faults:
    """Those that the page marks: the same whoever makes it, so that repo verify can tell another page."""
    try:
        return kept_faults(repository.advisories)
    except EtcdDebError:
        # Told by repo verify; a page with the others is better than none.
        return shipped_faults()


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
        fingerprints=[" ".join(re.findall(".{4}", key)) for key in repository.settings.keys],
        keyring=repository.armoured_key.name,
        suites=suites,
    )


def _suite(repository: Repository, generation: Generation, known: Faults) -> ShownSuite:
    components = sorted(generation.components, key=component_order, reverse=True)
    file = repository.sources_file(generation.suite)
    valid_until = _VALID_UNTIL.search((generation.folder / "Release").read_text(encoding="utf-8"))
    return ShownSuite(
        name=generation.suite,
        chosen=generation.chosen,
        sources=file.name,
        text=sources_files(repository, generation)[file],
        fetch=_fetch(repository, file),
        signed=_in_words(generation.date),
        valid_until=_in_words(parse_date(valid_until[1])) if valid_until else "",
        components=tuple(
            shown for name in components if (shown := _component(repository, generation, name, known)).entries
        ),
    )


def _in_words(date: datetime) -> str:
    return f"{date:%Y-%m-%d %H:%M} UTC"


def _fetch(repository: Repository, file: Path) -> str:
    """The command by which a node gets the file; empty where curl can't."""
    url = f"{repository.settings.url}/{file.name}"
    if not url.startswith(_FETCHED):
        return ""
    return f"curl -fLo /etc/apt/sources.list.d/etcd-ha.sources {shlex.quote(url)}"


def _component(
    repository: Repository, generation: Generation, component: str, known: Faults
) -> ShownComponent:
    indices = [stanzas(generation.text(key)) for key in generation.keys if key.component == component]
    # Reading and sorting all of a large repository would take longer than publishing in it.
    latest = [read_stanza(stanza) for index in indices for stanza in index[-SHOWN:]]
    latest.sort(key=Entry.order, reverse=True)
    file = repository.sources_file(generation.suite, component)
    faults = {entry.version: known.of_package(entry.version) for entry in latest}
    return ShownComponent(
        name=component,
        ended=_ended(component),
        sources=file.name,
        fetch=_fetch(repository, file),
        entries=tuple(_package(repository, entry, faulty=bool(faults[entry.version])) for entry in latest),
        more=sum(map(len, indices)) - len(latest),
        faults=tuple(_faults(faults)),
    )


def _ended(component: str) -> str:
    try:
        series = parse_version(component)
    except UsageError:
        return ""
    return ended_on(series) if isinstance(series, Series) else ""


def _faults(of_versions: Mapping[str, Sequence[KnownFault]]) -> Iterator[ShownFault]:
    for fault in dict.fromkeys(fault for faults in of_versions.values() for fault in faults):
        versions = ", ".join(version for version, faults in of_versions.items() if fault in faults)
        fixed = f"fixed in {fault.fixed}" if fault.fixed else "not fixed in any version"
        yield ShownFault(fault.what, fault.source, f"in {versions}; {fixed}")


def _package(repository: Repository, entry: Entry, *, faulty: bool) -> ShownPackage:
    published = datetime.fromtimestamp((repository.root / entry.filename).stat().st_mtime, UTC)
    return ShownPackage(
        version=entry.version,
        day=f"{published:%Y-%m-%d}",
        architecture=entry.architecture,
        size=f"{entry.size / MEBIBYTE:.1f} MiB",
        sha256=entry.sha256,
        filename=entry.filename,
        provenance=_provenance(entry),
        faulty=faulty,
    )


def _provenance(entry: Entry) -> ShownProvenance | None:
    told = dict(_PROVENANCE.findall(entry.text))
    try:
        provenance = ShownProvenance(
            told["Release"],
            told["Tarball"],
            told["Sha256"],
            " and ".join(map(_voucher, told["Vouchers"].split(", "))),
        )
    except KeyError:
        return None
    # A link to a script would run in the page.
    return provenance if provenance.release.startswith("https://") else None


def _voucher(named: str) -> str:
    for known, words in _VOUCHERS:
        if match := known.fullmatch(named):
            return match.expand(words)
    return named
