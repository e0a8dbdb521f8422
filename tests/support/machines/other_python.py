"""The Python of another Debian release, beside everything else of this one."""

from __future__ import annotations

from pathlib import Path

from tests.support.command import run
from tests.support.machines.mirror import download_packages

# Debian 13's, with the libraries that the modules of a build load.
SUITE, VERSION = "trixie", "3.13"
PACKAGES = [
    *(f"python{VERSION}-minimal", f"libpython{VERSION}-minimal", f"libpython{VERSION}-stdlib"),
    *("libbz2-1.0", "libc6", "libexpat1", "libffi8", "liblzma5", "libssl3t64", "libzstd1", "zlib1g"),
]
# By its own loader, since its C library is newer than this machine's.
PROGRAM = """#!/bin/sh
export PYTHONHOME='{root}/usr'
exec '{root}/usr/lib64/ld-linux-x86-64.so.2' --argv0 "$0" --library-path '{root}/usr/lib/x86_64-linux-gnu' \\
    '{root}/usr/bin/python{version}' "$@"
"""


def other_python(folder: Path) -> Path:
    """A program that is this Python, made below a folder."""
    root, debs = folder / "root", folder / "debs"
    debs.mkdir(parents=True)
    for deb in download_packages(SUITE, PACKAGES, debs):
        run(["dpkg-deb", "--extract", deb, root])
    program = folder / "python3"
    program.write_text(PROGRAM.format(root=root, version=VERSION))
    program.chmod(0o755)
    said = run([program, "-c", "import sys; print(sys.version, sys.executable)"]).stdout
    assert said.startswith(f"{VERSION}."), said
    assert said.split()[-1] == str(program), said
    return program
