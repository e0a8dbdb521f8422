"""Making a repository, and adding a suite to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from builder.errors import UsageError
from builder.progress import Progress
from builder.replace import disk_full_named, replacing
from builder.repository.change import changing, switch
from builder.repository.index import IndexKey
from builder.repository.layout import (
    Repository,
    RepositorySettings,
    check_suite_name,
    open_repository,
    write_settings,
)
from builder.repository.signing import find_key, new_key, public_key, without_armour
from builder.version import Architecture

EMPTY = IndexKey("main", Architecture.AMD64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What `repo init` was asked for; None leaves what an existing repository has.

    key: a fingerprint, key id or user id. gnupg_home: where gpg finds the secret key. url: where clients will
    find the repository. valid_days: 0 for no Valid-Until.
    """

    suites: Sequence[str]
    key: str | None
    new_key: bool
    gnupg_home: str | None
    url: str | None
    origin: str | None
    valid_days: int | None


def create(root: Path, wishes: Wishes, progress: Progress) -> Repository:
    """The repository at root with these suites; one that exists keeps its packages and gets what is new.

    Raises UsageError, SigningFailed, DiskFull, OSError.
    """
    root = root.resolve()
    known = open_repository(root).settings if (root / ".etcd-deb/repository.json").exists() else None
    for suite in wishes.suites:
        check_suite_name(suite)
    repository = Repository(root, _settings(root, known, wishes, progress))
    with disk_full_named(root, "making the repository"), changing(repository, progress):
        write_settings(repository)
        key = find_key(repository.settings.gnupg_home, repository.settings.key, progress)
        with replacing(repository.armoured_key, "writing the public key") as file:
            file.write(public_key(key, progress).encode())
        with replacing(repository.keyring, "writing the public key") as file:
            file.write(without_armour(repository.armoured_key, progress))
        fresh = [suite for suite in wishes.suites if suite not in repository.suites]
        # A new key or another validity is for what is there already as well.
        stale = repository.suites if known not in (None, repository.settings) else ()
        for suite in (*fresh, *stale):
            # apt refuses a Release that lists nothing.
            switch(repository, suite, {} if suite in stale else {EMPTY: ()}, progress)
    return repository


def _settings(
    root: Path, known: RepositorySettings | None, wishes: Wishes, progress: Progress
) -> RepositorySettings:
    before = known or RepositorySettings(
        key="", gnupg_home="", url=root.as_uri(), origin="etcd-ha", valid_days=0
    )
    origin = before.origin if wishes.origin is None else wishes.origin
    home = before.gnupg_home if wishes.gnupg_home is None else _outside(root, wishes.gnupg_home)
    return RepositorySettings(
        key=_fingerprint(root, before.key, home, f"{origin} archive signing key", wishes, progress),
        gnupg_home=home,
        url=before.url if wishes.url is None else wishes.url.rstrip("/"),
        origin=origin,
        valid_days=before.valid_days if wishes.valid_days is None else wishes.valid_days,
    )


def _outside(root: Path, gnupg_home: str) -> str:
    home = Path(gnupg_home).expanduser().resolve()
    if home.is_relative_to(root):
        raise UsageError(
            "the secret key would be published with the repository",
            details=(f"got       {home}", f"expected  a folder outside {root}"),
        )
    return str(home)


def _fingerprint(root: Path, before: str, home: str, owner: str, wishes: Wishes, progress: Progress) -> str:
    if wishes.new_key:
        return new_key(home, owner, progress).fingerprint
    if wanted := wishes.key or before:
        return find_key(home, wanted, progress).fingerprint
    raise UsageError(
        "a repository needs a key that signs it",
        details=("expected  --key FINGERPRINT, or --new-key",),
        hint=f"etcd-deb repo init {root} --suite trixie --new-key",
    )
