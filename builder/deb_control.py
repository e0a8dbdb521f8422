"""Reading a .deb by dpkg-deb, which knows every compression that dpkg does."""

from __future__ import annotations

import subprocess
from pathlib import Path

from debian.deb822 import Deb822

from builder.errors import EtcdDebError
from builder.process import find_program


def read_control(package: Path) -> Deb822:
    """The control file of a binary package. Raises EtcdDebError for a file that is none."""
    program = find_program("dpkg-deb", "dpkg")
    done = subprocess.run([program, "--field", str(package)], capture_output=True, check=False)
    if done.returncode:
        raise unreadable(package, done.stderr.decode("utf-8", "replace").strip())
    return Deb822(done.stdout.decode("utf-8", "replace"))


def unreadable(package: Path, reason: str) -> EtcdDebError:
    """The error for a file that dpkg-deb refuses."""
    return EtcdDebError(
        f"{package} can't be read as a Debian package",
        details=(reason,),
        hint="check the path, and that the file is whole",
    )
