"""What a package says of itself: the release, who packed it, with what. None of it is true by being said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from debian.deb822 import Deb822

from builder.compare_deb import Difference
from builder.deb_control import parse_control
from builder.deb_file import DebFile
from builder.errors import EtcdDebError, UsageError
from builder.provenance import Provenance, parse_provenance
from builder.release import ReleaseFile
from builder.repack import COMPRESSORS
from builder.settings import is_maintainer
from builder.tar_part import CONTROL, PROVENANCE, TOOLCHAIN
from builder.toolchain import Toolchain, parse_toolchain
from builder.version import Architecture, PackageVersion, UpstreamVersion, parse_revision, parse_version

LONGEST = 1000


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
    """What the package says. Raises EtcdDebError where it says nothing: it is no package of etcd-ha."""
    control = parse_control(deb.control.content(CONTROL) or b"", deb.path)
    provenance = deb.data.content(PROVENANCE)
    if control["Package"] != "etcd-ha" or provenance is None:
        raise EtcdDebError(
            f"{deb.path} is no package that etcd-deb built",
            details=(
                f"expected  a package etcd-ha with {PROVENANCE}",
                f"got       {control['Package']}",
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
    """The build that the claims name together, or where they contradict each other or say the impossible."""
    problems = tuple(_problems(claims))
    release = _release(claims.provenance)
    revision = _revision(claims, release) if release else None
    if problems or release is None or revision is None:
        return problems
    return Named(release, PackageVersion(release.version, revision), claims.control["Maintainer"])


def _problems(claims: Claims) -> Iterator[Difference]:
    control, provenance = claims.control, claims.provenance
    release = _release(provenance)
    if release is None:
        said = f"{provenance.version} for {provenance.architecture}"
        yield Difference(f"data.tar {PROVENANCE}", "release", "a release of etcd, as etcd-deb names it", said)
        return
    expected = {
        "Architecture": str(release.architecture),
        **provenance.control_fields,
    }
    if _revision(claims, release) is None:
        expected["Version"] = f"{release.version.debian}-REVISION"
    for field, value in expected.items():
        if control.get(field, "") != value:
            yield Difference(f"control.tar {CONTROL}", f"field {field}", value, control.get(field, "absent"))
    if not is_maintainer(control.get("Maintainer", "")) or not _sayable(control["Maintainer"]):
        said = control.get("Maintainer", "absent")
        yield Difference(f"control.tar {CONTROL}", "field Maintainer", "a name with an address", said)
    if claims.compression not in COMPRESSORS:
        yield Difference("ar data.tar", "compression", " or ".join(COMPRESSORS), claims.compression)
    if provenance.tarball != release.name:
        yield Difference(f"data.tar {PROVENANCE}", "tarball", release.name, provenance.tarball)
    for said in (provenance.url, *(provenance.vouchers or ("",))):
        if not _sayable(said):
            yield Difference(f"data.tar {PROVENANCE}", "words", "words that a build writes", said)


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
