"""Pinned digests: what somebody once looked at and wrote down. A pin decides alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from builder import shipped
from builder.errors import EtcdDebError, VerificationFailed
from builder.release.checksums import format_checksums, parse_checksums
from builder.settings import read_small, user_file
from builder.system.files import replacing


@dataclass(frozen=True, slots=True)
class Pin:
    """The digest of one file, and the list that holds it."""

    sha256: str
    file: Path


@dataclass(frozen=True, slots=True)
class Pins:
    """Every pinned digest by file name."""

    by_name: Mapping[str, Pin]

    def get(self, name: str) -> Pin | None:
        return self.by_name.get(name)


def own_list() -> Path:
    """The user's own list, that `etcd-deb pin` writes where no other is named."""
    return user_file().with_name("SHA256SUMS")


def read_pins(setting: str) -> Pins:
    """The pins of the list that the setting names; without one, the shipped list and the user's own.

    Raises EtcdDebError for a list that can't be read, VerificationFailed where two lists disagree.
    """
    if setting:
        lists = [Path(setting)]
    else:
        lists = [shipped.CONF / "SHA256SUMS", *([own_list()] if own_list().exists() else [])]
    pins: dict[str, Pin] = {}
    for file in lists:
        for name, digest in parse_checksums(_text(file), str(file)).items():
            known = pins.setdefault(name, Pin(digest, file))
            if known.sha256 != digest:
                raise VerificationFailed(
                    f"two lists pin different digests for {name}",
                    details=(f"{known.file}  {known.sha256}", f"{file}  {digest}"),
                    hint=f"remove the wrong line from {file}",
                )
    return Pins(pins)


def record_pins(file: Path, digests: Mapping[str, str]) -> None:
    """Add digests to a list, which keeps its comments on top and its digests sorted by name.

    Raises VerificationFailed rather than change a recorded digest.
    """
    text = _text(file) if file.exists() else ""
    comments = "".join(f"{line}\n" for line in text.splitlines() if line.startswith("#"))
    known = parse_checksums(text, str(file))
    for name, digest in digests.items():
        if known.setdefault(name, digest) != digest:
            raise VerificationFailed(
                f"{file} pins a different digest for {name}",
                details=(f"pinned    {known[name]}", f"agreed    {digest}"),
                hint="do not trust a release that changed after its publication: ask etcd's maintainers",
            )
    with replacing(file, "recording pins") as out:
        out.write(f"{comments}{format_checksums(known)}".encode())


def _text(file: Path) -> str:
    try:
        return read_small(file).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise EtcdDebError(
            f"can't read the pins in {file}",
            details=(str(error),),
            hint="check its path and mode, or name another list with --pins FILE",
        ) from error
