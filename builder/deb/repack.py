"""Compressing a .deb that dpkg-deb left uncompressed, with a window wider than one of its binaries.

etcd's three programs share most of their code, which only a dictionary wider than one of them sees. dpkg-deb
has no option for that, so this runs as dpkg-buildpackage's buildinfo hook, before any digest is taken. What
comes out is deb(5), with settings that every dpkg of its compression reads.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MAGIC = b"!<arch>\n"
_HEADER = 60


@dataclass(frozen=True, slots=True)
class Compressor:
    """A program and its Debian package, the words that make it compress, and the suffix of what it makes."""

    program: tuple[str, str]
    words: tuple[str, ...]
    suffix: str


# Programs of the Debian release, which the package names: the libraries that Python was built with differ
# from one Python to the next. docs/explanation/packing.md has the measurements behind the numbers.
COMPRESSORS = {
    "xz": Compressor(
        ("xz", "xz-utils"),
        (
            *("--compress", "--stdout", "--quiet", "--format=xz", "--check=crc64", "--threads=1"),
            "--lzma2=preset=0,dict=64MiB,mf=hc4,depth=2,nice=273",
        ),
        ".xz",
    ),
    "zstd": Compressor(("zstd", "zstd"), ("-q", "-3", "--long=27", "-T2", "-c"), ".zst"),
    "gzip": Compressor(("gzip", "gzip"), ("-6", "--no-name", "--stdout"), ".gz"),
}


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a .deb: an ar(5) archive. time: seconds since 1970."""

    name: str
    time: int
    content: bytes

    def with_content(self, name: str, content: bytes) -> Member:
        return Member(name, self.time, content)


def repack(package: Path, compression: str) -> None:
    """Compress the control and data members of a .deb in place.

    Raises ValueError for a file that is no uncompressed .deb, OSError, CalledProcessError of the compressor.
    """
    compressor = COMPRESSORS[compression]
    temporary = package.with_suffix(".packed")
    with package.open("rb") as source:
        temporary.write_bytes(packed_archive(_compressed(member, compressor) for member in members(source)))
    temporary.replace(package)


def _compressed(member: Member, compressor: Compressor) -> Member:
    if ".tar." in member.name:
        raise ValueError(f"{member.name} is compressed already")
    if not member.name.endswith(".tar"):
        return member
    program, _ = compressor.program
    # By a file: subprocess feeds a pipe in pieces of 4 KiB, which takes as long as compressing them.
    with tempfile.TemporaryFile() as plain:
        plain.write(member.content)
        plain.seek(0)
        done = subprocess.run(
            [shutil.which(program) or program, *compressor.words],
            stdin=plain,
            stdout=subprocess.PIPE,
            check=True,
        )
    return member.with_content(f"{member.name}{compressor.suffix}", done.stdout)


def members(source: BinaryIO) -> Iterator[Member]:
    """The members of an ar archive. Raises ValueError where it is none."""
    if source.read(len(_MAGIC)) != _MAGIC:
        raise ValueError("not an ar archive")
    while header := source.read(_HEADER):
        if len(header) != _HEADER or header[58:] != b"`\n":
            raise ValueError("damaged ar archive")
        size = int(header[48:58])
        content = source.read(size)
        if len(content) != size:
            raise ValueError("damaged ar archive")
        source.read(size % 2)
        yield Member(header[:16].decode().rstrip(" /"), int(header[16:28]), content)


def packed_archive(parts: Iterable[Member]) -> bytes:
    """An ar archive of these members, as dpkg-deb writes it: owned by root, mode 0644."""
    archive = bytearray(_MAGIC)
    for part in parts:
        size = len(part.content)
        archive += f"{part.name:<16}{part.time:<12}{0:<6}{0:<6}{'100644':<8}{size:<10}`\n".encode()
        archive += part.content + b"\n" * (size % 2)
    return bytes(archive)


if __name__ == "__main__":
    try:
        repack(Path(sys.argv[1]), sys.argv[2])
    except (OSError, MemoryError, ValueError, subprocess.CalledProcessError) as error:
        sys.exit(f"compressing failed: {str(error) or 'out of memory'}")
