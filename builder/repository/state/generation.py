"""One state of a suite: the indices that its Release lists, and the packages in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from debian.deb822 import Deb822, Release

from builder.errors import UsageError
from builder.repository.state.index import Damaged, Entry, IndexKey, index_text, keyring_apart, read_index
from builder.repository.state.layout import Repository, check_component_name
from builder.version import Architecture

# As the Date of Debian's own Release files; apt reads UTC and GMT alone.
_DATE = "%a, %d %b %Y %H:%M:%S UTC"
# Fields of our own; apt reads past them.
CHOSEN, WITHHELD = "Etcd-Deb-Component", "Etcd-Deb-Withheld"
# Python's dates end soon after that year, and Valid-Until is later than Date.
LAST_YEAR = 9900
_INDEX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*/binary-[a-z0-9]+/Packages(?:\.gz)?")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as Release lists it; size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation that was written whole. files: by their names relative to dists/SUITE.

    chosen: the component of SUITE.sources, empty until there is a package. withheld: what was taken back, as
    VERSION_ARCHITECTURE. Both are in its Release, so that the one rename switches them too.
    """

    suite: str
    number: int
    folder: Path
    date: datetime
    files: Mapping[str, Listed]
    chosen: str = ""
    withheld: frozenset[str] = frozenset()

    @property
    def keys(self) -> tuple[IndexKey, ...]:
        """Its indices, sorted."""
        names = {name.removesuffix("/Packages") for name in self.files if name.endswith("/Packages")}
        return tuple(sorted(IndexKey(*name.split("/binary-")) for name in names))

    @property
    def components(self) -> tuple[str, ...]:
        return tuple(sorted({key.component for key in self.keys}))

    def text(self, key: IndexKey) -> str:
        """The text of one index without the keyring, empty where it has no such index.

        Raises Damaged, OSError.
        """
        if f"{key.folder}/Packages" not in self.files:
            return ""
        return keyring_apart(index_text(self.folder / key.folder / "Packages"))[0]

    def keyrings(self) -> tuple[Entry, ...]:
        """The packages of keys that it lists: one, but where an etcd-deb of before has made an index."""
        texts = (index_text(self.folder / key.folder / "Packages") for key in self.keys)
        found = (entry for text in texts for entry in read_index(keyring_apart(text)[1]))
        return tuple({entry.filename: entry for entry in found}.values())

    def entries(self, key: IndexKey) -> tuple[Entry, ...]:
        """The packages of one index, in the order of publication. Raises Damaged, OSError."""
        return tuple(read_index(self.text(key)))

    def all_entries(self) -> tuple[Entry, ...]:
        """Every package of the suite: by index, in the order of publication."""
        return tuple(entry for key in self.keys for entry in self.entries(key))


def current_generation(repository: Repository, suite: str) -> Generation:
    """What clients see. Raises UsageError for a suite that is not there."""
    repository.require_suite(suite)
    return read_generation(suite, repository.seen(suite))


def kept_generations(repository: Repository, suite: str) -> tuple[Generation, ...]:
    """The generations that are still there, oldest first; the last one is what clients see."""
    current = repository.seen(suite)
    return tuple(
        read_generation(suite, folder)
        for folder in numbered(repository.generations(suite))
        if int(folder.name) <= int(current.name)
    )


def numbered(folder: Path) -> list[Path]:
    """The folders of generations, oldest first."""
    found = [path for path in folder.glob("[1-9]*") if path.name.isascii() and path.name.isdecimal()]
    return sorted(found, key=lambda path: int(path.name))


def read_generation(suite: str, folder: Path) -> Generation:
    """Raises Damaged, OSError."""
    try:
        with (folder / "Release").open(encoding="utf-8") as file:
            release = Release(file)
        date, files = parse_date(release["Date"]), listed_files(release)
        chosen = release.get(CHOSEN, "")
        if chosen:
            check_component_name(chosen)
        withheld = frozenset(release.get(WITHHELD, "").split())
    except (KeyError, ValueError, UsageError) as error:
        raise Damaged(f"{folder / 'Release'} is damaged: {error}") from error
    return Generation(suite, int(folder.name), folder, date, files, chosen, withheld)


def listed_files(release: Release) -> dict[str, Listed]:
    """The files that our Release lists, by name. Raises KeyError, ValueError for a damaged row."""
    files = {
        str(row["name"]): Listed(str(row["sha256"]), int(row["size"])) for row in release.get("SHA256", [])
    }
    for name, listed in files.items():
        if not (_INDEX.fullmatch(name) and _SHA256.fullmatch(listed.sha256)):
            raise ValueError(f"{listed.sha256} {name} is not an index that etcd-deb writes")
    return files


def signed_text(inrelease: str) -> str:
    """The Release that an InRelease holds, without its signature (RFC 9580 section 7)."""
    # A header up to an empty line, the text, the signature.
    text = inrelease.partition("\n\n")[2]
    return text.partition("\n-----BEGIN PGP SIGNATURE-----")[0]


def release_text(generation: Generation, *, origin: str, valid_days: int) -> str:
    """Its Release file (Debian wiki, RepositoryFormat). valid_days: 0 for no Valid-Until."""
    release = Deb822()
    release["Origin"] = origin
    release["Label"] = origin
    release["Suite"] = generation.suite
    release["Codename"] = generation.suite
    release["Date"] = generation.date.strftime(_DATE)
    if valid_days:
        release["Valid-Until"] = (generation.date + timedelta(days=valid_days)).strftime(_DATE)
    release["Acquire-By-Hash"] = "yes"
    release["Architectures"] = " ".join(Architecture)
    release["Components"] = " ".join(generation.components)
    release["Description"] = f"etcd-ha for {generation.suite}"
    if generation.chosen:
        release[CHOSEN] = generation.chosen
    if generation.withheld:
        release[WITHHELD] = " ".join(sorted(generation.withheld))
    rows = "".join(
        f"\n {listed.sha256} {listed.size:>8} {name}" for name, listed in sorted(generation.files.items())
    )
    return f"{release}SHA256:{rows}\n"


def parse_date(text: str) -> datetime:
    """A Date or Valid-Until of a Release, as we write them. Raises ValueError."""
    date = datetime.strptime(text, _DATE).replace(tzinfo=UTC)
    if date.year > LAST_YEAR:
        raise ValueError(f"{text} is too far ahead")
    return date


def next_date(previous: Generation | None) -> datetime:
    """Now, in whole seconds, or the previous date where that is later.

    apt keeps the Release that it has where another one is older, so a date must never go back; and it
    refuses one that is more than ten seconds ahead (Acquire::Max-FutureTime), so it must not run away
    either. Equal dates are taken.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    return max(now, previous.date) if previous else now
