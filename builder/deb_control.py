"""Reading the control file of a .deb (deb(5))."""

from __future__ import annotations

import gzip
import io
import lzma
import subprocess
import tarfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from debian.arfile import ArError, ArFile
from debian.deb822 import Deb822

from builder.errors import EtcdDebError

_UNREADABLE = (ArError, tarfile.TarError, zlib.error, lzma.LZMAError, subprocess.SubprocessError, EOFError)


def _unzstd(content: bytes) -> bytes:
    return subprocess.run(["unzstd", "--stdout"], input=content, capture_output=True, check=True).stdout


_UNPACK: Mapping[str, Callable[[bytes], bytes]] = {
    "control.tar": bytes,
    "control.tar.gz": gzip.decompress,
    "control.tar.xz": lzma.decompress,
    "control.tar.zst": _unzstd,
}


def read_control(package: Path) -> Deb822:
    """The control file of a binary package. Raises EtcdDebError for a file that is none."""
    try:
        with package.open("rb") as stream:
            return control_in(stream, package)
    except OSError as error:
        raise unreadable(package, str(error)) from error


def control_in(stream: BinaryIO, package: Path) -> Deb822:
    """The same of a package that is open. Raises EtcdDebError.

    By the ArFile of python-debian, in a hundredth of dpkg-deb's time. Its DebFile takes twice as long: it
    tries which compression it is, opens the file several times, and parses the dependencies.
    """
    try:
        members = {member.name: member for member in ArFile(fileobj=stream)}
        if "debian-binary" not in members or not any(name.startswith("data.tar") for name in members):
            raise ArError("it lacks debian-binary or data.tar")
        (name,) = _UNPACK.keys() & members.keys()
        return Deb822(_control_file(_UNPACK[name](members[name].read())))
    except (*_UNREADABLE, ValueError, KeyError, OSError) as error:
        raise unreadable(package, str(error) or type(error).__name__) from error


def _control_file(archive: bytes) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
        for member in tar:
            # dpkg-deb has "./" before each name, other tools need not.
            if member.name.removeprefix("./") == "control" and (content := tar.extractfile(member)):
                return content.read()
    raise KeyError("control")


def unreadable(package: Path, reason: str) -> EtcdDebError:
    """The error for a file that is no Debian package."""
    return EtcdDebError(
        f"{package} can't be read as a Debian package",
        details=(reason,),
        hint="check the path, and that the file is whole",
    )
