"""How much has to stay free on the disk that a snapshot goes to."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from builder.shipped import DEBIAN_TEMPLATE

MIB, GIB, TIB = 1024**2, 1024**3, 1024**4
SNAPSHOT = '. "$1/snapshot.sh"; space_of /backups; has_room /backups "$2" && echo room || echo none'


def found(folder: Path, whole: int, free: int, database: int) -> tuple[int, int, str]:
    """What is free, what has to stay free, and whether there is room, on a disk of that size."""
    (folder / "df").write_text(
        "#!/bin/sh\necho Filesystem 1024-blocks Used Available Capacity Mounted on\n"
        f"echo /dev/sda1 {whole // 1024} {(whole - free) // 1024} {free // 1024} 0% /\n"
    )
    (folder / "df").chmod(0o755)
    words = ["sh", "-euc", SNAPSHOT, "sh", str(DEBIAN_TEMPLATE / "node/lib"), str(database)]
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    free_bytes, reserve, room = done.stdout.split()
    return int(free_bytes), int(reserve), room


@pytest.mark.parametrize(
    ("whole", "free", "database", "reserve", "room"),
    [
        (TIB, 40 * GIB, 16 * MIB, 2 * GIB, "room"),
        (16 * TIB, 4 * GIB, 2 * GIB, 2 * GIB, "room"),
        (16 * TIB, 4 * GIB, 2 * GIB + MIB, 2 * GIB, "none"),
        (20 * GIB, 2 * GIB, GIB, GIB, "room"),
        (20 * GIB, 2 * GIB, GIB + MIB, GIB, "none"),
        (200 * MIB, 80 * MIB, 16 * MIB, 64 * MIB, "room"),
        (200 * MIB, 79 * MIB, 16 * MIB, 64 * MIB, "none"),
    ],
)
def test_a_twentieth_of_the_disk_stays_free_but_at_least_64_mib_and_at_most_2_gib(
    tmp_path: Path, whole: int, free: int, database: int, reserve: int, room: str
) -> None:
    assert found(tmp_path, whole, free, database) == (free, reserve, room)


def test_disk_that_tells_nothing_has_no_room(tmp_path: Path) -> None:
    (tmp_path / "df").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "df").chmod(0o755)
    words = ["sh", "-uc", '. "$1/snapshot.sh"; has_room /backups 1', "sh", str(DEBIAN_TEMPLATE / "node/lib")]
    done = subprocess.run(words, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=False)
    assert done.returncode == 1
