"""Packages that say another version than their release: for a version that can't start."""

from __future__ import annotations

from pathlib import Path

from tests.support.command import run


def relabel(deb: Path, version: str, folder: Path, *, binary: str | None = None) -> Path:
    """The same package under another Debian version; `binary` is a script in the place of etcd."""
    tree = folder / f"tree-{version}"
    run(["dpkg-deb", "--raw-extract", deb, tree])
    control = tree / "DEBIAN/control"
    lines = control.read_text().splitlines()
    control.write_text(
        "".join(f"Version: {version}\n" if line.startswith("Version: ") else f"{line}\n" for line in lines)
    )
    if binary is not None:
        (tree / "usr/lib/etcd-ha/bin/etcd").write_text(binary)
    made = folder / f"etcd-ha_{version}_amd64.deb"
    # The fastest to make, and nodes unpack it several times.
    run(["dpkg-deb", "-Zzstd", "-z1", "--root-owner-group", "--build", tree, made])
    return made
