"""Making a repository, and adding a suite to one."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from builder.errors import EtcdDebError, UsageError
from builder.repository.change import all_of, changing, switch
from builder.repository.keys import find_key_faults
from builder.repository.signing import (
    SigningFailed,
    SigningKeys,
    find_key,
    new_key,
    public_keys,
    try_to_sign,
    without_armour,
)
from builder.repository.state.generation import current_generation
from builder.repository.state.index import IndexKey
from builder.repository.state.layout import Repository, check_suite_name, settings_file
from builder.repository.state.settings import (
    BadSetting,
    RepositorySettings,
    bad_in_file,
    parse_settings,
    read_values,
    write_settings,
)
from builder.system.files import disk_full_named, replacing
from builder.system.progress import Progress
from builder.version import Architecture

EMPTY = IndexKey("main", Architecture.AMD64)
# Stands for a key until it is made, so that all else is judged before.
_NOT_MADE = "0" * 40


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


@dataclass(frozen=True, slots=True)
class PublicForms:
    """Public keys in ASCII armor, and as gpgv reads them."""

    armoured: bytes
    binary: bytes


def create(root: Path, wishes: Wishes, progress: Progress) -> Repository:
    """The repository at root with these suites; one that exists keeps its packages and gets what is new.

    Raises UsageError before anything is written, SigningFailed, DiskFull, OSError.
    """
    root = root.resolve()
    for suite in wishes.suites:
        check_suite_name(suite)
    file = settings_file(root)
    known = read_values(file) if file.exists() else {}
    settings = _settings(root, known, wishes, progress)
    repository = Repository(root, settings)
    public = public_forms(repository, progress)
    if (
        repository.suites
        and repository.keyring.is_file()
        and repository.keyring.read_bytes() != public.binary
    ):
        # Such as a later end of the key, which nodes get by the next version of the package.
        settings = settings.with_a_newer_keyring()
        repository = Repository(root, settings)
    with disk_full_named(root, "making the repository"), changing(repository, progress):
        write_settings(file, settings)
        write_public(repository, public)
        fresh = [suite for suite in wishes.suites if suite not in repository.suites]
        # Another validity is for what is there already as well.
        later: dict[str, object] = {"next_key": "", "keyring_version": 1}
        stale = repository.suites if known and {**later, **known} != settings.as_values() else ()
        for suite in fresh:
            # apt refuses a Release that lists nothing.
            switch(repository, suite, {EMPTY: ()}, progress)
        for suite in stale:
            switch(repository, suite, all_of(current_generation(repository, suite)), progress)
    return repository


def public_forms(repository: Repository, progress: Progress) -> PublicForms:
    """The keys that sign, as clients get them.

    Raises SigningFailed for a new one that clients refuse, and for one that gpg can't sign with.
    """
    keys = SigningKeys(repository.settings.keys, repository.settings.gnupg_home)
    with tempfile.TemporaryDirectory() as folder:
        armoured, binary = Path(folder) / "key.asc", Path(folder) / "key.gpg"
        armoured.write_text(public_keys(keys, progress), encoding="utf-8")
        binary.write_bytes(without_armour(armoured, progress))
        # verify reports the key of an existing suite, which must still sign.
        new = repository.settings.next_key or ("" if repository.suites else repository.settings.key)
        for fault in find_key_faults(binary, keys.fingerprints, progress):
            if fault.refused and new and new in fault.summary:
                raise SigningFailed(fault.summary, hint=fault.remedy)
        try_to_sign(keys, progress)
        return PublicForms(armoured.read_bytes(), binary.read_bytes())


def write_public(repository: Repository, public: PublicForms) -> None:
    """Raises DiskFull, OSError."""
    for path, content in ((repository.armoured_key, public.armoured), (repository.keyring, public.binary)):
        with replacing(path, "writing the public key") as out:
            out.write(content)


def _settings(
    root: Path, known: Mapping[str, object], wishes: Wishes, progress: Progress
) -> RepositorySettings:
    wished: dict[str, object] = {
        name: value
        for name, value in (
            ("gnupg_home", None if wishes.gnupg_home is None else _outside(root, wishes.gnupg_home)),
            ("url", None if wishes.url is None else wishes.url.rstrip("/")),
            ("origin", wishes.origin),
            ("valid_days", wishes.valid_days),
        )
        if value is not None
    }
    before = {"key": _NOT_MADE, "gnupg_home": "", "url": root.as_uri(), "origin": "etcd-ha", "valid_days": 0}
    merged = {**before, **known, **wished}
    try:
        settings = parse_settings(merged)
    except BadSetting as error:
        if error.field in wished:
            raise UsageError(
                f"--{error.field.replace('_', '-')} has an invalid value",
                details=error.details,
            ) from error
        raise bad_in_file(settings_file(root), root, error) from error
    key = "" if settings.key == _NOT_MADE else settings.key
    return parse_settings({**merged, "key": _fingerprint(root, key, settings, wishes, progress)})


def _outside(root: Path, gnupg_home: str) -> str:
    try:
        home = Path(gnupg_home).expanduser().resolve()
    except (RuntimeError, ValueError) as error:
        raise UsageError(
            f"--gnupg-home {gnupg_home!r} is not a folder",
            details=("expected  the path of a folder", f"found     {error}"),
        ) from error
    if home.is_relative_to(root):
        raise UsageError(
            "the secret key would be published with the repository",
            details=(f"found     {home}", f"expected  a folder outside {root}"),
        )
    return str(home)


def _fingerprint(
    root: Path, before: str, settings: RepositorySettings, wishes: Wishes, progress: Progress
) -> str:
    home = settings.gnupg_home
    # Once a suite is there, nodes may trust the key that signs it, and no other.
    living = any((root / "dists").glob("[!.]*"))
    if living and before and wishes.new_key:
        raise _other_key(root, before, "--new-key")
    if living and not before:
        raise EtcdDebError(
            f"{root} has suites, but no settings that name their key",
            details=(f"expected  {settings_file(root)}",),
            hint="restore the file from a backup",
        )
    if wishes.new_key:
        return new_key(home, f"{settings.origin} archive signing key", progress)
    if wanted := wishes.key or before:
        found = find_key(home, wanted, progress)
        if living and found != before:
            raise _other_key(root, before, f"--key {found}")
        return found
    raise UsageError(
        "a repository needs a signing key",
        details=("expected  --key FINGERPRINT, or --new-key",),
        hint=f"etcd-deb repo init {root} --suite trixie --new-key",
    )


def _other_key(root: Path, before: str, wished: str) -> UsageError:
    return UsageError(
        f"{root} already has a signing key, and nodes trust no other",
        details=(f"expected  --key {before}, or neither --key nor --new-key", f"found     {wished}"),
        hint=f"to change the key: etcd-deb repo rotate-key {root} --new-key",
    )
