"""Who may change a repository: its owner alone, one publisher at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from builder.errors import EtcdDebError
from builder.repository.state.layout import Repository, user_name
from builder.system import lock
from builder.system.progress import Progress


class WrongUser(EtcdDebError):
    """The repository is another user's."""


@contextmanager
def locked(repository: Repository, progress: Progress) -> Iterator[int]:
    """The one publisher at a time; others wait. Yields the lock, which a child may hold on to.

    Raises WrongUser, and StillLocked where another one holds it too long.
    """
    repository.private.mkdir(parents=True, exist_ok=True)
    _require_owner(repository)
    with lock.locked(
        repository.private / "lock", f"another publisher of {repository.root}", progress
    ) as held:
        yield held


def _require_owner(repository: Repository) -> None:
    # Files of another user would be in the owner's way at every later change.
    owner, user = repository.private.stat().st_uid, os.geteuid()
    if owner != user:
        name = user_name(owner)
        raise WrongUser(
            f"{repository.root} belongs to {name}, and files of another user would block its next change",
            details=(f"expected  the user {name}", f"found     {user_name(user)}"),
            hint=f"run the same command as that user, with sudo -u {name}; to take the repository over"
            f" permanently: chown -R {user_name(user)} {repository.root}",
        )
