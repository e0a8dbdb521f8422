"""Who may change a repository: its owner alone, one publisher at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from builder.errors import EtcdDebError
from builder.progress import Progress
from builder.repository.layout import Repository, user_name

# Seconds. A push that waits longer than a minute for its next byte has ended by then (rsync.TIMEOUT).
WAIT_FOR_OTHER = 1800
POLL = 0.1


class WrongUser(EtcdDebError):
    """The repository is another user's."""


@contextmanager
def locked(repository: Repository, progress: Progress) -> Iterator[int]:
    """The one publisher at a time; others wait. Yields the lock, which a child may hold on to.

    Raises WrongUser, and EtcdDebError where another one holds it for longer than WAIT_FOR_OTHER.
    """
    repository.private.mkdir(parents=True, exist_ok=True)
    _require_owner(repository)
    path = repository.private / "lock"
    with path.open("a") as lock:
        waited = 0.0
        while not _try_lock(lock.fileno()):
            if not waited:
                progress.step("waiting for another publisher")
            if waited > WAIT_FOR_OTHER:
                raise EtcdDebError(
                    f"another publisher has held {repository.root} for {WAIT_FOR_OTHER} s",
                    details=(f"lock      {path}",),
                    hint=f"fuser -v {path} names it; end it and run the command again",
                )
            progress.pause(POLL)
            waited += POLL
        yield lock.fileno()


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _require_owner(repository: Repository) -> None:
    # Files of another user would be in the owner's way at every later change.
    owner, user = repository.private.stat().st_uid, os.geteuid()
    if owner != user:
        name = user_name(owner)
        raise WrongUser(
            f"{repository.root} is kept by {name}, and files of another user would stop its next change",
            details=(f"expected  to be run by {name}", f"got       {user_name(user)}"),
            hint=f"run the same command as that user, by sudo -u {name}; to take the repository over"
            f" for good: chown -R {user_name(user)} {repository.root}",
        )
