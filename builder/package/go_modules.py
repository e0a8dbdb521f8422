"""Go's build information inside a binary: which Go, which modules (Go: src/debug/buildinfo).

Two forms are read: Go 1.18 and later hold the strings inline, older ones hold pointers to them. Foreign
architectures of both byte orders are read as well.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from elftools.elf.elffile import ELFFile

from builder.errors import VerificationFailed

_MAGIC = b"\xff Go buildinf:"
_ALIGN = 16
_HEADER = 32
_SEARCHED = 1024 * 1024
# The module text is between two 16-byte marks that keep it recognizable in memory.
_MARK = 16


@dataclass(frozen=True, slots=True)
class GoModule:
    """A module linked into a binary; sum is go.sum's `h1:` hash, empty for the main module."""

    path: str
    version: str
    sum: str


@dataclass(frozen=True, slots=True)
class GoBuildInfo:
    """What `go version -m` prints of a binary."""

    go_version: str
    package: str
    main: GoModule
    modules: tuple[GoModule, ...]


def read_build_info(elf: ELFFile, name: str) -> GoBuildInfo:
    """The build information of an ELF file. Raises VerificationFailed where there is none."""
    header, offset = _find(elf)
    if not header:
        raise VerificationFailed(
            f"{name} has no Go build information",
            details=("expected  an upstream binary, built by Go with modules",),
            hint="check where the tarball came from",
        )
    pointer_size, flags = header[14], header[15]
    if flags & 2:
        start = offset + _HEADER
        go_version, start = _inline(elf, start)
        text, _ = _inline(elf, start)
    else:
        order = ">" if flags & 1 else "<"
        go_version, text = (
            _pointed(elf, header[16 + i * pointer_size :], order, pointer_size) for i in (0, 1)
        )
    return _parse(go_version.decode("utf-8", "replace"), text)


def _find(elf: ELFFile) -> tuple[bytes, int]:
    section = elf.get_section_by_name(".go.buildinfo")
    places = [section["sh_offset"]] if section else _writable(elf)
    for place in places:
        elf.stream.seek(place)
        data = elf.stream.read(_SEARCHED)
        at = data.find(_MAGIC)
        while at >= 0 and at % _ALIGN:
            at = data.find(_MAGIC, at + 1)
        if 0 <= at <= len(data) - _HEADER:
            return data[at : at + _HEADER], place + at
    return b"", 0


def _writable(elf: ELFFile) -> Iterator[int]:
    for segment in elf.iter_segments():
        if segment["p_type"] == "PT_LOAD" and segment["p_flags"] & 2:
            yield segment["p_offset"]


def _inline(elf: ELFFile, offset: int) -> tuple[bytes, int]:
    elf.stream.seek(offset)
    head = elf.stream.read(10)
    length = shift = used = 0
    for byte in head:
        length |= (byte & 0x7F) << shift
        used += 1
        if byte < 0x80:
            break
        shift += 7
    elf.stream.seek(offset + used)
    return elf.stream.read(min(length, _SEARCHED)), offset + used + length


def _pointed(elf: ELFFile, header: bytes, order: str, pointer_size: int) -> bytes:
    """The Go string (pointer and length) that the header points to."""
    word = f"{order}{'Q' if pointer_size == 8 else 'I'}"
    string = _at(elf, struct.unpack_from(word, header)[0], 2 * pointer_size)
    if len(string) < 2 * pointer_size:
        return b""
    start = struct.unpack_from(word, string)[0]
    length = struct.unpack_from(word, string, pointer_size)[0]
    return _at(elf, start, min(length, _SEARCHED))


def _at(elf: ELFFile, address: int, length: int) -> bytes:
    for offset in elf.address_offsets(address):
        elf.stream.seek(offset)
        return bytes(elf.stream.read(length))
    return b""


def _parse(go_version: str, text: bytes) -> GoBuildInfo:
    if len(text) >= 2 * _MARK + 1 and text[-_MARK - 1 : -_MARK] == b"\n":
        text = text[_MARK:-_MARK]
    package, main, modules = "", GoModule("", "", ""), list[GoModule]()
    for line in text.decode("utf-8", "replace").splitlines():
        kind, *rest = line.split("\t")
        path, version, digest = (*rest, "", "", "")[:3]
        if kind == "path":
            package = path
        elif kind == "mod":
            main = GoModule(path, version, digest)
        elif kind == "dep":
            modules.append(GoModule(path, version, digest))
        elif kind == "=>" and modules and not path.startswith((".", "/")):
            # The module that was actually linked is on the line after the one it replaces. A path in its
            # place is the module itself, from the same checkout (etcd 3.5: replace … => ../api).
            modules[-1] = GoModule(path, version, digest)
    return GoBuildInfo(go_version, package, main, tuple(modules))
