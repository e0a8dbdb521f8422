"""Reading the control file of a .deb."""

from __future__ import annotations

import lzma
import subprocess
import tarfile
from pathlib import Path
from typing import BinaryIO

from debian.arfile import ArError
from debian.deb822 import Deb822
from debian.debfile import DebError, DebFile

from builder.errors import EtcdDebError

_UNREADABLE = (ArError, DebError, tarfile.TarError, lzma.LZMAError, subprocess.SubprocessError, EOFError)


def read_control(package: Path) -> Deb822:
    """The control file of a binary package. Raises EtcdDebError for a file that is none."""
    try:
        with package.open("rb") as stream:
            return control_in(stream, package)
    except OSError as error:
        raise unreadable(package, str(error)) from error


def control_in(stream: BinaryIO, package: Path) -> Deb822:
    """The same of a package that is open. Raises EtcdDebError.

    By python-debian, which takes a hundredth of the time of dpkg-deb; for zstd it runs unzstd. Its own
    debcontrol() would also parse the dependencies.
    """
    try:
        with DebFile(fileobj=stream) as deb:
            return Deb822(deb.control.get_content("control"))
    except (*_UNREADABLE, ValueError, KeyError, OSError) as error:
        raise unreadable(package, str(error) or type(error).__name__) from error


def unreadable(package: Path, reason: str) -> EtcdDebError:
    """The error for a file that is no Debian package."""
    return EtcdDebError(
        f"{package} can't be read as a Debian package",
        details=(reason,),
        hint="check the path, and that the file is whole",
    )
