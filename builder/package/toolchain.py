"""What the bytes of a package depend on besides its sources, as the package names it."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from builder.system.process import find_program

# os-release(5), and policy 5.6.1 and 5.6.12: words of a file that anybody may have written.
_RELEASE = re.compile(r"([a-z0-9][a-z0-9._-]{0,63}) ([a-z][a-z0-9-]{0,63})", re.ASCII)
_PACKAGE = re.compile(r"([a-z0-9][a-z0-9+.-]{1,99}) ([0-9][A-Za-z0-9.+~:-]{0,127})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A Debian release, and of its packages the source versions that count (debian-template/rules)."""

    distribution: str
    codename: str
    versions: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.distribution} {self.codename}"


def parse_toolchain(text: str) -> Toolchain:
    """What a package's file toolchain says. Raises ValueError for what no build writes."""
    first, *rest = text.splitlines() or [""]
    release = _RELEASE.fullmatch(first)
    packages = [_PACKAGE.fullmatch(line) for line in rest]
    if release is None or not packages:
        raise ValueError(f"its first line is {first!r}")
    versions = {found[1]: found[2] for found in packages if found}
    if len(versions) != len(rest):
        raise ValueError("a line is not a package with a version, or a package is listed twice")
    return Toolchain(release[1], release[2], versions)


def is_here(wanted: Toolchain) -> bool:
    """Whether this machine has exactly that. Raises MissingProgram."""
    here = platform.freedesktop_os_release()
    if (here.get("ID"), here.get("VERSION_CODENAME")) != (wanted.distribution, wanted.codename):
        return False
    query = [find_program("dpkg-query", "dpkg"), "-W", "-f=${Package} ${source:Version}\n", *wanted.versions]
    done = subprocess.run(query, capture_output=True, text=True, check=False)
    return done.returncode == 0 and set(done.stdout.splitlines()) == {
        f"{package} {version}" for package, version in wanted.versions.items()
    }


def other_versions(wanted: Toolchain, got: Toolchain) -> tuple[str, ...]:
    """Of the same packages, those that have another version, as lines for people."""
    return tuple(
        f"{package} {version}, and {got} has {got.versions[package]}"
        for package, version in wanted.versions.items()
        if got.versions.get(package, version) != version
    )
