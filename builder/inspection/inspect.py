"""What a package is, by what was compared of it: in part without a build, or whole by building it again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from builder.deb.compare import Difference
from builder.deb.deb_file import DebFile, read_deb
from builder.deb.tar_part import PROVENANCE
from builder.errors import DownloadFailed, EtcdDebError, NoSuchRelease, VerificationFailed
from builder.inspection.claims import Claims, Named, contradictions, named_build, read_claims
from builder.inspection.members import odd_archives, odd_members, odd_times
from builder.inspection.rebuild import rebuild
from builder.package.chroot import NoChroot
from builder.package.examine import ExaminedBinaries
from builder.package.provenance import BUILDER, Provenance, provenance_of
from builder.package.toolchain import Toolchain
from builder.pipeline import fetch_all, prepare
from builder.release.fetch import Sources
from builder.release.pins import Pins
from builder.system.files import work_folder
from builder.system.progress import Progress

PROGRAMS = "./usr/lib/etcd-ha/bin/"
WHERE = f"data.tar {PROVENANCE}"
NO_SUCH_PACKAGE = f"{BUILDER} does not build such a package"
MEMBERS = "the list of members, their kinds, modes and owners"
WORDS = "the maintainer, the origin of the tarball, and who vouched for it at build time"
_NO_RELEASE = (NoSuchRelease, DownloadFailed, VerificationFailed)


class Verdict(StrEnum):
    """What was found, by name in JSON."""

    REBUILT = "the whole package is what etcd-deb builds from the release"
    RELEASE = "the programs are those of the release"
    DIFFERENT = "not what etcd-deb builds from the release"
    UNKNOWN = "not compared"


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of the comparison, and what it is based on. differences: all that were found."""

    verdict: Verdict
    reason: str
    compared: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """A package file. version, architecture, provenance and toolchain are its own words; the rest was found.

    sha256: of the file. programs: SHA-256 of each program in it.
    """

    package: str
    version: str
    architecture: str
    provenance: Provenance
    toolchain: Toolchain | None
    sha256: str
    programs: dict[str, str]
    finding: Finding


def inspect(package: Path, sources: Sources, pins: Pins, progress: Progress) -> Inspection:
    """The quick look: the programs against the release, and of the rest what can be judged without a build.

    Raises EtcdDebError for a file that is no package of etcd-ha.
    """
    deb = read_deb(package)
    claims = read_claims(deb)
    return _inspection(deb, claims, _look(deb, claims, sources, pins, progress))


def inspect_by_rebuild(package: Path, sources: Sources, pins: Pins, progress: Progress) -> Inspection:
    """The whole package: built again of its release, and compared byte for byte.

    Raises EtcdDebError for a file that is no package of etcd-ha, and what a build raises.
    """
    deb = read_deb(package)
    claims = read_claims(deb)
    return _inspection(deb, claims, _build_again(deb, claims, sources, pins, progress))


def _inspection(deb: DebFile, claims: Claims, finding: Finding) -> Inspection:
    control = claims.control
    return Inspection(
        control["Package"],
        control["Version"],
        control["Architecture"],
        claims.provenance,
        claims.toolchain,
        deb.sha256,
        _programs(deb),
        finding,
    )


def _programs(deb: DebFile) -> dict[str, str]:
    return {
        entry.name.removeprefix(PROGRAMS): entry.sha256
        for entry in deb.data.entries
        if entry.name.startswith(PROGRAMS) and entry.kind == "file"
    }


def _look(deb: DebFile, claims: Claims, sources: Sources, pins: Pins, progress: Progress) -> Finding:
    named = named_build(claims)
    if not isinstance(named, Named):
        return _different(NO_SUCH_PACKAGE, named)
    if odd := _odd(deb, claims, named, pins):
        return _different(NO_SUCH_PACKAGE, odd)
    try:
        with _release(named, sources, pins, progress) as (examined, _):
            differences = tuple(_against(examined, deb, claims))
    except _NO_RELEASE as error:
        return Finding(Verdict.UNKNOWN, error.summary)
    tarball = examined.binaries.tarball
    reason = f"compared with {tarball.file.name}, {' and '.join(tarball.vouchers)}"
    if differences:
        return _different(reason, differences)
    same_builder = claims.provenance.builder == BUILDER
    return Finding(
        Verdict.RELEASE,
        reason,
        compared=(
            "the programs, the digest of the tarball and every time with the release",
            "Version, Architecture and Upstream-… of the control file with the provenance",
            *([f"{MEMBERS} with those that {BUILDER} builds"] if same_builder else []),
        ),
        not_compared=(
            *([] if same_builder else [f"{MEMBERS}: built by {_builder(claims)}, and this is {BUILDER}"]),
            "the maintainer scripts, the other fields of the control file, md5sums, conffiles",
            "the content of each file that is not a program",
            "the order of the members and their compression",
            WORDS,
        ),
    )


def _build_again(deb: DebFile, claims: Claims, sources: Sources, pins: Pins, progress: Progress) -> Finding:
    named = named_build(claims)
    if not isinstance(named, Named):
        return _different(NO_SUCH_PACKAGE, named)
    odd = _odd(deb, claims, named, pins)

    def unknown(reason: str, differences: tuple[Difference, ...] = ()) -> Finding:
        # What no build leaves is known without one.
        return (
            _different(NO_SUCH_PACKAGE, odd) if odd else Finding(Verdict.UNKNOWN, reason, (), (), differences)
        )

    if claims.provenance.builder != BUILDER:
        return unknown(f"not built again: it was built by {_builder(claims)}, and this is {BUILDER}")
    if claims.toolchain is None:
        return unknown("not built again: the package does not name a readable toolchain")
    try:
        with _release(named, sources, pins, progress) as (examined, work):
            rebuilt = rebuild(deb, claims, named, claims.toolchain, examined, work / "again", progress)
    except _NO_RELEASE as error:
        return unknown(f"not built again: {error.summary}")
    except NoChroot as error:
        return unknown(f"not built again: {_whole(error)}")
    where = f"built again {rebuilt.where}"
    if not rebuilt.differences:
        return Finding(
            Verdict.REBUILT, f"{where}, with the same bytes", ("every byte of the package",), (WORDS,)
        )
    if rebuilt.other_toolchain:
        others = "; ".join(rebuilt.other_toolchain)
        return unknown(f"{where}, but with another toolchain: {others}", rebuilt.differences)
    return _different(where, rebuilt.differences)


def _odd(deb: DebFile, claims: Claims, named: Named, pins: Pins) -> tuple[Difference, ...]:
    """What no build leaves, and a digest of the tarball that a pin contradicts."""
    said = claims.provenance
    pin = pins.get(named.file.name)
    return (
        *odd_archives(deb),
        *contradictions(claims, named),
        *(odd_members(deb, named.version.upstream) if said.builder == BUILDER else ()),
        *([Difference(WHERE, "sha256", f"{pin.sha256} by {pin.file}", said.sha256)]
            if pin and pin.sha256 != said.sha256 else ()),
    )  # fmt: skip


def _whole(error: EtcdDebError) -> str:
    # The end of a program's output shows the cause.
    return "; ".join((error.summary, *error.details[-3:], *([error.hint] if error.hint else [])))


def _builder(claims: Claims) -> str:
    return claims.provenance.builder or "a version of etcd-deb that its provenance does not name"


def _different(reason: str, differences: tuple[Difference, ...]) -> Finding:
    return Finding(Verdict.DIFFERENT, reason, differences=differences)


@contextlib.contextmanager
def _release(
    named: Named, sources: Sources, pins: Pins, progress: Progress
) -> Iterator[tuple[ExaminedBinaries, Path]]:
    """The release that the package names, verified here and now, and a folder for the work."""
    (fetched,) = fetch_all(named.version, (named.file.architecture,), sources, pins, progress)
    with work_folder(progress) as work:
        yield prepare(fetched, pins, work, progress, require_pin=False), work


def _against(examined: ExaminedBinaries, deb: DebFile, claims: Claims) -> Iterator[Difference]:
    """Where the programs, and what the package says of them, are not the release's."""
    found, said, there = provenance_of(examined), claims.provenance, _programs(deb)
    if said.sha256 != found.sha256:
        yield Difference(WHERE, "sha256", found.sha256, said.sha256)
    for name in dict.fromkeys((*found.programs, *said.programs, *there)):
        expected = found.programs.get(name, "absent")
        if there.get(name, "absent") != expected:
            yield Difference(f"data.tar {PROGRAMS}{name}", "content", expected, there.get(name, "absent"))
        if said.programs.get(name, "absent") != expected:
            yield Difference(WHERE, f"program {name}", expected, said.programs.get(name, "absent"))
    yield from odd_times(deb, examined.binaries.released)
