"""`doctor`: which programs of Debian the work needs, and which of them are missing."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass

import click

from builder.cli import options, terminal
from builder.errors import GENERAL


@dataclass(frozen=True, slots=True)
class Need:
    """A program, the Debian package that brings it, and what needs it. required: no build without it."""

    program: str
    package: str
    purpose: str
    required: bool = False

    @property
    def path(self) -> str | None:
        """Where the program is; None where it is missing."""
        return shutil.which(self.program)


NEEDS = (
    Need("dpkg-buildpackage", "dpkg-dev", "build", required=True),
    Need("make", "make", "build", required=True),
    Need("dh_builddeb", "debhelper", "build", required=True),
    Need("po2debconf", "po-debconf", "build", required=True),
    Need("xz", "xz-utils", "build", required=True),
    Need("gzip", "gzip", "build", required=True),
    Need("zstd", "zstd", "build --compression zstd"),
    Need("gpg", "gnupg", "publish, build --key"),
    Need("gpgv", "gpgv", "repo verify"),
    Need("dpkg-deb", "dpkg", "build, inspect", required=True),
    Need("mmdebstrap", "mmdebstrap", "inspect --rebuild for another Debian release"),
    Need("rsync", "rsync", "publish --to HOST:PATH"),
)


def as_text(needs: tuple[Need, ...]) -> str:
    width = max(len(need.program) for need in needs)
    rows = [
        f"{need.program:<{width}}  {need.path or 'missing'}"
        + ("" if need.path else f"  ({need.purpose}): apt install {need.package}")
        for need in needs
    ]
    required, optional = (
        " ".join(sorted({need.package for need in needs if need.path is None and need.required is wanted}))
        for wanted in (True, False)
    )
    summary = [
        f"Required programs are missing. Install them with: apt install {required}"
        if required
        else "All programs that a build needs are installed.",
        *([f"Optional programs are missing. Install them with: apt install {optional}"] if optional else []),
    ]
    return "\n".join([*rows, *summary])


@click.command()
@options.as_json
def doctor(as_json: bool) -> int:
    """List missing programs and how to install them.

    Exit status 1: a program that a build needs is missing.
    """
    found = [{**asdict(need), "path": need.path} for need in NEEDS]
    click.echo(terminal.as_json(found) if as_json else as_text(NEEDS))
    return GENERAL if any(need.required and need.path is None for need in NEEDS) else 0
