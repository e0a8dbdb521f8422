"""Which programs of Debian the work needs, and which of them are missing."""

from __future__ import annotations

import shutil
from dataclasses import dataclass


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
