"""Inputs of etcd-deb, made up at random: what may be said to it, and what files may hold."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis import strategies as st

from builder.deb.repack import Member, packed_archive
from builder.deb.tar_part import PROVENANCE, TOOLCHAIN
from builder.package.provenance import BUILDER
from builder.settings import Settings
from tests.support.archives.publisher import SUITE
from tests.support.releases.fake_release import VERSION, Tarball, binaries, sha256, tarball_name

TOP = Tarball().top
NAMES = tuple(Settings.__dataclass_fields__)
# What readers stumble over: ends of lines for some of them, NUL, no text at all, huge numbers, ways out.
ODD = st.sampled_from(
    [
        *(
            "",
            " ",
            "\n",
            "\r",
            "\0",
            "\x1b[2J",
            "\x85",
            "\u2028",
            "é",
            "\udcff",
            "-",
            "--",
            "~",
            "..",
            "../x",
        ),
        *(
            "/x",
            "/dev/null",
            "%00",
            "%",
            "{",
            "[" * 3000,
            "9" * 5000,
            "1" * 64,
            "x" * 300,
            "nan",
            "1e400",
            "-1",
        ),
        *("v3.6.99", "3.6", "latest", "all", "host", "https://", "http://[::1", "file:", "a: b\n c", "<a@b>"),
    ]
)
TEXT = st.one_of(
    ODD, st.text(max_size=12), st.lists(st.one_of(ODD, st.text(max_size=4)), max_size=3).map("".join)
)
# No argument and no variable holds NUL: execve(2) ends them there.
WORD = TEXT.map(lambda text: text.replace("\0", ""))


@dataclass(frozen=True)
class Case:
    """One run: files in the folder it runs in, and what is said to it.

    {0} stands for that folder, {1} for the repository.
    """

    words: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


def damaged(whole: bytes) -> st.SearchStrategy[bytes]:
    """The same with some bytes other, gone or more."""
    change = st.tuples(st.integers(0, max(len(whole) - 1, 0)), st.integers(0, 3), st.binary(max_size=3))

    def apply(changes: list[tuple[int, int, bytes]]) -> bytes:
        content = bytearray(whole)
        for place, length, other in changes:
            content[place : place + length] = other
        return bytes(content)

    return st.lists(change, min_size=1, max_size=4).map(apply)


def built(*words: str) -> tuple[str, ...]:
    return ("build", "v3.6.99", "--arch", "amd64", "--source", "{0}/releases", "--output", "{0}/dist", *words)


@st.composite
def options(draw: st.DrawFn) -> Case:
    names = (
        "--revision",
        "--maintainer",
        "--arch",
        "--source",
        "--compression",
        "--pins",
        "--output",
        "--key",
    )
    command = draw(
        st.sampled_from(["build", "source", "fetch", "pin", "versions", "inspect", "publish", "sync"])
    )
    words = [command, draw(WORD)]
    for name in draw(st.lists(st.sampled_from(names), max_size=3)):
        words += [name, draw(WORD)]
    # Nobody is asked: a source that is a URL would be.
    return Case((*words, "--source", "{0}/releases"))


@st.composite
def environment(draw: st.DrawFn) -> Case:
    ours = st.sampled_from([f"ETCD_DEB_{name.upper()}" for name in (*NAMES, "config", "pin", "outputs")])
    others = st.sampled_from(
        ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "GITHUB_TOKEN", "LC_ALL", "COLUMNS"]
    )
    variables = draw(st.dictionaries(st.one_of(ours, others), WORD, min_size=1, max_size=3))
    return Case(("versions", "--source", "{0}/releases"), variables=variables)


@st.composite
def toml(draw: st.DrawFn) -> Case:
    values = st.one_of(
        TEXT.map(lambda text: "".join(f"\\U{ord(char) % 0xD800:08x}" for char in text)).map('"{}"'.format),
        st.sampled_from(
            ["1", "[]", '["3.6"]', '["\\u0000"]', "true", "nan", "9" * 5000, "[" * 2000, "{a=1}"]
        ),
        TEXT,
    )
    lines = draw(st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), TEXT), values), min_size=1, max_size=3))
    text = "".join(f"{name} = {value}\n" for name, value in lines)
    files = {"settings.toml": text.encode("utf-8", "surrogateescape")}
    return Case(("--config", "{0}/settings.toml", "versions", "--source", "{0}/releases"), files)


@st.composite
def pins(draw: st.DrawFn) -> Case:
    line = st.tuples(st.one_of(st.just("0" * 64), TEXT), st.one_of(st.just(tarball_name()), TEXT))
    text = "".join(f"{digest}  {name}\n" for digest, name in draw(st.lists(line, max_size=3)))
    content = draw(
        st.one_of(st.just(text.encode("utf-8", "replace")), damaged(text.encode("utf-8", "replace")))
    )
    return Case(built("--pins", "{0}/pins"), {"pins": content})


def deb(control: bytes, files: Mapping[str, bytes] | None = None) -> bytes:
    """A package with this control file, and these files in it, compressed if there are some."""
    parts = {"control.tar": _tar({"./control": control}), "data.tar": _tar(files) if files else b""}
    if files:
        parts = {f"{name}.gz": gzip.compress(content, 1, mtime=0) for name, content in parts.items()}
    whole = {"debian-binary": b"2.0\n", **parts}
    return packed_archive(Member(name, 0, content) for name, content in whole.items())


def _tar(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


CONTROL = {"Package": "etcd-ha", "Version": "3.6.7-1", "Architecture": "amd64", "Description": "a\n b"}


@st.composite
def packages(draw: st.DrawFn) -> Case:
    fields = dict(CONTROL)
    for name in draw(st.lists(st.sampled_from([*CONTROL, "Filename", "SHA256", "Depends"]), max_size=2)):
        fields[name] = draw(TEXT)
    for name in draw(st.lists(st.sampled_from(sorted(CONTROL)), max_size=1)):
        del fields[name]
    text = "".join(f"{name}: {value}\n" for name, value in fields.items()).encode("utf-8", "surrogateescape")
    content = draw(st.one_of(st.just(deb(text)), damaged(deb(text))))
    words = draw(
        st.sampled_from(
            [("publish", "{0}/a.deb", "--repo", "{1}", "--suite", SUITE), ("inspect", "{0}/a.deb")]
        )
    )
    return Case(words, {"a.deb": content})


@st.composite
def inspected(draw: st.DrawFn) -> Case:
    fields = {**CONTROL, "Maintainer": "A B <a@b.example>", "Version": f"{VERSION}-1"}
    said: dict[str, object] = {
        **{"format": 1, "builder": BUILDER, "version": VERSION, "architecture": "amd64", "url": "file:x"},
        **{"tarball": tarball_name(), "sha256": "0" * 64, "vouchers": ["a"], "programs": {"etcd": "0" * 64}},
    }
    for name in draw(st.lists(st.sampled_from(sorted(said)), max_size=2)):
        said[name] = draw(st.one_of(TEXT, st.lists(TEXT, max_size=2), st.integers()))
    for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=1)):
        fields[name] = draw(TEXT)
    toolchain = draw(st.one_of(st.just("debian trixie\nxz-utils 1\n"), TEXT))
    control = "".join(f"{name}: {value}\n" for name, value in fields.items())
    files = {PROVENANCE: json.dumps(said).encode(), TOOLCHAIN: toolchain.encode("utf-8", "surrogateescape")}
    content = deb(control.encode("utf-8", "surrogateescape"), files)
    words = ("inspect", "{0}/a.deb", "--source", "{0}/releases", *draw(st.sampled_from([(), ("--rebuild",)])))
    return Case(words, {"a.deb": draw(st.one_of(st.just(content), damaged(content)))})


@st.composite
def changes(draw: st.DrawFn) -> Case:
    content = deb("".join(f"{name}: {value}\n" for name, value in CONTROL.items()).encode())
    row = [sha256(content), str(len(content)), "a.deb"]
    row[draw(st.integers(0, 2))] = draw(TEXT)
    text = f"Format: 1.8\nChecksums-Sha256:\n {' '.join(row)}\nFiles:\n".encode("utf-8", "surrogateescape")
    files = {"a.deb": content, "a.changes": draw(st.one_of(st.just(text), damaged(text)))}
    return Case(("publish", "{0}/a.changes", "--repo", "{1}", "--suite", SUITE), files)


@st.composite
def tarballs(draw: st.DrawFn) -> Case:
    whole = Tarball().programs(binaries(version="3.6.98"))
    number = st.sampled_from(["nan", "inf", "-1", "x", "1e300", "9" * 20])
    key = st.sampled_from(
        ["mtime", "size", "uid", "path", "GNU.sparse.map", "GNU.sparse.size", "GNU.sparse.name"]
    )
    headers = draw(st.dictionaries(key, number, max_size=2))
    raw = whole.with_pax(f"{TOP}/note", b"x", headers).raw()
    content = draw(st.one_of(damaged(raw).map(gzip.compress), damaged(gzip.compress(raw, 1))))
    name = f"releases/v{VERSION}/{tarball_name()}"
    files = {name: content, "pins": f"{sha256(content)}  {tarball_name()}\n".encode()}
    # Its programs say another version: whatever the damage, there is nothing to pack.
    return Case(built("--pins", "{0}/pins"), files)


CASES = st.one_of(
    WORD.map(lambda word: Case(("build", word, "--source", "{0}/releases"))),
    *(options(), environment(), toml(), pins(), packages(), inspected(), changes(), tarballs()),
)
