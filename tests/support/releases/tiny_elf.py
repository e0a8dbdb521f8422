"""Real ELF executables of a few hundred bytes that stand for etcd's.

They print one text and carry Go build information.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass

EM_PPC64, EM_S390, EM_X86_64, EM_AARCH64 = 21, 22, 62, 183
# Debian's architecture -> e_machine; s390x alone is big-endian.
MACHINES = {"amd64": EM_X86_64, "arm64": EM_AARCH64, "ppc64el": EM_PPC64, "s390x": EM_S390}
_BIG_ENDIAN = {EM_S390}

# cmd/go/internal/modload: infoStart and infoEnd, the frame around the module text.
_INFO_START = bytes.fromhex("3077af0c9274080241e1c107e6d618e6")
_INFO_END = bytes.fromhex("f932433186182072008242104116d8f2")
_MAGIC = b"\xff Go buildinf:"

_BASE = 0x400000
_PAGE = 0x1000
_HEADER, _SEGMENT, _SECTION = 64, 56, 64


@dataclass(frozen=True)
class BuildInfo:
    """What `go version -m` shows: main package, main module, dependencies and settings."""

    package: str
    module: str
    version: str
    dependencies: tuple[tuple[str, str], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    go: str = "go1.24.11"

    def text(self) -> str:
        """The module text in the format of runtime/debug.BuildInfo.String."""
        lines = [f"path\t{self.package}", f"mod\t{self.module}\t{self.version}\t"]
        lines += [f"dep\t{name}\t{version}\th1:{_sum(name, version)}" for name, version in self.dependencies]
        lines += [f"build\t{key}={value}" for key, value in self.settings]
        return "".join(f"{line}\n" for line in lines)

    def blob(self) -> bytes:
        """The section .go.buildinfo in the inline format that Go writes since 1.18."""
        header = (_MAGIC + bytes((8, 2))).ljust(32, b"\0")
        framed = _INFO_START + self.text().encode() + _INFO_END
        return header + _counted(self.go.encode()) + _counted(framed)


def _sum(name: str, version: str) -> str:
    return base64.b64encode(hashlib.sha256(f"{name}@{version}".encode()).digest()).decode()


def _counted(data: bytes) -> bytes:
    count, prefix = len(data), bytearray()
    while count >= 0x80:
        prefix.append(count & 0x7F | 0x80)
        count >>= 7
    return bytes(prefix) + bytes((count,)) + data


def _code(length: int, distance: int) -> bytes:
    """x86-64: with more than one argument exit 1, else write the text to stdout and exit 0.

    `distance` is from the end of the lea to the text.
    """
    write = b"".join(
        (
            b"\xb8\x01\x00\x00\x00",  # mov eax, 1 (write)
            b"\xbf\x01\x00\x00\x00",  # mov edi, 1
            b"\x48\x8d\x35" + struct.pack("<i", distance),  # lea rsi, [rip + distance]
            b"\xba" + struct.pack("<I", length),  # mov edx, length
            b"\x0f\x05",  # syscall
            b"\xb8\x3c\x00\x00\x00\x31\xff\x0f\x05",  # mov eax, 60 (exit); xor edi, edi; syscall
        )
    )
    refuse = b"\xb8\x3c\x00\x00\x00\xbf\x01\x00\x00\x00\x0f\x05"  # mov eax, 60; mov edi, 1; syscall
    # mov rax, [rsp]; cmp rax, 2; jg refuse
    return b"\x48\x8b\x04\x24\x48\x83\xf8\x02\x7f" + bytes((len(write),)) + write + refuse


def tiny_elf(
    text: str, machine: int = EM_X86_64, info: BuildInfo | None = None, padding: bytes = b""
) -> bytes:
    """A static executable that prints `text`; for other machines than x86-64 it only looks so.

    `padding` lies in the loaded data and gives the file a size.
    """
    order = ">" if machine in _BIG_ENDIAN else "<"
    start = _HEADER + 2 * _SEGMENT
    message = text.encode()
    # The lea ends 27 bytes into the code, and the text follows the code.
    length = len(_code(0, 0))
    code = _code(len(message), length - 27) + message
    data_at = -(-(start + len(code)) // 16) * 16
    data = (info.blob() if info else b"\0" * 16) + padding
    names = b"\0.text\0.go.buildinfo\0.data\0.shstrtab\0"
    names_at = data_at + len(data)
    sections_at = -(-(names_at + len(names)) // 8) * 8

    ident = b"\x7fELF" + bytes((2, 2 if order == ">" else 1, 1, 0)) + bytes(8)
    header = ident + struct.pack(
        f"{order}HHIQQQIHHHHHH",
        *(2, machine, 1, _BASE + start, _HEADER, sections_at),
        # ELFv2 is what Debian's ppc64el is.
        2 if machine == EM_PPC64 else 0,
        *(_HEADER, _SEGMENT, 2, _SECTION, 4, 3),
    )

    def segment(flags: int, offset: int, address: int, size: int) -> bytes:
        return struct.pack(f"{order}IIQQQQQQ", 1, flags, offset, address, address, size, size, _PAGE)

    def section(name: bytes, kind: int, flags: int, address: int, offset: int, size: int) -> bytes:
        return struct.pack(
            f"{order}IIQQQQIIQQ",
            *(names.index(name + b"\0"), kind, flags, address, offset, size, 0, 0, 16, 0),
        )

    data_address = _BASE + _PAGE + data_at
    image = bytearray(header)
    image += segment(5, 0, _BASE, start + len(code)) + segment(6, data_at, data_address, len(data))
    image += code
    image += bytes(data_at - len(image)) + data + names
    image += bytes(sections_at - len(image)) + bytes(_SECTION)
    image += section(b".text", 1, 6, _BASE + start, start, len(code))
    # Without build information the section has the name a linker gives to data.
    image += section(b".go.buildinfo" if info else b".data", 1, 3, data_address, data_at, len(data))
    image += section(b".shstrtab", 3, 0, 0, names_at, len(names))
    return bytes(image)
