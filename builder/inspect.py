"""What a package is, where its binaries come from, and whether they still are those."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from debian.deb822 import Deb822

from builder.deb_control import read_control, unreadable
from builder.errors import DownloadFailed, EtcdDebError, NoSuchRelease, UsageError, VerificationFailed
from builder.fetch import Sources
from builder.pins import Pins
from builder.pipeline import fetch_all, prepare, work_folder
from builder.process import find_program
from builder.progress import Progress
from builder.provenance import Provenance, parse_provenance
from builder.version import PackageVersion, UpstreamVersion, parse_architectures, parse_version

PROVENANCE = "usr/share/doc/etcd-ha/provenance.json"
PROGRAMS = "usr/lib/etcd-ha/bin/"


class Verdict(StrEnum):
    """Whether the programs inside are the release's own."""

    RELEASE = "the release's own"
    DIFFERENT = "not the release's"
    UNKNOWN = "not compared"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a package says, what is inside, and how the two compare with the release."""

    package: str
    version: str
    architecture: str
    provenance: Provenance
    programs: dict[str, str]
    verdict: Verdict
    reason: str


def inspect(package: Path, sources: Sources, pins: Pins, progress: Progress) -> Inspection:
    """What the package is, compared with its release where that can be had.

    Raises EtcdDebError for a file that is no package of etcd-ha.
    """
    control = read_control(package)
    provenance_text, programs = _contents(package)
    if control.get("Package") != "etcd-ha" or not provenance_text:
        raise EtcdDebError(
            f"{package} is no package that etcd-deb built",
            details=(f"expected  a package etcd-ha with {PROVENANCE}", f"got       {control.get('Package')}"),
            hint="etcd-deb inspect dist/etcd-ha_*.deb",
        )
    provenance = parse_provenance(provenance_text, str(package))
    verdict, reason = _compare_fields(control, provenance) or _compare(
        provenance, programs, sources, pins, progress
    )
    return Inspection(
        control["Package"], control["Version"], control["Architecture"], provenance, programs, verdict, reason
    )


def _contents(package: Path) -> tuple[str, dict[str, str]]:
    argv = [find_program("dpkg-deb", "dpkg"), "--fsys-tarfile", str(package)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as unpacker:
        try:
            with tarfile.open(fileobj=unpacker.stdout, mode="r|") as archive:
                return _read(archive)
        # tarfile hands on what float(), int() and the like say of a header.
        except (tarfile.TarError, ArithmeticError, LookupError, RecursionError, ValueError) as error:
            raise unreadable(package, str(error) or type(error).__name__) from error


def _read(archive: tarfile.TarFile) -> tuple[str, dict[str, str]]:
    provenance = ""
    programs: dict[str, str] = {}
    for member in archive:
        name = member.name.removeprefix("./")
        content = archive.extractfile(member) if member.isreg() else None
        if content is None:
            continue
        if name == PROVENANCE:
            provenance = content.read().decode("utf-8", "replace")
        elif name.startswith(PROGRAMS):
            digest = hashlib.sha256()
            while chunk := content.read(1024 * 1024):
                digest.update(chunk)
            programs[name.removeprefix(PROGRAMS)] = digest.hexdigest()
    return provenance, programs


def _compare_fields(control: Deb822, provenance: Provenance) -> tuple[Verdict, str] | None:
    """None where the control file agrees; one that is older than these fields has none of them."""
    for name, value in provenance.control_fields.items():
        if control.get(name, value) != value:
            return (
                Verdict.DIFFERENT,
                f"the control file says {name} {control[name]}, the package's own provenance {value}",
            )
    return None


def _compare(
    provenance: Provenance, programs: dict[str, str], sources: Sources, pins: Pins, progress: Progress
) -> tuple[Verdict, str]:
    if programs != dict(provenance.programs):
        return Verdict.DIFFERENT, "the programs inside have other digests than the package's own provenance"
    pin = pins.get(provenance.tarball)
    if pin and pin.sha256 != provenance.sha256:
        return Verdict.DIFFERENT, f"the pin of {provenance.tarball} in {pin.file} is {pin.sha256}"
    try:
        version = parse_version(provenance.version)
        architectures = parse_architectures((provenance.architecture,))
    except UsageError as error:
        return Verdict.UNKNOWN, error.summary
    if not isinstance(version, UpstreamVersion) or len(architectures) != 1:
        return Verdict.UNKNOWN, f"{provenance.version} for {provenance.architecture} is no release of etcd"
    try:
        (fetched,) = fetch_all(
            PackageVersion(version, "1"),
            architectures,
            sources,
            pins,
            progress,
        )
        with work_folder() as work:
            examined = prepare(fetched, pins, work, progress, require_pin=False)
    except (NoSuchRelease, DownloadFailed, VerificationFailed) as error:
        return Verdict.UNKNOWN, error.summary
    released = {program.name: program.sha256 for program in examined.binaries.programs}
    tarball = examined.binaries.tarball
    if released != programs:
        return Verdict.DIFFERENT, f"{tarball.file.name} holds programs with other digests"
    return Verdict.RELEASE, f"compared with {tarball.file.name}, {' and '.join(tarball.vouchers)}"
