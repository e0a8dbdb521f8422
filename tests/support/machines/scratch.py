"""A folder of a living process, and all that goes by its name: what is abandoned gets cleared."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.support.cache import CACHE, held_by_another, locked
from tests.support.command import run
from tests.support.machines.processes import groups_named

SCRATCH = CACHE / "lab" / "run"
LOCK = CACHE / "lab" / "run.lock"
OWNER = "owner.lock"
KEPT = "kept"


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A new folder under a name of its own; cleared at the end, unless keep() was said."""
    with contextlib.ExitStack() as held:
        # A folder whose lock isn't taken yet, or is deleted already, looks abandoned to another process.
        with locked(LOCK):
            clear_abandoned()
            folder = _new_folder()
            owner = held.enter_context((folder / OWNER).open("a"))
            fcntl.flock(owner, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            if not (folder / KEPT).exists():
                with locked(LOCK):
                    clear(folder)


def _new_folder() -> Path:
    SCRATCH.mkdir(parents=True, exist_ok=True)
    number = 0
    while True:
        folder = SCRATCH / f"etcdlab-{os.getpid()}-{number}"
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


def keep(folder: Path) -> None:
    """Let the folder and its nodes outlive this process, until clear_kept()."""
    (folder / KEPT).touch()


def clear(folder: Path) -> None:
    """End the processes and mounts (network namespaces are mounts) of the folder's name, and remove it."""
    prefix = f"{folder.name}-"
    for group in groups_named(prefix):
        group.end()
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in reversed(mounts):
        if mount.startswith(f"{folder}/") or f"/{prefix}" in mount:
            run(["umount", mount])
    shutil.rmtree(folder)


def clear_abandoned() -> None:
    """Clear what killed processes left; the caller holds LOCK."""
    for folder in SCRATCH.glob("etcdlab-*"):
        if not (folder / KEPT).exists() and not held_by_another(folder / OWNER):
            clear(folder)


def clear_kept() -> list[str]:
    """Clear what was kept on purpose; the names of it."""
    kept = [path.parent for path in SCRATCH.glob(f"etcdlab-*/{KEPT}")]
    for folder in kept:
        clear(folder)
    return [folder.name for folder in kept]
