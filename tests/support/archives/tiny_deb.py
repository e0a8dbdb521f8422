"""Packages by dpkg-deb that are named like ours and hold nothing, for what a repository does with them."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

from tests.support.command import run

CONTROL = """Package: {package}
Version: {version}
Architecture: {architecture}
Maintainer: nobody <nobody@example.org>
Description: a package for the tests of a repository
 {note}
"""


def tiny_deb(
    folder: Path,
    version: str,
    *,
    architecture: str = "amd64",
    package: str = "etcd-ha",
    note: str = "Nothing in it.",
    payload: int = 0,
) -> Path:
    """folder/PACKAGE_VERSION_ARCHITECTURE.deb; another note gives other bytes. payload: bytes."""
    tree = folder / "tree"
    (tree / "DEBIAN").mkdir(parents=True, exist_ok=True)
    text = CONTROL.format(package=package, version=version, architecture=architecture, note=note)
    (tree / "DEBIAN/control").write_text(text)
    if payload:
        (tree / "payload").write_bytes(os.urandom(payload))
    deb = folder / f"{package}_{version}_{architecture}.deb"
    run(["dpkg-deb", "-Zgzip", "--root-owner-group", "--build", tree, deb])
    return deb


def spoil(path: Path) -> None:
    """Change the last byte of a file."""
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def spoil_gzip(path: Path) -> None:
    """Other content in a gzip file of the same form."""
    path.write_bytes(
        gzip.compress(gzip.decompress(path.read_bytes()).replace(b"Nothing", b"nothing"), mtime=0)
    )
