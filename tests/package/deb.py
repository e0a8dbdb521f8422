"""A .deb taken apart: every member of its two tar archives, as the archives say."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

CONTROL, DATA = "control", "data"
_KINDS = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "link"}


@dataclass(frozen=True)
class Member:
    """One entry of a tar archive; digest is of the content, link the target."""

    name: str
    kind: str
    mode: int
    owner: str
    group: str
    uid: int
    gid: int
    mtime: int
    link: str
    digest: str


@dataclass(frozen=True)
class Deb:
    """A package's file."""

    path: Path

    def _tar(self, part: str) -> tarfile.TarFile:
        option = {CONTROL: "--ctrl-tarfile", DATA: "--fsys-tarfile"}[part]
        done = subprocess.run(["dpkg-deb", option, str(self.path)], capture_output=True, check=True)
        return tarfile.open(fileobj=io.BytesIO(done.stdout))

    def members(self, part: str = DATA) -> tuple[Member, ...]:
        """In the order of the archive."""
        with self._tar(part) as archive:
            return tuple(_member(archive, entry) for entry in archive)

    def contents(self, part: str = DATA) -> dict[str, bytes]:
        """Regular files by name, without the leading ./"""
        with self._tar(part) as archive:
            files = ((entry.name, archive.extractfile(entry)) for entry in archive if entry.isreg())
            return {_plain(name): file.read() for name, file in files if file is not None}

    def archive_members(self) -> list[str]:
        """The names of the ar archive's members."""
        done = subprocess.run(["ar", "t", str(self.path)], capture_output=True, text=True, check=True)
        return done.stdout.split()


def _member(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> Member:
    content = archive.extractfile(entry) if entry.isreg() else None
    return Member(
        name=_plain(entry.name),
        kind=_KINDS.get(entry.type, repr(entry.type)),
        mode=entry.mode,
        owner=entry.uname,
        group=entry.gname,
        uid=entry.uid,
        gid=entry.gid,
        mtime=int(entry.mtime),
        link=entry.linkname,
        digest=hashlib.sha256(content.read()).hexdigest() if content else "",
    )


def _plain(name: str) -> str:
    return name.removeprefix("./")
