"""Go's build information, in both forms and both byte orders."""

from __future__ import annotations

import io
import struct

import pytest
from elftools.elf.elffile import ELFFile

from builder.errors import VerificationFailed
from builder.package.go_modules import GoBuildInfo, GoModule, read_build_info
from tests.support.releases.tiny_elf import EM_S390, EM_X86_64, BuildInfo, tiny_elf

START, END = (
    bytes.fromhex("3077af0c9274080241e1c107e6d618e6"),
    bytes.fromhex("f932433186182072008242104116d8f2"),
)
GO = "go1.16.3"
ADDRESS, OFFSET = 0x400000, 0x80
TEXT = (
    "path\tgo.etcd.io/etcd/server/v3\n"
    "mod\tgo.etcd.io/etcd/server/v3\t(devel)\t\n"
    "dep\tgo.etcd.io/bbolt\tv1.3.6\th1:bbolt\n"
    "dep\tgithub.com/old/name\tv1.0.0\n"
    "=>\tgithub.com/new/name\tv1.1.0\th1:new\n"
    "dep\tgo.etcd.io/etcd/api/v3\tv3.5.1\n"
    "=>\t../api\t\t\n"
    "build\tGOARCH=amd64\n"
)
EXPECTED = GoBuildInfo(
    GO,
    "go.etcd.io/etcd/server/v3",
    GoModule("go.etcd.io/etcd/server/v3", "(devel)", ""),
    (
        GoModule("go.etcd.io/bbolt", "v1.3.6", "h1:bbolt"),
        GoModule("github.com/new/name", "v1.1.0", "h1:new"),
        GoModule("go.etcd.io/etcd/api/v3", "v3.5.1", ""),
    ),
)


def elf(order: str, data: bytes, flags: int = 6) -> ELFFile:
    """One segment, by default writable, and no sections: what is left of a stripped binary."""
    machine, encoding = (EM_S390, 2) if order == ">" else (EM_X86_64, 1)
    ident = b"\x7fELF" + bytes((2, encoding, 1, 0)) + bytes(8)
    fields = (2, machine, 1, ADDRESS, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = (1, flags, OFFSET, ADDRESS, ADDRESS, len(data), len(data), 0x1000)
    image = ident + struct.pack(f"{order}HHIQQQIHHHHHH", *fields) + struct.pack(f"{order}IIQQQQQQ", *segment)
    return ELFFile(io.BytesIO(image.ljust(OFFSET, b"\0") + data))


def pointed(order: str, text: bytes) -> bytes:
    """The form of Go before 1.18: the header points to two Go strings, each a pointer and a length."""
    header = b"\xff Go buildinf:" + bytes((8, 1 if order == ">" else 0))
    strings, contents = 32, 64
    header += struct.pack(f"{order}QQ", ADDRESS + strings, ADDRESS + strings + 16)
    places = (ADDRESS + contents, len(GO), ADDRESS + contents + len(GO), len(text))
    return header + struct.pack(f"{order}QQQQ", *places) + GO.encode() + text


def inline(text: bytes) -> bytes:
    """The form since Go 1.18: each string after its length as a varint."""
    header = (b"\xff Go buildinf:" + bytes((8, 2))).ljust(32, b"\0")
    assert 0x80 <= len(text) < 0x4000
    return header + bytes((len(GO),)) + GO.encode() + bytes((len(text) & 0x7F | 0x80, len(text) >> 7)) + text


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("form", ["pointed", "inline"])
def test_both_forms_are_read_in_both_byte_orders(order: str, form: str) -> None:
    text = START + TEXT.encode() + END
    data = pointed(order, text) if form == "pointed" else inline(text)
    assert read_build_info(elf(order, data), "etcd") == EXPECTED


@pytest.mark.parametrize("machine", [EM_X86_64, EM_S390])
def test_the_section_with_its_own_name_is_read(machine: int) -> None:
    info = BuildInfo(
        "go.etcd.io/etcd/etcdctl/v3", "go.etcd.io/etcd/etcdctl/v3", "(devel)", (("a.org/b", "v1.2.3"),)
    )
    found = read_build_info(ELFFile(io.BytesIO(tiny_elf("", machine, info))), "etcdctl")
    assert (found.go_version, found.package) == ("go1.24.11", "go.etcd.io/etcd/etcdctl/v3")
    assert [(module.path, module.version) for module in found.modules] == [("a.org/b", "v1.2.3")]


def test_the_header_is_found_at_a_multiple_of_16_alone() -> None:
    stray = b"-" * 8 + b"\xff Go buildinf:" + b"-" * 10
    data = stray + pointed("<", b"").replace(b"\xff Go", b"-- Go")
    with pytest.raises(VerificationFailed):
        read_build_info(elf("<", data), "etcd")


def test_a_header_further_inside_is_found() -> None:
    data = bytes(4096) + inline(START + TEXT.encode() + END)
    assert read_build_info(elf("<", data), "etcd") == EXPECTED


def test_a_module_that_is_replaced_by_a_path_keeps_its_name() -> None:
    (*_, api) = read_build_info(elf("<", inline(START + TEXT.encode() + END)), "etcd").modules
    assert api == GoModule("go.etcd.io/etcd/api/v3", "v3.5.1", "")


def test_without_module_text_the_go_version_is_still_read() -> None:
    found = read_build_info(elf("<", pointed("<", b"")), "etcd")
    assert found == GoBuildInfo(GO, "", GoModule("", "", ""), ())


@pytest.mark.parametrize(
    "binary",
    [
        elf("<", bytes(64)),
        elf("<", b"\xff Go buildinf:\x08\x02"),
        elf("<", inline(START + TEXT.encode() + END), flags=4),
        ELFFile(io.BytesIO(tiny_elf(""))),
    ],
    ids=["nothing", "cut off", "read-only segment", "no section of that name"],
)
def test_a_binary_without_build_information_is_refused_by_name(binary: ELFFile) -> None:
    with pytest.raises(VerificationFailed) as caught:
        read_build_info(binary, "etcdutl")
    assert caught.value.summary == "etcdutl has no Go build information"
