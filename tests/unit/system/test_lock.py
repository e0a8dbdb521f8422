"""A lock is held by one, waited for with a bound, and named with who holds it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from builder.system import lock
from builder.system.lock import StillLocked, locked, try_to_take
from builder.system.progress import Progress
from tests.unit.samples import Heard

HOLD = """
import sys
from pathlib import Path
from builder.system.lock import locked
from builder.system.progress import Progress
with locked(Path(sys.argv[1]), "x", Progress()):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "folder/lock"


def test_a_lock_is_held_by_one_or_shared_by_several(file: Path) -> None:
    one, two = try_to_take(file, shared=True), try_to_take(file, shared=True)
    assert try_to_take(file) is None
    for handle in (one, two):
        assert handle is not None
        os.close(handle)
    alone = try_to_take(file)
    assert alone is not None
    assert try_to_take(file, shared=True) is None
    os.close(alone)


def test_the_process_that_holds_a_lock_is_named_and_waited_for_with_a_bound(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "WAIT_FOR_OTHER", 0.2)
    command = [sys.executable, "-c", HOLD, str(file)]
    heard = Heard()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StillLocked) as caught, locked(file, "another build", heard):
            pass
        holder.stdin.close()
    (said,) = heard.steps
    assert said.startswith(f"waiting for another build: process {holder.pid} (")
    assert caught.value.summary == "another build has not finished within 0.2 s"
    assert f"held by   process {holder.pid} (" in caught.value.render()
    with locked(file, "another build", Progress()):
        pass


def test_a_file_that_its_holder_has_removed_is_locked_by_nobody(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with locked(file, "x", Progress()):
        file.unlink()
        # What another process has opened before that is another file.
        with locked(file, "x", Progress()):
            pass
    opened: list[int] = []
    real = os.open

    def late(path: str, flags: int, mode: int = 0o777) -> int:
        opened.append(real(path, flags, mode))
        if len(opened) == 1:
            file.unlink()
        return opened[-1]

    monkeypatch.setattr(os, "open", late)
    handle = try_to_take(file)
    assert handle == opened[-1]
    assert len(opened) == 2
    assert os.path.samestat(os.fstat(handle), file.stat())
    os.close(handle)
