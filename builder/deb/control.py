"""Reading the control file of a .deb (deb(5))."""

from __future__ import annotations

import errno
import gzip
import io
import lzma
import re
import subprocess
import tarfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from debian.arfile import ArError, ArFile
from debian.deb822 import Deb822

from builder.errors import EtcdDebError

_NOT_CHECKED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
# No text has them, and some of them end a line for Python alone.
_BREAK = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_UNREADABLE = (ArError, tarfile.TarError, zlib.error, lzma.LZMAError, subprocess.SubprocessError, EOFError)


def _unzstd(content: bytes) -> bytes:
    return subprocess.run(["unzstd", "--stdout"], input=content, capture_output=True, check=True).stdout


_UNPACK: Mapping[str, Callable[[bytes], bytes]] = {
    "control.tar": bytes,
    "control.tar.gz": gzip.decompress,
    "control.tar.xz": lzma.decompress,
    "control.tar.zst": _unzstd,
}


# Policy 5.6.1, 5.6.8 and 5.6.12. Files of a repository are named by them, and apt reads them.
_IDENTITY = {
    "Package": re.compile(r"[a-z0-9][a-z0-9+.-]{1,99}"),
    "Version": re.compile(r"([0-9]{1,9}:)?[0-9][A-Za-z0-9.+~-]{0,127}"),
    "Architecture": re.compile(r"[a-z0-9][a-z0-9-]{0,63}"),
}


def read_control(package: Path) -> Deb822:
    """The control file of a binary package, whose Package, Version and Architecture are well formed.

    Raises EtcdDebError for a file that is none.
    """
    try:
        with package.open("rb") as stream:
            return control_in(stream, package)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise unreadable(package, str(error)) from error


def control_in(stream: BinaryIO, package: Path) -> Deb822:
    """The same of a package that is open. Raises EtcdDebError.

    By the ArFile of python-debian. Its DebFile takes packages that dpkg refuses: one whose compression is not
    what the member's name says, and one that is cut behind the control file.
    """
    try:
        members = {member.name: member for member in ArFile(fileobj=stream)}
        if "debian-binary" not in members or not any(name.startswith("data.tar") for name in members):
            raise ArError("it lacks debian-binary or data.tar")
        (name,) = _UNPACK.keys() & members.keys()
        content = _control_file(_UNPACK[name](members[name].read()))
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN):
            raise
        raise unreadable(package, str(error)) from error
    # tarfile and python-debian check little of what they follow, so that a damaged file ends them in any way.
    except (*_UNREADABLE, *_NOT_CHECKED) as error:
        raise unreadable(package, str(error) or type(error).__name__) from error
    return parse_control(content, package)


def parse_control(content: bytes, package: Path) -> Deb822:
    """A control file whose Package, Version and Architecture are well formed. Raises EtcdDebError."""
    try:
        text = content.decode("utf-8")
        if found := _BREAK.search(text):
            raise ValueError(f"its control file contains the character {found[0]!r}")
        control = Deb822(text)
    except _NOT_CHECKED as error:
        raise unreadable(package, str(error) or type(error).__name__) from error
    for field, form in _IDENTITY.items():
        if not form.fullmatch(control.get(field, "")):
            raise unreadable(package, f"its control file has the {field} {control.get(field)!r}")
    return control


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
        f"can't read {package} as a Debian package",
        details=(reason,),
        hint="check the path, and that the file is complete",
    )
