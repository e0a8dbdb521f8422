"""What an administrator has done with each backup."""

from __future__ import annotations

from pathlib import Path

import pytest
from etcd_ha.backup import hooks
from etcd_ha.errors import EtcdHaError


def hook(etc: Path, name: str, script: str, mode: int = 0o755) -> None:
    folder = etc / hooks.FOLDER
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(mode)


def test_each_runs_with_the_folder_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("20-second", "10-first"):
        hook(tmp_path, name, f'echo {name} "$#" "$1" >>{tmp_path}/ran')
    hooks.run_hooks(tmp_path, tmp_path / "backup 1")
    ran = (tmp_path / "ran").read_text().splitlines()
    assert ran == [f"10-first 1 {tmp_path}/backup 1", f"20-second 1 {tmp_path}/backup 1"]


def test_leftovers_and_what_is_not_executable_do_not_run(tmp_path: Path) -> None:
    hook(tmp_path, "copy.dpkg-old", "exit 1")
    hook(tmp_path, "copy~", "exit 1")
    hook(tmp_path, "copy", "exit 1", 0o644)
    hooks.run_hooks(tmp_path, tmp_path)


def test_one_that_fails_is_named_and_the_others_run(tmp_path: Path) -> None:
    hook(tmp_path, "10-fails", "echo begin; echo no route to the bucket >&2; exit 7")
    hook(tmp_path, "20-runs", f"touch {tmp_path}/ran")
    with pytest.raises(EtcdHaError, match="was made, but a hook failed") as failed:
        hooks.run_hooks(tmp_path, tmp_path / "backup")
    assert failed.value.details == (
        f"found     {tmp_path}/{hooks.FOLDER}/10-fails: status 7 no route to the bucket",
    )
    assert (tmp_path / "ran").exists()


def test_one_that_does_not_end_is_ended_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "BOUND", 0.2)
    hook(tmp_path, "hangs", "exec sleep 60")
    with pytest.raises(EtcdHaError) as failed:
        hooks.run_hooks(tmp_path, tmp_path / "backup")
    assert failed.value.details[0].endswith("no result within 0.2 s")


def test_without_the_folder_there_is_nothing_to_do(tmp_path: Path) -> None:
    hooks.run_hooks(tmp_path, tmp_path / "backup")
