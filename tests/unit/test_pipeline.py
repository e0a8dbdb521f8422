"""Side by side, and all or nothing."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from pathlib import Path
from typing import NoReturn

import pytest

from builder.errors import CommandFailed, DiskFull, Interrupted
from builder.package.deliver import deliver
from builder.package.pack import Upload
from builder.pipeline import in_parallel
from builder.system.files import work_folder
from builder.system.progress import Progress
from builder.version import Architecture, PackageVersion, host_architecture
from tests.unit.samples import version

VERSION = PackageVersion(version("3.7.0-rc.0"), "1")
OTHER = next(architecture for architecture in Architecture if architecture != host_architecture())


def upload(folder: Path, architecture: Architecture, content: str = "new") -> Upload:
    """What a build leaves, beside its tree."""
    names = (f"etcd-ha_{VERSION}_{architecture}{suffix}" for suffix in (".deb", ".buildinfo", ".changes"))
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return Upload(VERSION, architecture, *paths)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "dist"


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_results_come_in_the_order_of_the_items() -> None:
    gate = threading.Event()

    def work(item: int) -> int:
        if item == 2:
            gate.set()
        assert gate.wait(30)
        return item * 10

    assert in_parallel(work, [1, 2], Progress()) == (10, 20)


def test_the_first_failure_is_raised_and_stops_the_others() -> None:
    progress = Progress()
    started = threading.Event()

    def work(item: str) -> None:
        if item == "bad":
            assert started.wait(30)
            raise CommandFailed("the reason")
        started.set()
        progress.pause(30)

    with pytest.raises(CommandFailed, match="the reason"):
        in_parallel(work, ["good", "bad"], progress)
    with pytest.raises(Interrupted):
        progress.check()


@pytest.mark.parametrize("reason", [CommandFailed("x"), Interrupted(), KeyboardInterrupt()])
def test_the_folder_of_the_work_is_gone_however_it_ends(reason: BaseException) -> None:
    seen: list[Path] = []

    def work() -> NoReturn:
        with work_folder(Progress()) as folder:
            seen.append(folder)
            (folder / "file").touch()
            raise reason

    with pytest.raises(type(reason)):
        work()
    assert seen[0].name.startswith("etcd-deb-")
    assert not seen[0].exists()


def test_all_packages_are_delivered_under_their_names(tmp_path: Path, output: Path) -> None:
    uploads = [upload(tmp_path / architecture, architecture) for architecture in Architecture]
    delivered = deliver(uploads, output, Progress())
    names = {path.name for one in delivered for path in one.files}
    assert all(path.parent == output for one in delivered for path in one.files)
    assert set(contents(output)) == names | {"etcd-ha_3.7.0~rc.0.deb"}


def test_the_short_name_links_to_the_package_of_this_machine(tmp_path: Path, output: Path) -> None:
    own = Architecture(host_architecture())
    deliver([upload(tmp_path, own)], output, Progress())
    assert (output / "etcd-ha_3.7.0~rc.0.deb").readlink() == Path(f"etcd-ha_{VERSION}_{own}.deb")


def test_a_package_for_another_machine_gets_no_short_name(tmp_path: Path, output: Path) -> None:
    deliver([upload(tmp_path, OTHER)], output, Progress())
    assert len(contents(output)) == 3


def test_what_was_built_before_is_replaced_and_other_files_stay(tmp_path: Path, output: Path) -> None:
    own = Architecture(host_architecture())
    output.mkdir()
    (output / "other.deb").write_text("other")
    for content in ("old", "new"):
        deliver([upload(tmp_path, own, content)], output, Progress())
    assert set(contents(output).values()) == {"new", "other"}


def test_a_full_disk_leaves_what_was_there_before(
    tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = [upload(tmp_path / architecture, architecture) for architecture in Architecture]
    deliver([upload(tmp_path / "old", Architecture.AMD64, "old")], output, Progress())
    before = contents(output)
    copies: list[object] = []
    copy = shutil.copyfileobj

    def fill_up(source: object, out: object, length: int) -> None:
        copies.append(source)
        if len(copies) > 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        copy(source, out, length)  # type: ignore[arg-type]  # two open files

    monkeypatch.setattr(shutil, "copyfileobj", fill_up)
    with pytest.raises(DiskFull):
        deliver(uploads, output, Progress())
    assert contents(output) == before


@pytest.mark.parametrize("fails_at", range(1, 15))
@pytest.mark.parametrize("reason", [OSError(errno.EIO, "x"), Interrupted()])
def test_a_delivery_that_ends_anywhere_leaves_what_was_there_before(
    tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch, reason: BaseException, fails_at: int
) -> None:
    own = Architecture(host_architecture())
    deliver([upload(tmp_path / "old", own, "old")], output, Progress())
    (output / "other.deb").write_text("other")
    before = contents(output)
    uploads = [upload(tmp_path / architecture, architecture) for architecture in (own, OTHER)]
    moves = 0
    move = Path.replace

    def fail_once(path: Path, target: Path) -> Path:
        nonlocal moves
        moves += 1
        if moves == fails_at:
            raise reason
        return move(path, target)

    monkeypatch.setattr(Path, "replace", fail_once)
    if fails_at <= 4 + 7:
        with pytest.raises(type(reason)):
            deliver(uploads, output, Progress())
        assert contents(output) == before
    else:
        deliver(uploads, output, Progress())
        assert moves == 4 + 7


def test_a_folder_in_the_way_is_said_and_stays(tmp_path: Path, output: Path) -> None:
    own = Architecture(host_architecture())
    in_the_way = output / f"etcd-ha_{VERSION}_{own}.buildinfo" / "yours"
    in_the_way.mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        deliver([upload(tmp_path, own)], output, Progress())
    assert in_the_way.is_dir()
    assert [path.name for path in output.iterdir()] == [in_the_way.parent.name]


def test_a_changes_is_there_only_beside_all_that_it_names(
    tmp_path: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Architecture(host_architecture())
    move = Path.replace

    def look(path: Path, target: Path) -> Path:
        moved = move(path, target)
        for changes in output.glob("*.changes"):
            beside = {other.read_text() for other in output.glob(f"{changes.stem}.*")}
            assert beside == {changes.read_text()}
        return moved

    monkeypatch.setattr(Path, "replace", look)
    for content in ("old", "new"):
        deliver([upload(tmp_path, own, content)], output, Progress())


def test_what_a_killed_delivery_left_is_swept_up(tmp_path: Path, output: Path) -> None:
    (output / ".etcd-deb-x1/before").mkdir(parents=True)
    (output / ".etcd-deb.lock").touch()
    deliver([upload(tmp_path, OTHER)], output, Progress())
    assert len(contents(output)) == 3
