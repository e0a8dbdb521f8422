"""`doctor`: which programs of Debian the work needs, and which of them are missing."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import click

from builder.cli import options
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
    Need("mmdebstrap", "mmdebstrap", "inspect --rebuild of another Debian's package"),
    Need("rsync", "rsync", "publish --to HOST:PATH"),
)


@click.command()
@options.as_json
def doctor(as_json: bool) -> int:
    """List missing programs and how to install them.

    Exit status 1: a build does not work without one of them.
    """
    from builder.cli import report

    click.echo(report.needs_as_json(NEEDS) if as_json else report.needs_as_text(NEEDS))
    return GENERAL if any(need.required and need.path is None for need in NEEDS) else 0
