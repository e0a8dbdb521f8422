"""From a source tree to an upload: dpkg-buildpackage makes the package, repack compresses it."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from debian.deb822 import Changes

from builder.assemble import SourceTree
from builder.errors import CommandFailed
from builder.process import find_program, run
from builder.progress import Progress
from builder.replace import disk_full_named, replacing
from builder.version import Architecture, PackageVersion


@dataclass(frozen=True, slots=True)
class Upload:
    """What a build leaves: one binary package, with what dpkg says of its making."""

    version: PackageVersion
    architecture: Architecture
    deb: Path
    buildinfo: Path
    changes: Path

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


def deliver(upload: Upload, output: Path, *, own: bool) -> Upload:
    """The same upload in the output folder, whole or not at all.

    own: it is for this machine's architecture, so `etcd-ha_VERSION.deb` becomes a link to it.
    Raises DiskFull.
    """
    delivered: list[Path] = []
    new = [path for path in upload.files if not (output / path.name).exists()]
    try:
        for path in upload.files:
            with path.open("rb") as source, replacing(output / path.name, f"writing {path.name}") as out:
                shutil.copyfileobj(source, out, 1024 * 1024)
            delivered.append(output / path.name)
        if own:
            _link(output / f"etcd-ha_{upload.version.upstream.debian}.deb", upload.deb.name)
    except BaseException:
        for path in new:
            (output / path.name).unlink(missing_ok=True)
        raise
    deb, buildinfo, changes = delivered
    return Upload(upload.version, upload.architecture, deb, buildinfo, changes)


def _link(link: Path, target: str) -> None:
    temporary = link.with_name(f".{link.name}.new")
    with disk_full_named(link, f"linking {link.name}"):
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target)
        temporary.replace(link)
