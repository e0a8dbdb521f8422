"""One of the two tar archives of a .deb, member by member, read as data."""

from __future__ import annotations

import hashlib
import io
import tarfile
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO

from builder.system.digest import Readable, digest_of

CHUNK = 64 * 1024
# Bytes that an archive may unpack to: a release, and a package of it.
TOTAL_LIMIT = 512 * 1024 * 1024
# Of one archive; our packages have a thirtieth of them.
MEMBERS_LIMIT = 5000
# Bytes of a member that is kept whole, and of a header that tarfile reads at once.
KEPT_LIMIT = 1024 * 1024
CONTROL = "./control"
PROVENANCE = "./usr/share/doc/etcd-ha/provenance.json"
TOOLCHAIN = "./usr/share/doc/etcd-ha/toolchain"
KEPT = {CONTROL, PROVENANCE, TOOLCHAIN}
_KINDS = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "symbolic link"}
_OTHER_KINDS = {tarfile.LNKTYPE: "hard link", tarfile.CHRTYPE: "device", tarfile.BLKTYPE: "device"}


class Refused(Exception):
    """Why an archive is read no further."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A member of one of the tar archives. extra: the extended headers (pax) that it has."""

    name: str
    kind: str
    mode: int
    owner: str
    time: str
    link: str
    extra: tuple[tuple[str, str], ...]
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Part:
    """A tar archive of the package. fault: why it can't be read to its end, or what follows it."""

    entries: tuple[Entry, ...]
    kept: tuple[tuple[str, bytes], ...]
    sha256: str
    fault: str

    def content(self, name: str) -> bytes | None:
        """The content of one of KEPT; of several that which dpkg would leave, the last. None: absent."""
        found = [content for kept, content in self.kept if kept == name]
        return found[-1] if found else None


def read_part(opened: AbstractContextManager[Readable]) -> Part:
    """All of an archive, or as much as could be read and why."""
    reading = _Reading()
    fault = ""
    try:
        with opened as plain:
            reading.read(_Watched(plain))
    except Refused as error:
        fault = str(error)
    # tarfile checks little of what it follows, and hands on what float(), int() and the like say of it.
    except (tarfile.TarError, ArithmeticError, AttributeError, LookupError, OSError, RecursionError,
            TypeError, ValueError) as error:  # fmt: skip
        fault = f"it can't be read: {str(error) or type(error).__name__}"
    return Part(tuple(reading.entries), tuple(reading.kept), reading.sha256, fault)


class _Reading:
    """What was read of a tar archive so far."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.kept: list[tuple[str, bytes]] = []
        self.sha256 = ""

    def read(self, plain: _Watched) -> None:
        with tarfile.open(fileobj=plain, mode="r|", bufsize=CHUNK, tarinfo=_BoundedInfo) as archive:
            for info in archive:
                if len(self.entries) == MEMBERS_LIMIT:
                    raise Refused(f"it has more than {MEMBERS_LIMIT} members")
                self._take(info, archive.extractfile(info) if info.isreg() else None)
            while plain.read(CHUNK):
                pass
            # tarfile takes a header that it can't read for the end, where dpkg goes on or fails.
            if plain.last > archive.offset:
                raise Refused("there are bytes after the end of the archive")
        self.sha256 = plain.digest.hexdigest()

    def _take(self, info: tarfile.TarInfo, content: IO[bytes] | None) -> None:
        kept = bytearray()

        def keep(chunk: bytes) -> None:
            if info.name in KEPT and len(kept) <= KEPT_LIMIT:
                kept.extend(chunk)

        sha256 = digest_of(content, keep)[0] if content else ""
        if info.name in KEPT and content:
            self.kept.append((info.name, bytes(kept[:KEPT_LIMIT])))
        self.entries.append(
            Entry(
                name=info.name,
                kind=_KINDS.get(info.type) or _OTHER_KINDS.get(info.type, f"type {info.type!r}"),
                mode=info.mode,
                owner=f"{info.uid}:{info.gid} {info.uname}:{info.gname}",
                time=str(info.mtime),
                link=info.linkname,
                extra=tuple(sorted((str(key), str(value)) for key, value in info.pax_headers.items())),
                size=info.size,
                sha256=sha256,
            )
        )


class _BoundedInfo(tarfile.TarInfo):
    """A header whose extension (a long name, pax) is no longer than this reader has memory for."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _BoundedInfo:
        info = super().frombuf(buf, encoding, errors)
        if info.type not in (*_KINDS, *_OTHER_KINDS) and info.size > KEPT_LIMIT:
            raise Refused(f"it has a header of {info.size} bytes")
        return info


class _Watched(io.RawIOBase):
    """Plain content: how much there may be, its digest, and where its last byte is that is not zero."""

    def __init__(self, plain: Readable) -> None:
        self._plain = plain
        self._done = 0
        self.digest = hashlib.sha256()
        self.last = 0

    def read(self, size: int = -1) -> bytes:
        data = self._plain.read(size)
        if filled := len(data.rstrip(b"\0")):
            self.last = self._done + filled
        self._done += len(data)
        if self._done > TOTAL_LIMIT:
            raise Refused(f"it unpacks to more than {TOTAL_LIMIT} bytes")
        self.digest.update(data)
        return data
