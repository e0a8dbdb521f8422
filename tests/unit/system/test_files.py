"""Files are whole or absent."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from builder.errors import DiskFull, Interrupted
from builder.system.files import disk_full_named, replacing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out" / "file"


def entries(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_a_file_takes_its_place_when_the_block_ends_well(path: Path) -> None:
    with replacing(path, "writing file") as out:
        out.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert entries(path.parent) == {"file"}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_its_mode_is_0644_whatever_the_umask(path: Path, umask: int) -> None:
    path.parent.mkdir()
    before = os.umask(umask)
    try:
        with replacing(path, "writing file") as out:
            out.write(b"new")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "reason", [ValueError(), OSError(errno.EIO, "broken"), KeyboardInterrupt(), Interrupted()]
)
def test_when_the_block_fails_the_old_file_stays_and_nothing_else(path: Path, reason: BaseException) -> None:
    path.parent.mkdir()
    path.write_bytes(b"old")

    def fail_half_way() -> NoReturn:
        with replacing(path, "writing file", suffix=".part") as out:
            out.write(b"half")
            raise reason

    with pytest.raises(type(reason)):
        fail_half_way()
    assert path.read_bytes() == b"old"
    assert entries(path.parent) == {"file"}


def test_the_name_in_flight_is_hidden_and_ends_as_asked(path: Path) -> None:
    with replacing(path, "writing file", suffix=".part") as out:
        (in_flight,) = entries(path.parent)
        assert in_flight.startswith(".file.")
        assert in_flight.endswith(".part")
        assert Path(str(out.name)) != path


def test_the_content_is_synced_before_the_rename(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    sync, rename = os.fsync, Path.replace

    def noted_sync(number: int) -> None:
        order.append("sync")
        sync(number)

    def noted_rename(old: Path, new: Path) -> Path:
        order.append("rename")
        return rename(old, new)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "replace", noted_rename)
    with replacing(path, "writing file") as out:
        out.write(b"new")
    assert order == ["sync", "rename"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_with_the_file_and_leaves_nothing(
    path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull) as caught, replacing(path, "writing file") as out:
        out.write(b"new")
    assert caught.value.summary == "no space left on device while writing file"
    assert str(path) in caught.value.render()
    assert entries(path.parent) == set()


def test_another_error_of_the_system_passes_as_it_is(path: Path) -> None:
    with pytest.raises(PermissionError), disk_full_named(path, "writing file"):
        raise PermissionError(errno.EACCES, "no")


@pytest.mark.parametrize(("number", "raised"), [(errno.ENOSPC, DiskFull), (errno.EACCES, shutil.Error)])
def test_a_full_disk_is_found_in_what_copytree_tells(
    path: Path, number: int, raised: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    tree = path.parent
    tree.mkdir()
    (tree / "one").write_text("1")
    monkeypatch.setattr(shutil, "copyfile", fail)
    with pytest.raises(raised), disk_full_named(path, "copying"):
        shutil.copytree(tree, tree.with_name("copy"))
