"""A folder with backups: a folder for each, which is there as a whole or not at all."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from etcd_ha.backup.manifest import made_of
from etcd_ha.backup.retention import Keep, kept
from etcd_ha.disk import sync
from etcd_ha.errors import EtcdHaError

SNAPSHOT = "snapshot.db"
CONFIGURATION = "etcd.yaml"
# What a backup is called until it is whole.
UNFINISHED = ".backup.part"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup by its folder. made: in UTC."""

    folder: Path
    made: datetime


def backups_in(store: Path) -> tuple[Backup, ...]:
    """All backups, the oldest first. Raises EtcdHaError where the folder can't be read."""
    try:
        found = [
            Backup(folder, made) for folder in store.iterdir() if (made := made_of(folder.name)) is not None
        ]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise EtcdHaError(
            f"{store} can't be read", details=(f"found     {error.strerror}",), hint="run this as root"
        ) from error
    return tuple(sorted(found, key=lambda one: one.made))


@contextlib.contextmanager
def unfinished(store: Path) -> Iterator[Path]:
    """A folder to fill, gone after the block unless finish() has named it; without what a killed run left."""
    folder = store / UNFINISHED
    store.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def finish(folder: Path, name: str) -> Path:
    """Give a filled folder its name, once all in it is on the disk."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)
    target = folder.with_name(name)
    folder.rename(target)
    sync(target.parent)
    return target


def outdated(store: Path, keep: Keep) -> tuple[Backup, ...]:
    """The backups that keep does not keep, the oldest first. Raises EtcdHaError."""
    found = backups_in(store)
    wanted = kept((one.made for one in found), keep)
    return tuple(one for one in found if one.made not in wanted)


def remove(backup: Backup) -> None:
    """Delete a backup; killed half-way, what is left of it is none."""
    doomed = backup.folder.with_name(f".{backup.folder.name}.removed")
    shutil.rmtree(doomed, ignore_errors=True)
    backup.folder.rename(doomed)
    sync(doomed.parent)
    shutil.rmtree(doomed)
