"""etcd-ha-archive-keyring: the package by which nodes learn of another key with their upgrades.

Its version grows with each change of the keys. When it is configured, a .sources file that has a key of this
repository inside reads it from the package from then on.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

from debian.deb822 import Deb822

from builder.deb.control import read_control
from builder.deb.repack import Member, packed_archive
from builder.repository.state.index import KEYRING_PACKAGE, Entry, index_entry
from builder.repository.state.layout import Repository
from builder.repository.state.syncing import sync_folder
from builder.system.files import replacing

PLACE = "/usr/share/keyrings/etcd-ha-archive-keyring.gpg"
# Any day will do, as long as the same settings give the same bytes.
_TIME = 1767225600
_PUBLIC_KEY = 6
# A line of ASCII armor, in bytes.
_LINE = 48
_CONTROL = """Package: {package}
Version: {version}
Architecture: all
Multi-Arch: foreign
Section: misc
Priority: optional
Maintainer: {origin} <root@localhost>
Description: keys of the apt repository {origin}
 Installs the next key of the repository before the current one is retired.
 The .sources file below /etc/apt/sources.list.d uses the keys of this package.
"""
_POSTINST = """#!/bin/sh
set -e
if [ "$1" = configure ]; then
    for file in /etc/apt/sources.list.d/*.sources; do
        if [ -f "$file" ] && grep -q -x -F{lines} "$file"; then
            awk '
                /^Signed-By:[ \\t]*$/ {{ print "Signed-By: {place}"; inside = 1; next }}
                inside && /^[ \\t]/ {{ next }}
                {{ inside = 0; print }}
            ' "$file" >"$file.dpkg-new"
            chmod 644 "$file.dpkg-new"
            mv "$file.dpkg-new" "$file"
        fi
    done
fi
"""


def keyring_entry(repository: Repository) -> Entry:
    """The package of the keys in use, as an index lists it; made where it is not there yet.

    Raises DiskFull, OSError, EtcdDebError.
    """
    version = str(repository.settings.keyring_version)
    name = f"keyring/{KEYRING_PACKAGE}_{version}_all.deb"
    file = repository.root / name
    if not file.exists():
        content = keyring_package(repository.keyring.read_bytes(), version, repository.settings.origin)
        with replacing(file, "writing the keyring package") as out:
            out.write(content)
        sync_folder(file.parent)
    # Another etcd-deb may have made it, in other bytes.
    content = file.read_bytes()
    control: Deb822 = read_control(file)
    return index_entry(control, name, len(content), hashlib.sha256(content).hexdigest())


def keyring_package(keys: bytes, version: str, origin: str) -> bytes:
    """A .deb (deb(5)) of these keys, which are in the form that gpgv reads."""
    lines = "".join(f" -e ' {base64.b64encode(key[:_LINE]).decode()}'" for key in _each(keys))
    control = {
        "./control": (0o644, _CONTROL.format(package=KEYRING_PACKAGE, version=version, origin=origin)),
        "./postinst": (0o755, _POSTINST.format(lines=lines, place=PLACE)),
    }
    parts = (
        Member("debian-binary", _TIME, b"2.0\n"),
        Member(
            "control.tar.gz",
            _TIME,
            _tar({name: (mode, text.encode()) for name, (mode, text) in control.items()}),
        ),
        Member("data.tar.gz", _TIME, _tar({f".{PLACE}": (0o644, keys)})),
    )
    return packed_archive(parts)


def _tar(files: dict[str, tuple[int, bytes]]) -> bytes:
    out = io.BytesIO()
    folders = sorted({parent for name in files for parent in Path(name).parents}, key=lambda path: path.parts)
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for folder in folders:
            archive.addfile(
                _owned_by_root("./" if folder == Path() else f"./{folder}/", tarfile.DIRTYPE, 0o755)
            )
        for name, (mode, content) in files.items():
            entry = _owned_by_root(name, tarfile.REGTYPE, mode)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(out.getvalue(), mtime=0)


def _owned_by_root(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime = kind, mode, _TIME
    entry.uname = entry.gname = "root"
    return entry


def _each(keys: bytes) -> Iterator[bytes]:
    """Each key of a file with all that belongs to it (RFC 9580 section 4.2)."""
    starts, at = [], 0
    while at < len(keys):
        tag = keys[at]
        if tag & 0x40:
            kind, octets = tag & 0x3F, 1 if keys[at + 1] < 192 else 2 if keys[at + 1] < 224 else 5
            first = keys[at + 1]
            size = (
                first
                if octets == 1
                else ((first - 192) << 8) + keys[at + 2] + 192
                if octets == 2
                else int.from_bytes(keys[at + 2 : at + 6], "big")
            )
        else:
            kind, octets = tag >> 2 & 0x0F, 1 << (tag & 3)
            size = int.from_bytes(keys[at + 1 : at + 1 + octets], "big")
        if kind == _PUBLIC_KEY:
            starts.append(at)
        at += 1 + octets + size
    for start, end in zip(starts, [*starts[1:], len(keys)], strict=True):
        yield keys[start:end]
