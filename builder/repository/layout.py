"""Where everything of a repository is, and what was settled when it was made.

etcd-ha-archive-keyring.gpg, .asc   the public key, for Signed-By
index.html                          what there is, for people
SUITE.sources                       what a node needs, key included (deb822, sources.list(5))
pool/COMPONENT/FILE.deb             never changed once it is there
by-hash/SHA256/DIGEST               every index of every kept generation
generations/SUITE/NUMBER/           Release, InRelease, Release.gpg, COMPONENT/binary-ARCH/Packages
dists/SUITE                         a link to the generation that clients see
.etcd-deb/                          settings, lock, and the mark of an unfinished change
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from builder.errors import EtcdDebError, UsageError
from builder.replace import replacing

PACKAGE = "etcd-ha"
_SUITE = re.compile(r"[a-z0-9][a-z0-9.+-]*")
_COMPONENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")


@dataclass(frozen=True, slots=True)
class RepositorySettings:
    """What every suite of a repository shares. valid_days: days until Valid-Until, 0 for none."""

    key: str
    gnupg_home: str
    url: str
    origin: str
    valid_days: int


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
    def suites(self) -> tuple[str, ...]:
        """The suites that clients see, sorted."""
        return tuple(sorted(path.name for path in self.dists.glob("[!.]*") if path.is_symlink()))

    def link(self, suite: str) -> Path:
        """What clients read a suite from."""
        return self.dists / suite

    def generations(self, suite: str) -> Path:
        return self.root / "generations" / suite

    def sources_file(self, suite: str) -> Path:
        return self.root / f"{suite}.sources"

    def require_suite(self, suite: str) -> None:
        """Raises UsageError for a suite that is not there."""
        if suite not in self.suites:
            raise UsageError(
                f"{self.root} has no suite {suite!r}",
                details=(f"expected  one of {', '.join(self.suites) or 'none yet'}",),
                hint=f"etcd-deb repo init {self.root} --suite {suite} makes it",
            )


def open_repository(root: Path) -> Repository:
    """The repository at root. Raises EtcdDebError where there is none, or its settings can't be read."""
    file = root / ".etcd-deb/repository.json"
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        settings = RepositorySettings(
            **{field.name: values[field.name] for field in fields(RepositorySettings)}
        )
    except FileNotFoundError as error:
        raise EtcdDebError(
            f"{root} is no repository",
            details=(f"expected  {file}",),
            hint=f"etcd-deb repo init {root} --suite trixie --new-key",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise EtcdDebError(
            f"the settings of the repository in {file} can't be read",
            details=(str(error),),
            hint="take the file from a backup, or run etcd-deb repo init again",
        ) from error
    return Repository(root, settings)


def write_settings(repository: Repository) -> None:
    """Raises DiskFull and OSError."""
    text = json.dumps(asdict(repository.settings), indent=1) + "\n"
    with replacing(repository.private / "repository.json", "writing the repository's settings") as file:
        file.write(text.encode())


def check_suite_name(suite: str) -> str:
    """Raises UsageError for a name that is no directory below dists/."""
    if not _SUITE.fullmatch(suite):
        raise UsageError(
            f"{suite!r} can't be a suite",
            details=("expected  lower-case letters, digits, and . + -, such as trixie",),
        )
    return suite


def check_component_name(component: str) -> str:
    """Raises UsageError for a name that is no directory below dists/SUITE/."""
    if not _COMPONENT.fullmatch(component):
        raise UsageError(
            f"{component!r} can't be a component",
            details=("expected  letters, digits, and . + -, such as 3.6 or main",),
        )
    return component
