"""inspect where a chroot can't be made or is killed, and where a package unpacks without end."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

from builder.deb.repack import members, packed_archive
from builder.deb.tar_part import TOOLCHAIN
from tests.package.genuine import Genuine
from tests.package.inspection.forgeries import (
    taken_apart,
)
from tests.support.account import Result, programs_without


def rebuilt_for_sid(genuine: Genuine, folder: Path, path: str) -> Result:
    """`inspect --rebuild` of a package that says it was built on sid, with the programs of a search path."""
    package = taken_apart(genuine.deb)
    package.edit(TOOLCHAIN, lambda text: text.replace(text.split(b"\n")[0], b"debian sid"))
    forged = package.write(folder / "other.deb")
    where = ("--source", genuine.releases, "--pins", genuine.account.pins)
    return genuine.account.run("inspect", "--rebuild", forged, *where, variables={"PATH": path})


def test_chroot_that_nothing_can_make_is_a_status_of_its_own_with_what_to_install(
    genuine: Genuine, tmp_path: Path
) -> None:
    path = programs_without(tmp_path / "bin", "mmdebstrap")
    result = rebuilt_for_sid(genuine, tmp_path, path)
    assert result.status == 4
    last = result.out.splitlines()[-1]
    assert "not compared: not built again: can't set up debian sid on this machine" in last
    assert "mmdebstrap is not installed" in last
    assert "apt install mmdebstrap" in last


# As one that is killed while this machine's files are mounted in its chroot.
KILLED = """#!/bin/sh
mkdir "$TMPDIR/chroot"
mount -t proc proc "$TMPDIR/chroot"
kill -9 $$
"""


def test_killed_chroot_leaves_no_mount_that_tidying_up_would_walk_into(
    genuine: Genuine, tmp_path: Path
) -> None:
    path = programs_without(tmp_path / "bin", "mmdebstrap")
    program = tmp_path / "bin" / "mmdebstrap"
    program.write_text(KILLED)
    program.chmod(0o755)
    result = rebuilt_for_sid(genuine, tmp_path, path)
    assert "/chroot " not in Path("/proc/self/mounts").read_text()
    assert result.status == 4
    assert "can't set up debian sid on this machine" in result.out


# Runs a command and prints the most memory that it had, in KiB. Of its own: a process counts also what its
# parent had when it was made, and pytest has much.
MEASURE = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(status)
"""


def test_package_that_unpacks_without_end_is_left_in_time_and_memory(
    genuine: Genuine, tmp_path: Path
) -> None:
    package = taken_apart(genuine.deb)
    content = package.write(tmp_path / "a.deb").read_bytes()
    # The same gzip member again and again: 30 GB of zeros after the archive.
    with (tmp_path / "a.deb").open("rb") as stream:
        version, control, data = members(stream)
    zeros = gzip.compress(bytes(64 * 1024**2), 9, mtime=0)
    bomb = data.with_content(data.name, data.content + zeros * 480)
    (tmp_path / "bomb.deb").write_bytes(packed_archive([version, control, bomb]))
    assert len(content) < 10**7
    words = genuine.account.command(
        "inspect", tmp_path / "bomb.deb", "--source", genuine.releases, "--pins", genuine.account.pins
    )
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *words],
        env=genuine.account.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "data.tar: archive: expected whole, found it unpacks to more than" in done.stdout
    assert int(done.stderr.splitlines()[-1]) < 200 * 1024
