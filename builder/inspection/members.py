"""Which members a package has, with their kinds, modes and owners: what can be judged without a build."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from builder import shipped
from builder.deb.compare import Difference, how_often
from builder.deb.deb_file import PARTS, DebFile
from builder.deb.tar_part import Entry, Part
from builder.package.completions import FILE_NAMES, OWN
from builder.version import UpstreamVersion

OWNER = "0:0 root:root"
_FORMAT = hashlib.sha256(b"2.0\n").hexdigest()
# Where files can be run; all others have the mode 0644.
_PROGRAMS = {
    *("usr/lib/etcd-ha", "usr/lib/etcd-ha/bin", "usr/lib/etcd-ha/client"),
    *("usr/lib/systemd/system-generators", "usr/sbin"),
}
_DOCUMENTS = (
    *("NEWS.Debian.gz", "README.Debian.gz", "changelog.Debian.gz", "copyright"),
    *("provenance.json", "sbom.spdx.json", "toolchain"),
)
# What debhelper installs by other files than debian/etcd-ha.install.
_FILES = (
    *(f"usr/lib/systemd/system/etcd.{kind}" for kind in ("path", "service")),
    *(f"usr/lib/systemd/system/etcd-ha-backup.{kind}" for kind in ("service", "timer")),
    *("usr/lib/sysusers.d/etcd-ha.conf", "usr/lib/tmpfiles.d/etcd-ha.conf"),
    "usr/share/lintian/overrides/etcd-ha",
    *(f"usr/share/doc/etcd-ha/{name}" for name in _DOCUMENTS),
)
_SCRIPTS = ("config", "postinst", "postrm", "preinst", "prerm")
_CONTROL = {
    **dict.fromkeys(("conffiles", "control", "md5sums", "templates", "triggers"), 0o644),
    **dict.fromkeys(_SCRIPTS, 0o755),
}


def expected_members(version: UpstreamVersion) -> dict[str, dict[str, int]]:
    """The mode of each member of each part, by its name as dpkg-deb writes it; directories end in a slash."""
    files = dict.fromkeys(_FILES, 0o644)
    for line in (shipped.DEBIAN_TEMPLATE / "etcd-ha.install").read_text(encoding="utf-8").splitlines():
        pattern, target = line.split()
        mode = 0o755 if target in _PROGRAMS else 0o644
        files |= {f"{target}/{name}": mode for name in _sources(pattern, version)}
    for page in (shipped.DEBIAN_TEMPLATE / "man").iterdir():
        if page.stem in {*version.programs, *OWN}:
            files[f"usr/share/man/man{page.suffix[1:]}/{page.name}.gz"] = 0o644
    for example in (shipped.DEBIAN_TEMPLATE / "examples").iterdir():
        mode = 0o755 if example.name.startswith("backup-hook-") else 0o644
        files[f"usr/share/doc/etcd-ha/examples/{example.name}"] = mode
    parents = {
        parent for name in (*files, "etc/etcd/x") for parent in PurePosixPath(name).parents if parent.name
    }
    return {
        "control.tar": {"./": 0o755} | {f"./{name}": mode for name, mode in _CONTROL.items()},
        "data.tar": {"./": 0o755}
        | {f"./{parent}/": 0o755 for parent in parents}
        | {f"./{name}": mode for name, mode in files.items()},
    }


def _sources(pattern: str, version: UpstreamVersion) -> list[str]:
    """The names that a pattern of debian/etcd-ha.install stands for."""
    folder, _, rest = pattern.partition("/")
    match folder:
        case "bin":
            return list(version.programs)
        case "completions":
            return [FILE_NAMES[rest.partition("/")[0]].format(name) for name in {*version.programs, *OWN}]
        case _:
            found = [*shipped.DEBIAN_TEMPLATE.glob(rest), *shipped.DEBIAN_TEMPLATE.glob(f"{rest}.j2")]
            return list(dict.fromkeys(file.name.removesuffix(".j2") for file in found if file.is_file()))


def odd_archives(deb: DebFile) -> Iterator[Difference]:
    """What no etcd-deb builds: other members of the outer archive, bytes behind one, a path twice, links."""
    names = [f"{part}{deb.suffix(part)}" for part in PARTS]
    expected = ["debian-binary", *names]
    there = [member.name for member in deb.members]
    for name in dict.fromkeys(there):
        if there.count(name) != expected.count(name):
            yield Difference(
                f"ar {name}", "member", how_often(expected.count(name)), how_often(there.count(name))
            )
    if sorted(there) == sorted(expected) and there != expected:
        yield Difference("the ar archive", "order", " ".join(expected), " ".join(there))
    if deb.after:
        yield Difference("the ar archive", "bytes after its last member", "0", str(deb.after))
    if deb.members[0].sha256 != _FORMAT:
        yield Difference("ar debian-binary", "content", "2.0", "another")
    if deb.suffix("control.tar") != deb.suffix("data.tar"):
        yield Difference("the ar archive", "compression", "one for both parts", " and ".join(names))
    for name, part in zip(PARTS, deb.parts, strict=True):
        if part.fault:
            yield Difference(name, "archive", "whole", part.fault)
        yield from _doubled(name, part)
        for entry in part.entries:
            yield from _unusual(f"{name} {entry.name}", entry)


def _doubled(name: str, part: Part) -> Iterator[Difference]:
    seen = dict[str, str]()
    for entry in part.entries:
        # As dpkg takes it: ././x and x are the same file.
        path = str(PurePosixPath("/", entry.name))
        if path in seen:
            yield Difference(f"{name} {entry.name}", "member", "once", f"again after {seen[path]}")
        seen[path] = entry.name


def _unusual(where: str, entry: Entry) -> Iterator[Difference]:
    # With each of these dpkg may install a file in another place than this reader has found it.
    extra = ", ".join("=".join(pair) for pair in entry.extra) or "none"
    if entry.kind not in ("file", "directory"):
        yield Difference(where, "kind", "file or directory", f"{entry.kind} {entry.link}".rstrip())
    if entry.extra:
        yield Difference(where, "extended header", "none", extra)
    if ".." in entry.name.split("/"):
        yield Difference(where, "name", "one without ..", entry.name)


def odd_members(deb: DebFile, version: UpstreamVersion) -> Iterator[Difference]:
    """Members that this etcd-deb does not build of that version, or builds otherwise; those that it lacks."""
    for name, part in zip(PARTS, deb.parts, strict=True):
        modes = expected_members(version)[name]
        there = {_name(entry) for entry in part.entries}
        for absent in sorted(modes.keys() - there):
            yield Difference(f"{name} {absent}", "member", "there", "absent")
        for entry in part.entries:
            yield from _odd(f"{name} {_name(entry)}", entry, modes.get(_name(entry)))


def _name(entry: Entry) -> str:
    # tarfile takes the slash off a directory's name.
    return f"{entry.name}/" if entry.kind == "directory" else entry.name


def _odd(where: str, entry: Entry, mode: int | None) -> Iterator[Difference]:
    if mode is None:
        yield Difference(where, "member", "absent", f"a {entry.kind} {entry.mode:04o} {entry.link}".rstrip())
        return
    facts = (
        ("mode", f"{mode:04o}", f"{entry.mode:04o}"),
        ("owner", OWNER, entry.owner),
    )
    for what, expected, found in facts:
        if expected != found:
            yield Difference(where, what, expected, found)


def odd_times(deb: DebFile, released: int) -> Iterator[Difference]:
    """Members of another time than the release's, seconds since 1970."""
    times = [(f"ar {member.name}", " ".join(member.attributes[:12].split())) for member in deb.members]
    for name, part in zip(PARTS, deb.parts, strict=True):
        times += [(f"{name} {entry.name}", entry.time) for entry in part.entries]
    for where, time in times:
        if time != str(released):
            yield Difference(where, "time", f"{released}, the release's", time)
