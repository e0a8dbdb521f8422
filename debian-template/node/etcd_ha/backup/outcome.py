"""How the last scheduled backups ended, for `etcd-ha status`: a line each, of a word, a time and a text."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from etcd_ha.backup.programs import megabytes
from etcd_ha.backup.slot import Done
from etcd_ha.errors import on_one_line

NAME = "last-backup"


def note_made(state: Path, done: Done) -> None:
    """The cluster has its backup, wherever it was made: a failure before counts no more."""
    text = f"by {done.node}, revision {done.revision}, {megabytes(done.size)}, {done.folder}"
    _write(state, [f"made {done.made} {on_one_line(text)}"])


def note_failed(state: Path, why: str) -> None:
    """Beside the last one that was made."""
    at = datetime.now(UTC).replace(microsecond=0).isoformat()
    _write(state, [f"failed {at} {on_one_line(why)}", *_made_before(state)])


def _made_before(state: Path) -> list[str]:
    try:
        lines = (state / NAME).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [line for line in lines if line.startswith("made ")]


def _write(state: Path, lines: list[str]) -> None:
    """Without fsync: the next backup writes it anew."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = state / f"{NAME}.new"
    new.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    new.rename(state / NAME)
