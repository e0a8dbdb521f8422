"""Debian root file systems by mmdebstrap, made once per suite and set of packages; overlays on them."""

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.cache import CACHE, held_by_another, locked, new_folder
from tests.support.command import run
from tests.support.machines.mirror import find_mirror, inherited_options

BASES = CACHE / "lab"
A_WEEK = 7 * 24 * 3600

# ca-certificates brings openssl.
MINIMAL = ("ca-certificates", "debconf", "python3")
BOOTABLE = (
    *MINIMAL,
    *("apt-utils", "dbus", "iproute2", "procps", "systemd", "systemd-sysv"),
)

# Runs at the end of mmdebstrap; a change here makes new bases.
CUSTOMIZE = """
set -eu
cd "$1"
rm -f etc/apt/apt.conf.d/99mmdebstrap etc/hostname etc/resolv.conf
if [ -d usr/lib/systemd/system ]; then
    mkdir -p var/log/journal
    touch etc/.updated var/.updated
    for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer \\
        systemd-firstboot.service systemd-network-generator.service console-getty.service; do
        ln -sf /dev/null "etc/systemd/system/$unit"
    done
fi
"""


@dataclass(frozen=True)
class Base:
    """A suite with some packages installed, as a folder that overlays are laid on."""

    suite: str
    packages: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it lies once it is made."""
        wanted = "\n".join([*self.packages, CUSTOMIZE])
        return BASES / f"{self.suite}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"

    @contextlib.contextmanager
    def in_use(self) -> Iterator[Path]:
        """The folder, made where it is missing or over a week old, and kept from being renewed."""
        users = BASES / f".{self.folder.name}.users"
        with locked(BASES / f".{self.folder.name}.lock"):
            if not self._fresh() and not (self.folder.is_dir() and held_by_another(users)):
                self._make()
            user = users.open("a")
            fcntl.flock(user, fcntl.LOCK_SH)
        with user:
            yield self.folder

    def _fresh(self) -> bool:
        return self.folder.is_dir() and time.time() - self.folder.stat().st_mtime < A_WEEK

    def _make(self) -> None:
        with new_folder(self.folder) as folder:
            command = [
                # Where it is killed, its mounts of our /proc and /sys end before the folder is removed.
                *("unshare", "--mount", "--propagation=private", "--"),
                "mmdebstrap",
                "--quiet",
                "--mode=root",
                "--variant=minbase",
                f"--include={','.join(self.packages)}",
                f"--customize-hook={CUSTOMIZE}",
                *(f"--aptopt={option}" for option in inherited_options()),
                self.suite,
                str(folder),
                find_mirror(),
            ]
            run(command, within=900)
            os.utime(folder)


def lay_overlay(folder: Path, *lower: Path) -> Path:
    """A writable root over `lower`, the uppermost first, that costs nothing; its changes go to `folder`."""
    root = folder / "root"
    for part in (root, folder / "upper", folder / "work"):
        part.mkdir(parents=True)
    layers = ":".join(map(str, lower))
    options = f"lowerdir={layers},upperdir={folder}/upper,workdir={folder}/work"
    # Nothing here has to outlive the kernel, so nobody has to wait for the disk.
    run(["mount", "-t", "overlay", "-o", f"{options},volatile", "overlay", root])
    return root
