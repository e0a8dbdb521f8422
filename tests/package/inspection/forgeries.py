"""Packages that somebody has changed: taken apart, changed in one place, put together as before."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from builder.deb.repack import Member, members, packed_archive
from builder.deb.tar_part import PROVENANCE, TOOLCHAIN
from tests.support.releases.fake_release import VERSION

ETCD, ETCDCTL = "./usr/lib/etcd-ha/bin/etcd", "./usr/lib/etcd-ha/bin/etcdctl"
UNIT = "./usr/lib/systemd/system/etcd.service"
CRON = "./etc/cron.d/etcd-ha"
TOOL = "./usr/sbin/etcd-ha"
CONTROL, POSTINST = "./control", "./postinst"
LIB = "./usr/lib/etcd-ha/lib/yaml.sh"
PYTHON = "./usr/share/etcd-ha/etcd_ha/check/check.py"
Content = bytes | None


@dataclass
class Package:
    """A .deb compressed by gzip, in pieces that may be changed.

    control and data: the tar members with their content. behind: bytes after the outer archive; extra: its
    members besides the three; form: the tar format; rest: bytes after the end of data.tar.
    """

    time: int
    control: list[tuple[tarfile.TarInfo, Content]]
    data: list[tuple[tarfile.TarInfo, Content]]
    version: bytes = b"2.0\n"
    compression: str = "gz"
    level: int = 6
    form: int = tarfile.GNU_FORMAT
    behind: bytes = b""
    rest: bytes = b""
    extra: list[Member] = field(default_factory=list)

    def part(self, name: str) -> list[tuple[tarfile.TarInfo, Content]]:
        """The list of members that the named one is, or would be, in."""
        return self.control if name.count("/") == 1 else self.data

    def find(self, name: str) -> tarfile.TarInfo:
        return next(info for info, _ in self.part(name) if info.name == name)

    def content(self, name: str) -> bytes:
        return next(content for info, content in self.part(name) if info.name == name) or b""

    def put(self, name: str, content: bytes, *, mode: int = 0o644) -> None:
        """A regular file: instead of the one of that name, or as the last member."""
        part = self.part(name)
        for place, (info, _) in enumerate(part):
            if info.name == name:
                info.size = len(content)
                part[place] = info, content
                return
        self.add(name, content, mode=mode)

    def add(self, name: str, content: bytes = b"", *, mode: int = 0o644, **other: str | bytes) -> None:
        """One more member, also where there is one of that name."""
        info = tarfile.TarInfo(name)
        info.mode, info.mtime, info.size = mode, self.time, len(content)
        info.uname = info.gname = "root"
        for key, value in other.items():
            setattr(info, key, value)
        part = self.control if name.count("/") == 1 else self.data
        part.append((info, content))

    def edit(self, name: str, change: Callable[[bytes], bytes]) -> None:
        before = self.content(name)
        assert change(before) != before
        self.put(name, change(before))

    def write(self, path: Path) -> Path:
        parts = [
            Member("debian-binary", self.time, self.version),
            *(
                Member(f"{name}.{self.compression}", self.time, self._packed(part, rest))
                for name, part, rest in (
                    ("control.tar", self.control, b""),
                    ("data.tar", self.data, self.rest),
                )
            ),
            *self.extra,
        ]
        path.write_bytes(packed_archive(parts) + self.behind)
        return path

    def _packed(self, part: list[tuple[tarfile.TarInfo, Content]], rest: bytes) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=self.form) as archive:
            for info, content in part:
                archive.addfile(info, io.BytesIO(content or b""))
        plain = out.getvalue() + rest
        if self.compression == "xz":
            return lzma.compress(plain)
        return gzip.compress(plain, self.level, mtime=0)


def taken_apart(path: Path) -> Package:
    """A genuine package, compressed by gzip, in pieces."""
    with path.open("rb") as stream:
        _, control, data = members(stream)
    return Package(control.time, _members(control.content), _members(data.content))


def _members(compressed: bytes) -> list[tuple[tarfile.TarInfo, Content]]:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(compressed))) as archive:
        found = []
        for info in archive:
            content = archive.extractfile(info) if info.isreg() else None
            # tarfile takes the slash off, and writes it again.
            found.append((info, content.read() if content else None))
        return found


def _control(package: Package, before: str, after: str) -> None:
    package.edit(CONTROL, lambda text: text.replace(before.encode(), after.encode()))


def _other_kind(kind: bytes, target: str = "") -> Callable[[Package], None]:
    def change(package: Package) -> None:
        info = package.find(UNIT)
        info.type, info.linkname, info.size = kind, target, 0

    return change


def _set(name: str, **attributes: object) -> Callable[[Package], None]:
    def change(package: Package) -> None:
        for key, value in attributes.items():
            setattr(package.find(name), key, value)

    return change


def _add_conffile(package: Package) -> None:
    package.add("./etc/default/etcd-ha", b"evil\n")
    package.edit("./conffiles", lambda text: text + b"/etc/default/etcd-ha\n")


def _drop(package: Package) -> None:
    package.data = [(info, content) for info, content in package.data if info.name != UNIT]


def _other_order(package: Package) -> None:
    package.data[-1], package.data[-2] = package.data[-2], package.data[-1]


def _xz_with_others_inside(package: Package) -> None:
    package.compression = "xz"
    package.edit(POSTINST, more)


def _attributes(**changes: object) -> Callable[[Package], None]:
    def change(package: Package) -> None:
        for key, value in changes.items():
            setattr(package, key, value)

    return change


def _xattr(package: Package) -> None:
    package.form = tarfile.PAX_FORMAT
    package.find(ETCD).pax_headers = {"SCHILY.xattr.security.capability": "cap_sys_admin"}


def provenance_says(**changes: object) -> Callable[[Package], None]:
    def change(package: Package) -> None:
        package.edit(
            PROVENANCE, lambda text: (json.dumps({**json.loads(text), **changes}, indent=1) + "\n").encode()
        )

    return change


def more(text: bytes) -> bytes:
    return text + b"evil\n"


def other_program(unit: bytes) -> bytes:
    return unit.replace(b"bin/etcd ", b"bin/evil ")


def other_release(text: bytes) -> bytes:
    return text.replace(text.split(b"\n")[0], b"debian sid")


# What somebody did to a package, and the member that is named for it.
FORGERIES: dict[str, tuple[Callable[[Package], None], str]] = {
    "program": (lambda deb: deb.edit(ETCDCTL, lambda content: content + b"\n"), ETCDCTL),
    "shell code": (lambda deb: deb.edit(LIB, more), LIB),
    "python code": (lambda deb: deb.edit(PYTHON, more), PYTHON),
    "diverted unit": (lambda deb: deb.edit(UNIT, other_program), UNIT),
    "unit of the admin's": (lambda deb: deb.add("./etc/systemd/system/etcd.service"), "system/etcd.service"),
    "cron file": (lambda deb: deb.add(CRON, b"* * * * * root evil\n"), CRON),
    "member taken out": (_drop, UNIT),
    "mode": (_set(TOOL, mode=0o775), TOOL),
    "setuid": (_set(ETCD, mode=0o4755), ETCD),
    "owner": (_set(TOOL, uid=1000, uname="mallory"), TOOL),
    "owner by name alone": (_set(TOOL, gname="mallory"), TOOL),
    "time": (_set(TOOL, mtime=1), TOOL),
    "symbolic link": (_other_kind(tarfile.SYMTYPE, "/tmp/evil"), UNIT),  # noqa: S108
    "hard link": (_other_kind(tarfile.LNKTYPE, TOOL), UNIT),
    "device": (_other_kind(tarfile.CHRTYPE), UNIT),
    "same path twice": (lambda deb: deb.add(TOOL, b"evil\n", mode=0o755), TOOL),
    "same path by ././": (lambda deb: deb.add("./" + TOOL, b"evil\n", mode=0o755), "././usr/sbin/etcd-ha"),
    "script": (lambda deb: deb.edit(POSTINST, more), POSTINST),
    "script twice": (lambda deb: deb.add(POSTINST, b"#!/bin/sh\nevil\n", mode=0o755), POSTINST),
    "another script": (lambda deb: deb.add("./evil", b"#!/bin/sh\nevil\n", mode=0o755), "control.tar ./evil"),
    "field": (lambda deb: _control(deb, "\nDepends: ", "\nDepends: evil, "), "field Depends"),
    "field more": (lambda deb: _control(deb, "Priority:", "Essential: yes\nPriority:"), "field Essential"),
    "version": (lambda deb: _control(deb, f"Version: {VERSION}-1", "Version: 3.6.7-1"), "field Version"),
    "architecture": (lambda deb: _control(deb, "ture: amd64", "ture: arm64"), "field Architecture"),
    "tarball": (lambda deb: _control(deb, "Upstream-Sha256: ", "Upstream-Sha256: 0"), "Upstream-Sha256"),
    "substitution": (lambda deb: _control(deb, "Maintainer: ", "Maintainer: ${Newline}"), "field Maintainer"),
    "conffile": (_add_conffile, "./etc/default/etcd-ha"),
    "md5sums": (lambda deb: deb.edit("./md5sums", lambda text: text.replace(b"0", b"1", 1)), "./md5sums"),
    "triggers": (lambda deb: deb.edit("./triggers", lambda text: text + b"activate x\n"), "./triggers"),
    "order": (_other_order, "order of members"),
    "extended attribute": (_xattr, f"data.tar {ETCD}: extended header"),
    "another tar format": (_attributes(form=tarfile.USTAR_FORMAT), "data.tar: bytes between its members"),
    "bytes after the tar": (_attributes(rest=b"evil" * 9999), "data.tar: archive"),
    "bytes after the ar": (_attributes(behind=b"evil"), "bytes after its last member"),
    "member of the ar": (_attributes(extra=[Member("_evil", 0, b"evil")]), "ar _evil"),
    "data twice": (_attributes(extra=[Member("data.tar.gz", 0, b"evil")]), "ar data.tar.gz"),
    "format of the deb": (_attributes(version=b"2.1\n"), "ar debian-binary"),
    "time in the ar": (_attributes(time=1), "ar debian-binary: time"),
    "another level": (_attributes(level=1), "ar data.tar.gz: compressed bytes of the same archive"),
    "another compression": (_xz_with_others_inside, POSTINST),
    "digest in the provenance": (provenance_says(sha256="0" * 64), PROVENANCE),
    "program in the provenance": (provenance_says(programs={"etcd": "0" * 64}), PROVENANCE),
    "release in the provenance": (provenance_says(version="3.6.7"), "field Version"),
    "words more in the provenance": (provenance_says(evil="yes"), PROVENANCE),
    "toolchain": (lambda deb: deb.edit(TOOLCHAIN, other_release), TOOLCHAIN),
}  # fmt: skip

# What the quick look does not read is named by it, each time.
NOT_READ = {
    *(
        "shell code",
        "python code",
        "diverted unit",
        "script",
        "field",
        "field more",
        "md5sums",
        "triggers",
        "order",
    ),
    *(
        "another tar format",
        "another compression",
        "another level",
        "words more in the provenance",
        "toolchain",
    ),
}
