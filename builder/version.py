"""Versions and architectures, in etcd's spelling and in Debian's."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import total_ordering

from builder.errors import UsageError

# As semver.org has it, without leading zeros; of four digits at most, since file names are made of it.
_NUMBER = r"(0|[1-9]\d{0,3})"
_FULL = re.compile(rf"v?{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-(alpha|beta|rc)\.{_NUMBER})?", re.ASCII)
_SERIES = re.compile(rf"v?{_NUMBER}\.{_NUMBER}", re.ASCII)
_REVISION = re.compile(r"[0-9][A-Za-z0-9.+~]{0,63}")


class Architecture(StrEnum):
    """Debian's names of the architectures that upstream publishes (etcd: scripts/build-binary.sh)."""

    AMD64 = "amd64"
    ARM64 = "arm64"
    PPC64EL = "ppc64el"
    S390X = "s390x"

    @property
    def upstream(self) -> str:
        """The name in upstream's file names; only ppc64el differs."""
        return "ppc64le" if self is Architecture.PPC64EL else self.value

    @property
    def elf_machine(self) -> str:
        """e_machine of the architecture's binaries, by its name in elf.h."""
        return {
            Architecture.AMD64: "EM_X86_64",
            Architecture.ARM64: "EM_AARCH64",
            Architecture.PPC64EL: "EM_PPC64",
            Architecture.S390X: "EM_S390",
        }[self]

    @property
    def byte_order(self) -> str:
        """ppc64el shares its e_machine with ppc64, which is big endian."""
        return "big" if self is Architecture.S390X else "little"


@total_ordering
@dataclass(frozen=True, slots=True)
class UpstreamVersion:
    """A version of etcd, such as 3.6.7 or 3.7.0-rc.0. Pre-releases sort before their release."""

    major: int
    minor: int
    patch: int
    stage: str = ""
    number: int = 0

    def __str__(self) -> str:
        suffix = f"-{self.stage}.{self.number}" if self.stage else ""
        return f"{self.major}.{self.minor}.{self.patch}{suffix}"

    def __lt__(self, other: UpstreamVersion) -> bool:
        return self._order() < other._order()

    def _order(self) -> tuple[int, int, int, str, int]:
        # "~" sorts after every stage's name, so that the release itself comes last.
        return (self.major, self.minor, self.patch, self.stage or "~", self.number)

    @property
    def tag(self) -> str:
        """The git tag and the folder of the release."""
        return f"v{self}"

    @property
    def series(self) -> Series:
        return Series(self.major, self.minor)

    @property
    def debian(self) -> str:
        """Debian's upstream version: `~` makes a pre-release sort first (policy 5.6.12)."""
        return str(self).replace("-", "~")

    @property
    def priority(self) -> int:
        """Priority of the alternatives: 3.6.7 gives 30607, above the hand-made install's 100."""
        return self.major * 10000 + self.minor * 100 + self.patch

    @property
    def programs(self) -> tuple[str, ...]:
        """The binaries of the release; etcdutl exists since 3.5."""
        both = ("etcd", "etcdctl")
        return both if (self.major, self.minor) < (3, 5) else (*both, "etcdutl")


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """A minor of etcd, such as 3.6; asked for, it means its newest release."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest release of all, pre-releases left out."""

    def __str__(self) -> str:
        return "latest"


VersionRequest = UpstreamVersion | Series | Latest


@dataclass(frozen=True, slots=True)
class PackageVersion:
    """The version of the .deb: upstream version and Debian revision."""

    upstream: UpstreamVersion
    revision: str

    def __str__(self) -> str:
        return f"{self.upstream.debian}-{self.revision}"


def parse_version(text: str) -> VersionRequest:
    """What the user asked for: a version, a series or `latest`.

    Raises UsageError for anything else.
    """
    if text == "latest":
        return Latest()
    if match := _FULL.fullmatch(text):
        major, minor, patch, stage, number = match.groups()
        return UpstreamVersion(int(major), int(minor), int(patch), stage or "", int(number or 0))
    if match := _SERIES.fullmatch(text):
        return Series(int(match[1]), int(match[2]))
    raise UsageError(
        f"{text!r} is not a version of etcd",
        details=("expected  v3.6.7, 3.6.7, 3.6, latest or v3.7.0-rc.0", f"found     {text}"),
        hint="etcd-deb versions lists the releases",
    )


def parse_revision(text: str) -> str:
    """A Debian revision (policy 5.6.12). Raises UsageError."""
    if not _REVISION.fullmatch(text):
        raise UsageError(
            f"{text!r} is not a Debian revision",
            details=("expected  a digit, then up to 63 letters, digits, or . + ~, such as 1 or 1~bpo13+1",),
            hint="omit --revision to use 1",
        )
    return text


def host_architecture() -> str:
    """Debian's name of the architecture that binaries can be run for here."""
    machine = platform.machine()
    names = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64el"}
    return names.get(machine, machine)


def parse_architectures(names: tuple[str, ...]) -> tuple[Architecture, ...]:
    """Architectures by Debian's names, each once; `all` means every one, `host` this machine's.

    Raises UsageError for any other name.
    """
    if "all" in names:
        return tuple(Architecture)
    names = tuple(host_architecture() if name == "host" else name for name in names)
    known = [architecture.value for architecture in Architecture]
    for name in names:
        if name not in known:
            raise UsageError(
                f"upstream publishes no etcd for {name!r}",
                details=(f"expected  {', '.join(known)} or all",),
                hint="use Debian's names: ppc64el, not ppc64le; amd64, not x86_64",
            )
    return tuple(dict.fromkeys(Architecture(name) for name in names))
