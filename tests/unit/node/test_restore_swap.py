"""New data in the place of the old, broken off at each step."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from etcd_ha.keeper.record import Record
from etcd_ha.restore import swap
from etcd_ha.restore.swap import Places, begin, put_in_place

OWNER = (os.getuid(), os.getgid())


class Killed(Exception):
    """In the place of SIGKILL."""


def made(folder: Path, *, own_log: bool) -> Places:
    """A member with old data."""
    places = Places(folder / "data", folder / "log" if own_log else None)
    old_log = places.log or places.data / "member/wal"
    for path in (places.data / "member/snap/db", old_log / "0-0.wal", old_log / "1-1.wal"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old")
    return places


def restored(places: Places) -> None:
    """What etcdutl leaves."""
    for folder in places.unfinished:
        folder.mkdir()
    new_log = places.new_log or places.new_data / "member/wal"
    for path in (places.new_data / "member/snap/db", new_log / "0-0.wal"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("new")


def state(places: Places) -> dict[str, str]:
    """Each file that etcd would use, with its content."""
    roots = [places.data / "member", *([places.log] if places.log else [])]
    files = [path for root in roots for path in sorted(root.rglob("*")) if path.is_file()]
    used = [path for path in files if not path.parent.name.startswith("before-restore")]
    return {path.name: path.read_text() for path in used}


def run(record: Record, places: Places, stamp: str = "1") -> None:
    begin(record, places)
    restored(places)
    put_in_place(record, places, stamp, OWNER)


@pytest.mark.parametrize("own_log", [False, True])
def test_the_new_data_is_in_place_and_the_old_beside_it(tmp_path: Path, own_log: bool) -> None:
    places, record = made(tmp_path, own_log=own_log), Record(tmp_path / "state/restore.json")
    run(record, places)
    assert state(places) == {"db": "new", "0-0.wal": "new"}
    old = places.log / "before-restore-1" if places.log else places.data / "member.before-restore-1/wal"
    assert sorted(path.name for path in old.iterdir()) == ["0-0.wal", "1-1.wal"]
    assert (places.data / "member.before-restore-1/snap/db").read_text() == "old"
    assert not record.file.exists()
    assert not any(folder.exists() for folder in places.unfinished)


@pytest.mark.parametrize("own_log", [False, True])
@pytest.mark.parametrize("after", range(12))
def test_a_run_that_was_killed_is_undone_by_the_next_which_ends_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_log: bool, after: int
) -> None:
    places, record = made(tmp_path, own_log=own_log), Record(tmp_path / "state/restore.json")
    before = state(places)
    left = after
    rename, write = swap._rename, Record.write

    def dying_rename(source: Path, target: Path) -> None:
        nonlocal left
        if not left:
            raise Killed
        left -= 1
        rename(source, target)

    def dying_write(self: Record, values: dict[str, str]) -> None:
        nonlocal left
        if not left:
            raise Killed
        left -= 1
        write(self, values)

    monkeypatch.setattr(swap, "_rename", dying_rename)
    monkeypatch.setattr(Record, "write", dying_write)
    try:
        run(record, places)
    except Killed:
        pass
    else:
        assert after >= 4, "it was to be killed"
        return
    monkeypatch.undo()
    # While data is not whole, the record keeps etcd from starting.
    assert state(places) == before or record.file.exists()
    begin(record, places)
    assert state(places) == before
    run(record, places, "2")
    assert state(places) == {"db": "new", "0-0.wal": "new"}
    assert not record.file.exists()


def test_a_node_without_data_has_none_again_after_a_run_that_was_killed(tmp_path: Path) -> None:
    places, record = Places(tmp_path, None), Record(tmp_path / "state/restore.json")
    begin(record, places)
    restored(places)
    record.write({"moves": f'[["{places.new_data}/member", "{tmp_path}/member"]]', "unfinished": "[]"})
    (places.new_data / "member").rename(tmp_path / "member")
    begin(record, places)
    assert not (tmp_path / "member").exists()
    assert not any(folder.exists() for folder in places.unfinished)
