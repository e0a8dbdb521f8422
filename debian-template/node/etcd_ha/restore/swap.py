"""New data in the place of the old, by renames that are recorded before: a broken run can be undone."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from etcd_ha.disk import sync
from etcd_ha.errors import EtcdHaError
from etcd_ha.keeper.record import Record

# In the data directory and in that of the log: both may be mount points.
UNFINISHED = ".etcd-ha-restore.part"


@dataclass(frozen=True, slots=True)
class Places:
    """Where a member's data is. log: its own directory, where etcd.yaml has a wal-dir."""

    data: Path
    log: Path | None

    @property
    def unfinished(self) -> tuple[Path, ...]:
        """Where the new data is made."""
        return tuple(one / UNFINISHED for one in (self.data, self.log) if one)

    @property
    def new_data(self) -> Path:
        return self.data / UNFINISHED / "data"

    @property
    def new_log(self) -> Path | None:
        return self.log / UNFINISHED / "log" if self.log else None

    def moves_away(self, stamp: str) -> list[tuple[Path, Path]]:
        """The log first: without it etcd takes a member for a new one."""
        moves = []
        if self.log:
            aside = self.log / f"before-restore-{stamp}"
            moves += [(one, aside / one.name) for one in sorted(self.log.glob("*.wal"))]
        member = self.data / "member"
        if member.exists():
            moves.append((member, self.data / f"member.before-restore-{stamp}"))
        return moves

    def moves_in(self) -> list[tuple[Path, Path]]:
        """The log last."""
        moves = [(self.new_data / "member", self.data / "member")]
        if self.log and self.new_log:
            moves += [(one, self.log / one.name) for one in sorted(self.new_log.glob("*.wal"))]
        return moves


def begin(record: Record, places: Places) -> None:
    """Undo what a run before has left, and note that the data is not whole from now on; EtcdHaError."""
    noted = record.read()
    for source, target in reversed(_moves(noted.get("moves", "[]"))):
        if target.exists() and not source.exists():
            source.parent.mkdir(parents=True, exist_ok=True)
            _rename(target, source)
    for folder in (*map(Path, json.loads(noted.get("unfinished", "[]"))), *places.unfinished):
        shutil.rmtree(folder, ignore_errors=True)
    record.write({"unfinished": json.dumps([str(one) for one in places.unfinished])})


def put_in_place(record: Record, places: Places, stamp: str, owner: tuple[int, int]) -> None:
    """The new data, which is on the disk after this, and the old one beside it. Raises EtcdHaError."""
    for folder in places.unfinished:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, *owner)
            sync(path)
    moves = [*places.moves_away(stamp), *places.moves_in()]
    record.write(
        {
            "unfinished": json.dumps([str(one) for one in places.unfinished]),
            "moves": json.dumps([(str(source), str(target)) for source, target in moves]),
        }
    )
    for source, target in moves:
        if not target.parent.exists():
            target.parent.mkdir(mode=0o700)
            os.chown(target.parent, *owner)
        _rename(source, target)
    for folder in places.unfinished:
        shutil.rmtree(folder)
    record.clear()


def _moves(text: str) -> Sequence[tuple[Path, Path]]:
    return [(Path(source), Path(target)) for source, target in json.loads(text)]


def _rename(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError as error:
        raise EtcdHaError(
            f"{source} could not be renamed to {target}", details=(f"found     {error.strerror}",)
        ) from error
    sync(source.parent)
    sync(target.parent)
