"""Where everything of a repository is, and what was settled when it was made.

etcd-ha-archive-keyring.gpg, .asc   the public key, for Signed-By
index.html                          what there is, for people
SUITE.sources                       what a node needs, key included (deb822, sources.list(5))
SUITE_SERIES.sources                the same for each series
keyring/FILE.deb                    the package of the keys, in each version that there was
pool/COMPONENT/FILE.deb             never changed once it is there
by-hash/SHA256/DIGEST               every index of every kept generation
generations/SUITE/NUMBER/           Release, InRelease, Release.gpg, COMPONENT/binary-ARCH/Packages
dists/SUITE                         a link to the generation that clients see
.etcd-deb/                          settings, lock, GitHub's advisories, and the mark of an unfinished change
"""

from __future__ import annotations

import pwd
import re
from dataclasses import dataclass
from pathlib import Path

from builder.errors import EtcdDebError, UsageError
from builder.repository.state.index import Damaged
from builder.repository.state.settings import RepositorySettings, read_settings

PACKAGE = "etcd-ha"
_SUITE = re.compile(r"[a-z0-9][a-z0-9.+-]*")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_COMPONENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository that exists."""

    root: Path
    settings: RepositorySettings

    @property
    def keyring(self) -> Path:
        """The public key in the form that gpgv reads."""
        return self.root / "etcd-ha-archive-keyring.gpg"

    @property
    def armoured_key(self) -> Path:
        return self.root / "etcd-ha-archive-keyring.asc"

    @property
    def pool(self) -> Path:
        return self.root / "pool"

    @property
    def by_hash(self) -> Path:
        return self.root / "by-hash/SHA256"

    @property
    def dists(self) -> Path:
        return self.root / "dists"

    @property
    def private(self) -> Path:
        return self.root / ".etcd-deb"

    @property
    def unfinished(self) -> Path:
        """Is there while a change is being made, and stays where its publisher was killed."""
        return self.private / "unfinished"

    @property
    def advisories(self) -> Path:
        """What GitHub reports about versions of etcd, as of the last `sync` that could read it."""
        return self.private / "advisories.json"

    @property
    def suites(self) -> tuple[str, ...]:
        """The suites that clients see, sorted."""
        return suites_below(self.root)

    def link(self, suite: str) -> Path:
        """What clients read a suite from."""
        return self.dists / suite

    def seen(self, suite: str) -> Path:
        """The generation that clients see. Raises Damaged where the link leads anywhere else, OSError."""
        link = self.link(suite)
        leads = str(link.readlink())
        expected = f"../generations/{suite}/"
        folder = self.generations(suite) / leads.removeprefix(expected)
        if not leads.startswith(expected) or not _NUMBER.fullmatch(folder.name) or not folder.is_dir():
            raise Damaged(
                f"the suite {suite} is damaged: {link} points to nothing",
                f"expected  a link to {expected}NUMBER",
                f"found     {leads}",
            )
        return folder

    def require_links(self) -> None:
        """Raises Damaged where a suite has generations, and clients see none of them."""
        for folder in sorted((self.root / "generations").glob("[!.]*")):
            numbers = [int(path.name) for path in folder.glob("*") if _NUMBER.fullmatch(path.name)]
            link = self.link(folder.name)
            # The first one is empty; a publisher that is killed while it makes a suite leaves it so.
            if not link.is_symlink() and max(numbers, default=0) > 1:
                raise Damaged(
                    f"the suite {folder.name} is damaged: {link} is missing",
                    f"expected  a link to ../generations/{folder.name}/{max(numbers)}",
                    f"found     {'something else with that name' if link.exists() else 'nothing'}",
                    hint=f"to restore it: ln -s ../generations/{folder.name}/{max(numbers)} {link}",
                )

    def generations(self, suite: str) -> Path:
        return self.root / "generations" / suite

    def sources_file(self, suite: str, component: str = "") -> Path:
        """Of the suite's chosen component, or of one that is named; no suite's name has an underscore."""
        return self.root / (f"{suite}_{component}.sources" if component else f"{suite}.sources")

    def sources_files(self, suite: str) -> list[Path]:
        """All that are there."""
        return [self.sources_file(suite), *sorted(self.root.glob(f"{suite}_*.sources"))]

    def require_suite(self, suite: str) -> None:
        """Raises UsageError for a suite that is not there."""
        if suite not in self.suites:
            raise UsageError(
                f"{self.root} has no suite {suite!r}",
                details=(f"expected  one of {', '.join(self.suites) or 'none yet'}",),
                hint=f"to create it: etcd-deb repo init {self.root} --suite {suite}",
            )


def suites_below(root: Path) -> tuple[str, ...]:
    """The suites of the repository at root that clients see, sorted; none where there is no repository."""
    return tuple(sorted(path.name for path in (root / "dists").glob("[!.]*") if path.is_symlink()))


def settings_file(root: Path) -> Path:
    """Where a repository's settings are."""
    return root / ".etcd-deb/repository.json"


def open_repository(root: Path) -> Repository:
    """The repository at root. Raises EtcdDebError where there is none, or its settings can't be used."""
    file = settings_file(root)
    try:
        return Repository(root, read_settings(file, root))
    except FileNotFoundError as error:
        raise EtcdDebError(
            f"{root} is not a repository",
            details=(f"expected  {file}",),
            hint=f"etcd-deb repo init {root} --suite trixie --new-key",
        ) from error


def user_name(number: int) -> str:
    """A user as commands take it."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def check_suite_name(suite: str) -> str:
    """Raises UsageError for a name that is no directory below dists/."""
    if not _SUITE.fullmatch(suite):
        raise UsageError(
            f"{suite!r} is not a valid name for a suite",
            details=("expected  lower-case letters, digits, and . + -, such as trixie",),
        )
    return suite


def check_component_name(component: str) -> str:
    """Raises UsageError for a name that is no directory below dists/SUITE/."""
    if not _COMPONENT.fullmatch(component):
        raise UsageError(
            f"{component!r} is not a valid name for a component",
            details=("expected  letters, digits, and . + -, such as 3.6 or main",),
        )
    return component
