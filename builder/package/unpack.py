"""Taking the binaries, and nothing else, out of a verified tarball.

Owners, modes and times of the tarball are not trusted: upstream's carry the release manager's ids (etcd
issue 17278), and once held binaries that nobody could run (etcd issue 9701).
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from builder.deb.tar_part import TOTAL_LIMIT
from builder.errors import VerificationFailed
from builder.release.verify import VerifiedTarball
from builder.system.digest import CHUNK, digest_of
from builder.system.files import disk_full_named
from builder.system.progress import Progress

PROGRAM_LIMIT = 256 * 1024 * 1024
# Seconds since 1970, in the year 2242: what the eleven octal digits of a tar header hold.
LAST_TIME = 8**11 - 1
_DAMAGED: tuple[type[Exception], ...] = (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error)
_open_gzip: type[gzip.GzipFile] = gzip.GzipFile
try:
    from isal import igzip, isal_zlib
except ImportError:
    # ppc64el and s390x have no isal; the bytes are the same.
    pass
else:
    # In a third of zlib's time.
    _open_gzip = igzip.IGzipFile
    # isal's own type stubs declare the class as an instance.
    _DAMAGED = (*_DAMAGED, isal_zlib.error)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Program:
    """One of upstream's binaries."""

    name: str
    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Binaries:
    """The unpacked programs. released: the newest of their times in the tarball, seconds since 1970."""

    tarball: VerifiedTarball
    programs: tuple[Program, ...]
    released: int


def unpack(tarball: VerifiedTarball, folder: Path, progress: Progress) -> Binaries:
    """The programs of the release in folder, mode 0755.

    Raises VerificationFailed for a tarball that holds links, devices, paths that lead out, a program twice,
    or more than an etcd can be; DiskFull.
    """
    wanted = {f"{tarball.file.directory}/{name}": name for name in tarball.file.version.programs}
    programs: dict[str, Program] = {}
    released = 0
    # Reading a program goes on where _members() has handed it out, so that damage shows here as well.
    try:
        for member, content in _members(tarball, progress):
            name = wanted.get(member.name.removeprefix("./"))
            if name is None:
                continue
            if name in programs:
                raise _unsafe(tarball, f"contains {member.name} twice")
            if content is None or member.size > PROGRAM_LIMIT:
                what = f"{member.name} is not a program but {_kind(member)} of {member.size} bytes"
                raise _unsafe(tarball, what)
            released = max(released, _time(tarball, member))
            programs[name] = _write(folder / name, content)
    except _DAMAGED as error:
        raise _damaged(tarball, str(error)) from error
    if missing := [name for name in wanted if wanted[name] not in programs]:
        raise VerificationFailed(
            f"{tarball.file.name} is not an etcd release",
            details=(f"expected  {', '.join(wanted)}", f"missing   {', '.join(missing)}"),
            hint="check where the file came from",
        )
    return Binaries(tarball, tuple(programs[name] for name in wanted.values()), released)


def _members(
    tarball: VerifiedTarball, progress: Progress
) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """Every member that may be there, with its content; all is read, so that damage is found."""
    with _open_gzip(tarball.path, "rb") as stream:
        bounded = _Bounded(stream, tarball)
        with _opened(tarball, bounded) as archive:
            while member := _next(tarball, archive):
                progress.check()
                _refuse_unsafe(tarball, member)
                yield member, archive.extractfile(member) if member.isreg() else None
        while bounded.read(CHUNK):
            progress.check()


def _opened(tarball: VerifiedTarball, stream: _Bounded) -> tarfile.TarFile:
    # Opening reads the first member.
    with _parsing(tarball):
        return tarfile.open(fileobj=stream, mode="r|", bufsize=CHUNK)


def _next(tarball: VerifiedTarball, archive: tarfile.TarFile) -> tarfile.TarInfo | None:
    with _parsing(tarball):
        return archive.next()


@contextmanager
def _parsing(tarball: VerifiedTarball) -> Iterator[None]:
    # tarfile hands on what float(), int() and the like say of a header, and only some of it as a TarError.
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise _damaged(tarball, str(error) or type(error).__name__) from error


def _time(tarball: VerifiedTarball, member: tarfile.TarInfo) -> int:
    # A pax header may hold anything that float() reads: nan, inf, 1e300.
    if not 0 < member.mtime <= LAST_TIME:
        raise _damaged(tarball, f"{member.name} has the modification time {member.mtime}")
    return int(member.mtime)


def _damaged(tarball: VerifiedTarball, got: str) -> VerificationFailed:
    return VerificationFailed(
        f"{tarball.file.name} is damaged",
        details=("expected  a whole tar.gz", f"found     {got}"),
        hint="its digest is as expected, so the release itself is damaged: inform etcd's maintainers",
    )


class _Bounded(io.RawIOBase):
    """A stream that refuses to yield more than a release can hold: a small file may unpack to no end."""

    def __init__(self, stream: gzip.GzipFile, tarball: VerifiedTarball) -> None:
        self._stream = stream
        self._tarball = tarball
        self._done = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._done += len(data)
        if self._done > TOTAL_LIMIT:
            raise _unsafe(self._tarball, f"unpacks to more than {TOTAL_LIMIT} bytes")
        return data


def _refuse_unsafe(tarball: VerifiedTarball, member: tarfile.TarInfo) -> None:
    if not (member.isreg() or member.isdir()):
        raise _unsafe(tarball, f"{member.name} is {_kind(member)}")
    if member.name.startswith("/") or ".." in member.name.split("/"):
        raise _unsafe(tarball, f"{member.name} points outside the folder")


def _kind(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return f"a link to {member.linkname}"
    if member.isdir():
        return "a directory"
    return "a file" if member.isreg() else "a device or another special file"


def _unsafe(tarball: VerifiedTarball, what: str) -> VerificationFailed:
    return VerificationFailed(
        f"{tarball.file.name} is not safe to unpack",
        details=(what, "expected  regular files and directories below one top directory"),
        hint="do not use this file; check where it came from",
    )


def _write(path: Path, content: IO[bytes]) -> Program:
    with disk_full_named(path, f"unpacking {path.name}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as out:
            sha256, size = digest_of(content, out.write)
        path.chmod(0o755)
    return Program(path.name, path, sha256, size)
