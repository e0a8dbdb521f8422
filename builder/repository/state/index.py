"""The index of one component and architecture: the text of Packages, stanza by stanza.

Stanzas stay the text they were written as: reading 5,000 of them by python-debian takes half a second, and
adding one package changes none of the others. python-debian makes each stanza, when it is published.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from debian.deb822 import Deb822
from debian.debian_support import Version

from builder.errors import EtcdDebError

# Last in each index; people do not choose it, so it is not a package of a suite.
KEYRING_PACKAGE = "etcd-ha-archive-keyring"
# Our stanzas have each of these once, on a separate line (index_entry writes them).
_FIELD = re.compile(r"^(Package|Version|Architecture|Filename|Size|SHA256): (.*)$", re.MULTILINE)
# What they may say: a name below the pool, a version that dpkg can order (deb-version(7)).
_SOUND = {
    "Version": re.compile(r"(?:[0-9]+:)?[A-Za-z0-9.+~-]+"),
    "Architecture": re.compile(r"[a-z0-9-]+"),
    "Filename": re.compile(r"(?:pool/[A-Za-z0-9][^/]*|keyring)/[^/.][^/]*\.deb"),
    "Size": re.compile(r"[0-9]{1,18}"),
    "SHA256": re.compile(r"[0-9a-f]{64}"),
}
# As apt-ftparchive's default; xz would take ten times as long for a few KiB less.
GZIP_LEVEL = 6


class Damaged(EtcdDebError):
    """A file of a repository is not as we wrote it."""

    def __init__(self, summary: str, *details: str, hint: str | None = None) -> None:
        super().__init__(
            summary,
            details=details,
            hint=hint
            or "list all problems with etcd-deb repo verify DIR, and restore those files from a backup",
        )


@dataclass(frozen=True, slots=True, order=True)
class IndexKey:
    """A component of a suite, for one architecture."""

    component: str
    architecture: str

    @property
    def folder(self) -> str:
        """Relative to dists/SUITE (Debian wiki, RepositoryFormat)."""
        return f"{self.component}/binary-{self.architecture}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A package as an index lists it. filename: below the repository's root; size in bytes."""

    package: str
    version: str
    architecture: str
    filename: str
    size: int
    sha256: str
    text: str

    @property
    def component(self) -> str:
        return self.filename.split("/")[1]

    @property
    def key(self) -> IndexKey:
        return IndexKey(self.component, self.architecture)

    @property
    def identity(self) -> str:
        """What is withheld, where this is taken back."""
        return f"{self.version}_{self.architecture}"

    def order(self) -> Version:
        """What sorts entries as dpkg does (policy 5.6.12)."""
        return Version(self.version)


@dataclass(frozen=True, slots=True)
class IndexFile:
    """A file as Release lists it. name: relative to dists/SUITE."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def index_text(file: Path) -> str:
    """The text of a Packages file, for read_index(). Raises Damaged, OSError."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Damaged(f"{file} is damaged", str(error)) from error


def read_index(text: str) -> Iterator[Entry]:
    """The entries of a Packages file that we wrote. Raises Damaged."""
    return map(read_stanza, stanzas(text))


def stanzas(text: str) -> list[str]:
    """The stanzas of a Packages file, each for read_stanza()."""
    return [stanza for stanza in text.split("\n\n") if stanza.strip()]


def read_stanza(stanza: str) -> Entry:
    """The entry that a stanza describes. Raises Damaged."""
    found = dict(_FIELD.findall(stanza))
    try:
        for name, sound in _SOUND.items():
            if not sound.fullmatch(found[name]):
                raise ValueError(f"{name} has the invalid value {found[name]!r:.80}")
        return Entry(
            package=found["Package"],
            version=found["Version"],
            architecture=found["Architecture"],
            filename=found["Filename"],
            size=int(found["Size"]),
            sha256=found["SHA256"],
            text=stanza.rstrip("\n"),
        )
    except (KeyError, ValueError) as error:
        raise Damaged(f"a stanza of Packages is damaged: {error}", f"found     {stanza[:80]!r}") from error


def index_entry(control: Deb822, filename: str, size: int, sha256: str) -> Entry:
    """The entry of a package: its control file, and where and what the file is. Raises Damaged.

    These fields are added to control itself: copying it takes a third of the time of reading it. The
    entry is read as every reader of the index will read it.
    """
    control["Filename"] = filename
    control["Size"] = str(size)
    control["SHA256"] = sha256
    return read_stanza(str(control))


def keyring_apart(text: str) -> tuple[str, str]:
    """The text of a Packages file before the stanza of the keyring, and that stanza."""
    before, start, after = text.partition(f"Package: {KEYRING_PACKAGE}\n")
    return before, start + after


def index_files(key: IndexKey, entries: Iterable[Entry]) -> tuple[IndexFile, ...]:
    """Packages and Packages.gz: the same entries in the same order give the same bytes."""
    text = "".join(f"{entry.text}\n\n" for entry in entries).encode()
    packed = gzip.compress(text, GZIP_LEVEL, mtime=0)
    return IndexFile(f"{key.folder}/Packages", text), IndexFile(f"{key.folder}/Packages.gz", packed)
