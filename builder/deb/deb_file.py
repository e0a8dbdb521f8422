"""What a .deb holds, member by member, read as data: nothing is unpacked, nothing of it runs.

Anyone may have written the file. What dpkg would read differently from this reader, or ignore, is reported as
a fault: bytes after the last member, bytes after the end of a tar archive, a compressor that complains.
"""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from builder.deb.control import unreadable
from builder.deb.tar_part import CHUNK, MEMBERS_LIMIT, Part, Refused, read_part
from builder.system.digest import Readable, digest_of
from builder.system.process import find_program

MAGIC = b"!<arch>\n"
HEADER = 60
PARTS = ("control.tar", "data.tar")
# More memory than our packages need; a file may ask for any amount.
_DECOMPRESSORS = {
    "": None,
    ".xz": ("xz", "xz-utils", "--decompress", "--stdout", "--memlimit-decompress=256MiB"),
    ".gz": ("gzip", "gzip", "--decompress", "--stdout"),
    ".zst": ("zstd", "zstd", "--decompress", "--stdout", "--quiet", "--memory=256MB"),
}


@dataclass(frozen=True, slots=True)
class ArMember:
    """A member of the outer archive (ar(5)). attributes: time, owner, group and mode, as stored there."""

    name: str
    attributes: str
    start: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DebFile:
    """A package as stored. sha256: of the whole file; after: the bytes after its last member."""

    path: Path
    sha256: str
    members: tuple[ArMember, ...]
    after: int
    control: Part
    data: Part

    @property
    def parts(self) -> tuple[Part, Part]:
        """In the order of PARTS."""
        return self.control, self.data

    def suffix(self, part: str) -> str:
        """The compression of a part, by its name."""
        return next(member.name for member in self.members if member.name.startswith(part)).removeprefix(part)


def read_deb(path: Path) -> DebFile:
    """The whole package. Raises EtcdDebError for a file that is none, MissingProgram."""
    with path.open("rb") as stream:
        sha256, _ = digest_of(stream)
        members, after = _members(stream, path)
        names = [member.name for member in members]
        if names[:1] != ["debian-binary"]:
            raise unreadable(path, "its first member is not debian-binary")
        parts = []
        for part in PARTS:
            # dpkg-deb takes the first of several; their names show that there are several.
            found = [member for member in members if member.name.startswith(part)]
            if not found or found[0].name.removeprefix(part) not in _DECOMPRESSORS:
                raise unreadable(path, f"it has no {part} that etcd-deb can read: {', '.join(names[:9])}")
            parts.append(read_part(_plain(stream, found[0], found[0].name.removeprefix(part))))
    return DebFile(path, sha256, members, after, *parts)


def _members(stream: BinaryIO, path: Path) -> tuple[tuple[ArMember, ...], int]:
    stream.seek(0)
    if stream.read(len(MAGIC)) != MAGIC:
        raise unreadable(path, "it is not an ar archive")
    end = path.stat().st_size
    at, found = len(MAGIC), list[ArMember]()
    while len(found) < MEMBERS_LIMIT:
        stream.seek(at)
        header = stream.read(HEADER)
        digits = header[48:58].strip()
        if len(header) != HEADER or header[58:] != b"`\n" or not digits.isdigit():
            break
        size = int(digits)
        if at + HEADER + size > end:
            break
        name = header[:16].decode("latin-1").rstrip(" ").removesuffix("/")
        digest, _ = digest_of(_Piece(stream, at + HEADER, size))
        found.append(ArMember(name, header[16:48].decode("latin-1"), at + HEADER, size, digest))
        at += HEADER + size + size % 2
    return tuple(found), max(0, end - at)


class _Piece:
    """The bytes of one member of the outer archive."""

    def __init__(self, stream: BinaryIO, start: int, size: int) -> None:
        self._stream = stream
        self._at, self._end = start, start + size

    def read(self, size: int) -> bytes:
        self._stream.seek(self._at)
        data = self._stream.read(min(size, self._end - self._at))
        self._at += len(data)
        return data

    def feed(self, target: IO[bytes]) -> None:
        """Write all of it to a program, which may end before it has taken it."""
        with suppress(BrokenPipeError), target:
            while data := self.read(CHUNK):
                target.write(data)


@contextmanager
def _plain(stream: BinaryIO, member: ArMember, suffix: str) -> Iterator[Readable]:
    words = _DECOMPRESSORS[suffix]
    piece = _Piece(stream, member.start, member.size)
    if words is None:
        yield piece
        return
    program, package, *options = words
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            [find_program(program, package), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        ) as child,
    ):
        plain, fed = _pipes(child)
        feeder = threading.Thread(target=piece.feed, args=(fed,))
        feeder.start()
        try:
            yield plain
            if child.wait():
                said.seek(0)
                told = said.read(CHUNK).decode("utf-8", "replace").strip()
                raise Refused(f"{program} says: {told or child.returncode}")
        finally:
            child.kill()
            feeder.join()


def _pipes(child: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if child.stdout is None or child.stdin is None:
        raise ValueError("both are pipes")
    return child.stdout, child.stdin
