"""From a fetched tarball to one that is trusted. Reads local files alone, opens no socket."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from builder.errors import DigestMismatch, VerificationFailed
from builder.release.checksums import parse_checksums
from builder.release.fetch import WITNESSES_NEEDED, Fetched, Hearing
from builder.release.origin import ReleaseFile
from builder.release.pins import Pins
from builder.system.digest import digest_of
from builder.system.files import disk_full_named


@dataclass(frozen=True, slots=True)
class VerifiedTarball:
    """A tarball whose bytes are those that a pin or two witnesses name. Made by verify() alone.

    path: a copy that no other user can write, so that the bytes used are those that were checked.
    """

    file: ReleaseFile
    path: Path
    url: str
    sha256: str
    vouchers: tuple[str, ...]


def verify(fetched: Fetched, pins: Pins, work: Path, *, require_pin: bool) -> VerifiedTarball:
    """The same tarball, trusted, as a copy in work: a folder that others may not enter.

    A pin decides alone; without one, two witnesses must agree and none may object.
    Raises VerificationFailed, DigestMismatch where the bytes are others, and DiskFull.
    """
    name = fetched.file.name
    if pin := pins.get(name):
        # The list's name without its folder, so that the package has the same bytes wherever the list is.
        vouchers: tuple[str, ...] = (f"pin in {pin.file.name}",)
        expected, where = pin.sha256, f"the pin in {pin.file}"
    elif require_pin:
        raise VerificationFailed(
            f"no pin for {name}",
            details=("expected  a digest in the list of pins, since --require-pin was given",),
            hint=f"etcd-deb pin {fetched.file.version.tag}, then check the digests it recorded",
        )
    else:
        expected, vouchers = agreed_digest(name, fetched.hearing)
        where = " and ".join(vouchers)
    copy = work / name
    got = _copied(fetched.path, copy)
    if got != expected:
        raise DigestMismatch(file=name, expected=expected, got=got, witness=where)
    return VerifiedTarball(fetched.file, copy, fetched.url, got, vouchers)


def agreed_digest(name: str, hearing: Hearing) -> tuple[str, tuple[str, ...]]:
    """The digest of a file that two witnesses agree on, and who they are. Raises VerificationFailed."""
    said: dict[str, str] = {}
    silent = list(hearing.silent)
    for testimony in hearing.testimonies:
        digest = parse_checksums(testimony.checksums, testimony.witness).get(name)
        if digest:
            said[testimony.witness] = digest
        else:
            silent.append(f"{testimony.witness}: does not list {name}")
    if len(set(said.values())) > 1:
        raise VerificationFailed(
            f"the witnesses disagree about {name}",
            details=tuple(f"{digest}  {witness}" for witness, digest in said.items()),
            hint="do not use this release; inform etcd's maintainers",
        )
    if len(said) < WITNESSES_NEEDED:
        raise VerificationFailed(
            f"{len(said) or 'no'} witness{'' if said else 'es'} for {name}, and no pin",
            details=(
                "expected  a pin, or two witnesses that agree",
                *(f"heard     {witness}" for witness in said),
                *(f"silent    {reason}" for reason in silent),
            ),
            hint="write a digest that you trust into a list, and name the list with --pins FILE",
        )
    return next(iter(said.values())), tuple(said)


def _copied(source: Path, copy: Path) -> str:
    """The SHA-256 of what was written to copy."""
    with disk_full_named(copy, f"copying {source.name}"), source.open("rb") as arrived:
        copy.parent.mkdir(parents=True, exist_ok=True)
        with copy.open("xb") as out:
            return digest_of(arrived, out.write)[0]
