"""One command of the keeper's at a time on a node."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from etcd_ha.errors import EtcdHaError, on_one_line
from etcd_ha.keeper.words import Words

FILE = "etcd-ha.keeper.lock"


@contextlib.contextmanager
def only_one(words: Words, folder: Path) -> Iterator[None]:
    """Hold the node's lock, which a killed process gives back. Raises EtcdHaError that names its holder."""
    descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = on_one_line(os.pread(descriptor, 400, 0).decode("utf-8", "replace"))
            raise EtcdHaError(
                f"{holder or 'another command of etcd-ha'} is running on this node",
                hint=f"after it has ended: {words.again()}",
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"etcd-ha {words.command} (process {os.getpid()})".encode(), 0)
        yield
    finally:
        os.close(descriptor)
