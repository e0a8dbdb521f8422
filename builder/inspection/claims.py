"""What a package says of itself: the release, who packed it, with what. None of it is true by being said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from debian.deb822 import Deb822

from builder.deb.compare import Difference
from builder.deb.control import parse_control
from builder.deb.deb_file import DebFile
from builder.deb.repack import COMPRESSORS
from builder.deb.tar_part import CONTROL, PROVENANCE, TOOLCHAIN
from builder.errors import EtcdDebError, UsageError
from builder.package.provenance import Provenance, parse_provenance
from builder.package.toolchain import Toolchain, parse_toolchain
from builder.release.origin import ReleaseFile
from builder.settings import is_maintainer
from builder.version import Architecture, PackageVersion, UpstreamVersion, parse_revision, parse_version

LONGEST = 1000
_BOTH = f"control.tar {CONTROL} and data.tar {PROVENANCE}"


@dataclass(frozen=True, slots=True)
class Claims:
    """toolchain: None where the package does not name a well-formed one."""

    control: Deb822
    provenance: Provenance
    toolchain: Toolchain | None
    compression: str


@dataclass(frozen=True, slots=True)
class Named:
    """The build that a package names: of which release, and what its builder chose."""

    file: ReleaseFile
    version: PackageVersion
    maintainer: str


def read_claims(deb: DebFile) -> Claims:
    """What the package says. Raises EtcdDebError if it is not a package of etcd-ha."""
    control = parse_control(deb.control.content(CONTROL) or b"", deb.path)
    provenance = deb.data.content(PROVENANCE)
    if control["Package"] != "etcd-ha" or provenance is None:
        raise EtcdDebError(
            f"{deb.path} was not built by etcd-deb",
            details=(
                f"expected  a package etcd-ha with {PROVENANCE}",
                f"found     {control['Package']}",
                *([f"data.tar: {deb.data.fault}"] if deb.data.fault else []),
            ),
            hint="etcd-deb inspect dist/etcd-ha_*.deb",
        )
    try:
        toolchain = parse_toolchain((deb.data.content(TOOLCHAIN) or b"").decode("utf-8", "replace"))
    except ValueError:
        toolchain = None
    suffix = deb.suffix("data.tar")
    return Claims(
        control,
        parse_provenance(provenance.decode("utf-8", "replace"), str(deb.path)),
        toolchain,
        next((name for name, compressor in COMPRESSORS.items() if compressor.suffix == suffix), "none"),
    )


def named_build(claims: Claims) -> Named | tuple[Difference, ...]:
    """The build that the claims name together, or what of them no build of etcd-deb says."""
    problems = tuple(_problems(claims))
    release = _release(claims.provenance)
    revision = _revision(claims, release) if release else None
    if problems or release is None or revision is None:
        return problems
    return Named(release, PackageVersion(release.version, revision), claims.control["Maintainer"])


def contradictions(claims: Claims, named: Named) -> Iterator[Difference]:
    """Where the control file says something else than the provenance; which is wrong is not known by that."""
    control, provenance = claims.control, claims.provenance
    for field, value in {"Architecture": provenance.architecture, **provenance.control_fields}.items():
        if control.get(field, "") != value:
            yield Difference(_BOTH, f"field {field}", "the same in both", f"{control.get(field)} and {value}")
    if provenance.tarball != named.file.name:
        yield Difference(f"data.tar {PROVENANCE}", "tarball", named.file.name, provenance.tarball)


def _problems(claims: Claims) -> Iterator[Difference]:
    control, provenance = claims.control, claims.provenance
    release = _release(provenance)
    if release is None:
        said = f"{provenance.version} for {provenance.architecture}"
        yield Difference(f"data.tar {PROVENANCE}", "release", "a release of etcd, as etcd-deb names it", said)
    elif _revision(claims, release) is None:
        said = f"{control['Version']} and {provenance.version}"
        yield Difference(_BOTH, "field Version", "of the same release, with a revision", said)
    maintainer = control.get("Maintainer", "")
    if not is_maintainer(maintainer) or not _sayable(maintainer):
        yield Difference(f"control.tar {CONTROL}", "field Maintainer", "a name with an address", maintainer)
    if claims.compression not in COMPRESSORS:
        yield Difference("ar data.tar", "compression", " or ".join(COMPRESSORS), claims.compression)
    for said in (provenance.url, *(provenance.vouchers or ("",))):
        if not _sayable(said):
            yield Difference(f"data.tar {PROVENANCE}", "words", "what a build writes", said)


def _release(provenance: Provenance) -> ReleaseFile | None:
    try:
        version = parse_version(provenance.version)
    except UsageError:
        return None
    architectures = [one for one in Architecture if one.value == provenance.architecture]
    if not isinstance(version, UpstreamVersion) or str(version) != provenance.version or not architectures:
        return None
    return ReleaseFile(version, architectures[0])


def _revision(claims: Claims, release: ReleaseFile) -> str | None:
    prefix, _, revision = claims.control["Version"].rpartition("-")
    try:
        return parse_revision(revision) if prefix == release.version.debian else None
    except UsageError:
        return None


def _sayable(text: str) -> bool:
    # These words go into the package that is built for the comparison: there they may stand for themselves
    # alone, and begin no line and no substitution (deb-substvars(5)).
    return bool(text) and text.isprintable() and "${" not in text and len(text) <= LONGEST
