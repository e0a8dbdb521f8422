"""Another key for a repository that nodes use: both sign for a time, then the old one goes."""

from __future__ import annotations

from dataclasses import dataclass

from builder.errors import UsageError
from builder.repository.change import all_of, changing, switch
from builder.repository.create import PublicForms, public_forms, write_public
from builder.repository.signing import find_key, new_key
from builder.repository.state.generation import current_generation
from builder.repository.state.layout import Repository, settings_file
from builder.repository.state.settings import write_settings
from builder.system.progress import Progress


@dataclass(frozen=True, slots=True)
class Rotated:
    """The fingerprints that sign from now on, and the one that no longer does, empty where both do."""

    keys: tuple[str, ...]
    gone: str


def begin(repository: Repository, wanted: str | None, progress: Progress) -> Rotated:
    """Have another key sign beside the one there is. wanted: None for a new one.

    Run again after a kill it goes on with the key that it had begun with. Raises UsageError where another one
    is under way, SigningFailed, DiskFull, OSError; the settings are as before then.
    """
    settings = repository.settings
    home, owner = settings.gnupg_home, f"{settings.origin} archive signing key"
    if wanted is None:
        found = settings.next_key or new_key(home, owner, progress)
    else:
        found = find_key(home, wanted, progress)
    if settings.next_key not in ("", found) or found == settings.key:
        raise UsageError(
            f"can't change the key of {repository.root} to {found}",
            details=(
                f"expected  {settings.next_key or 'another key than the current one'}",
                f"found     {found}",
            ),
            hint=f"to finish the change in progress: etcd-deb repo rotate-key {repository.root} --finish"
            if settings.next_key
            else None,
        )
    turned = Repository(repository.root, settings.signed_also_by(found))
    public = public_forms(turned, progress)
    with changing(repository, progress):
        # First, so that a change that is broken off goes on with this key.
        write_settings(settings_file(turned.root), turned.settings)
        _sign_all(turned, public, progress)
    return Rotated(turned.settings.keys, "")


def finish(repository: Repository, progress: Progress) -> Rotated:
    """Sign by the new key alone. Nodes that have not learned of it refuse the repository from then on.

    Raises UsageError where none was begun, SigningFailed, DiskFull, OSError; it is run again then.
    """
    settings = repository.settings
    if not settings.next_key:
        raise UsageError(
            f"{repository.root} has no key change to finish",
            details=("expected  a key change that rotate-key began",),
            hint=f"etcd-deb repo rotate-key {repository.root} --new-key",
        )
    turned = Repository(repository.root, settings.signed_by_the_next_key_alone())
    public = public_forms(turned, progress)
    with changing(repository, progress):
        _sign_all(turned, public, progress)
        # Last, so that a change that is broken off is still one to finish.
        write_settings(settings_file(turned.root), turned.settings)
    return Rotated(turned.settings.keys, settings.key)


def _sign_all(repository: Repository, public: PublicForms, progress: Progress) -> None:
    write_public(repository, public)
    for suite in repository.suites:
        switch(repository, suite, all_of(current_generation(repository, suite)), progress)
