"""From a source tree to an upload: dpkg-buildpackage makes the package, repack compresses it."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from debian.deb822 import Changes

from builder.assemble import SourceTree
from builder.errors import CommandFailed
from builder.process import find_program, run
from builder.progress import Progress
from builder.version import Architecture, PackageVersion


@dataclass(frozen=True, slots=True)
class Upload:
    """What a build leaves: one binary package, with what dpkg says of its making."""

    version: PackageVersion
    architecture: Architecture
    deb: Path
    buildinfo: Path
    changes: Path

    def moved(self, folder: Path) -> Upload:
        """The same upload in another folder."""
        deb, buildinfo, changes = (folder / path.name for path in self.files)
        return Upload(self.version, self.architecture, deb, buildinfo, changes)

    @property
    def files(self) -> tuple[Path, ...]:
        """In the order in which they may appear: .changes names the others, so it comes last."""
        return (self.deb, self.buildinfo, self.changes)


def pack(tree: SourceTree, compression: str, key: str, progress: Progress) -> Upload:
    """The upload, beside the tree.

    Raises MissingProgram, CommandFailed with what dpkg-buildpackage printed, DiskFull.
    """
    package = tree.root.parent / f"etcd-ha_{tree.version}_{tree.architecture}.deb"
    repack = [sys.executable, "-m", "builder.repack", str(package), compression]
    program = find_program("dpkg-buildpackage", "dpkg-dev")
    find_program("dh_builddeb", "debhelper")
    if compression == "zstd":
        find_program("zstd", "zstd")
    run(
        [
            program,
            "--build=binary",
            "--no-pre-clean",
            "--no-check-builddeps",
            f"--host-arch={tree.architecture}",
            # dpkg-buildpackage replaces %-letters in a hook.
            f"--hook-buildinfo={shlex.join(repack).replace('%', '%%')}",
            *((f"--sign-keyid={key}",) if key else ("--unsigned-source", "--unsigned-changes")),
        ],
        cwd=tree.root,
        progress=progress,
        environment={
            "DPKG_DEB_COMPRESSOR_TYPE": "none",
            "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
            "SOURCE_DATE_EPOCH": str(tree.released),
        },
    )
    return _read_changes(tree, package)


def _read_changes(tree: SourceTree, package: Path) -> Upload:
    changes = package.with_suffix(".changes")
    with changes.open(encoding="utf-8") as file:
        said = Changes(file)
    if said["Version"] != str(tree.version) or package.name not in {f["name"] for f in said["Files"]}:
        raise CommandFailed(
            f"dpkg-buildpackage made another package than {package.name}",
            details=(f"{changes.name} says {said['Version']}",),
            hint="debian-template/changelog.j2 and the version asked for must agree",
        )
    return Upload(tree.version, tree.architecture, package, package.with_suffix(".buildinfo"), changes)
