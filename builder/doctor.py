"""Which programs of Debian the work needs, and which of them are missing."""

from __future__ import annotations

import shutil
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """A program, the Debian package that brings it, and what needs it."""

    program: str
    package: str
    purpose: str

    @property
    def path(self) -> str | None:
        """Where the program is; None where it is missing."""
        return shutil.which(self.program)


NEEDS = (
    Need("dpkg-buildpackage", "dpkg-dev", "build"),
    Need("dh_builddeb", "debhelper", "build"),
    Need("po2debconf", "po-debconf", "build"),
    Need("zstd", "zstd", "build --compression zstd"),
    Need("gpg", "gnupg", "publish, build --key"),
    Need("gpgv", "gpgv", "repo verify"),
    Need("dpkg-deb", "dpkg", "inspect"),
    Need("rsync", "rsync", "publish --to HOST:PATH"),
)
