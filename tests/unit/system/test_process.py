"""Other programs run in a clean environment, and are explained when they fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from builder.errors import CommandFailed, DiskFull, Interrupted, MissingProgram
from builder.system.process import LAST_LINES, find_program, run
from builder.system.progress import Progress


class Shown(Progress):
    """Progress that remembers what programs printed."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def output(self, line: str) -> None:
        self.lines.append(line)


def shell(script: str, folder: Path, progress: Progress | None = None) -> str:
    return run(["sh", "-c", script], cwd=folder, progress=progress or Progress())


def test_a_program_gets_only_the_environment_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.setenv("DEB_BUILD_OPTIONS", "nostrip")
    printed = run(["env"], cwd=tmp_path, progress=Progress(), environment={"SOURCE_DATE_EPOCH": "1"})
    names = {line.partition("=")[0] for line in printed.splitlines()}
    assert names <= {"PATH", "HOME", "TMPDIR", "GNUPGHOME", "GPG_TTY", "LC_ALL", "SOURCE_DATE_EPOCH"}
    assert {"PATH", "SOURCE_DATE_EPOCH"} <= names
    assert "LC_ALL=C.UTF-8" in printed.splitlines()


def test_standard_output_and_error_are_returned_and_shown(tmp_path: Path) -> None:
    progress = Shown()
    assert shell("echo one; echo two >&2", tmp_path, progress) == "one\ntwo\n"
    assert progress.lines == ["one", "two"]


def test_a_failure_shows_the_command_its_status_and_its_last_lines(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed) as caught:
        shell("seq 1 50; exit 7", tmp_path)
    assert caught.value.summary == "sh failed with exit status 7"
    assert caught.value.details[0] == "ran       sh -c 'seq 1 50; exit 7'"
    assert caught.value.details[1:] == tuple(f"| {number}" for number in range(51 - LAST_LINES, 51))


def test_an_end_by_a_signal_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="sh was terminated by signal 9"):
        shell("kill -KILL $$", tmp_path)


@pytest.mark.parametrize("number", ["No space left on device", "Disk quota exceeded"])
def test_a_full_disk_is_recognized_in_what_a_program_printed(tmp_path: Path, number: str) -> None:
    with pytest.raises(DiskFull) as caught:
        shell(f"echo 'dpkg-deb: {number}'; exit 2", tmp_path)
    assert caught.value.summary == "no space left on device while running sh"


def test_a_build_that_is_stopped_ends_the_program_first(tmp_path: Path) -> None:
    progress = Progress()
    progress.stop()
    with pytest.raises(Interrupted):
        shell("echo $$ >pid; exec sleep 60", tmp_path, progress)
    if (tmp_path / "pid").exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_missing_program_is_named_with_its_package() -> None:
    with pytest.raises(MissingProgram) as caught:
        find_program("no-such-program", "some-package")
    assert "apt install some-package" in caught.value.render()
