"""From a source tree to an upload: dpkg-buildpackage makes the package, repack compresses it."""

from __future__ import annotations

import hashlib
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from builder.deb.changes import read_changes
from builder.deb.repack import COMPRESSORS
from builder.errors import CommandFailed
from builder.package.source_tree import SourceTree
from builder.system.process import find_program, run
from builder.system.progress import Progress
from builder.version import Architecture, PackageVersion

# Of the files that .changes lists: the lines of Files, Checksums-Sha1 and Checksums-Sha256.
_CHECKSUMS = ("md5", "sha1", "sha256")


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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a package is made: the folder above the tree, and the Python and modules that compress it."""

    folder: Path
    python: Path
    modules: Path

    @property
    def home(self) -> Path:
        """The user's own configuration of dpkg and debhelper adds hooks, profiles and checks to a build."""
        return self.folder / "home"


def pack(tree: SourceTree, compression: str, key: str, progress: Progress) -> Upload:
    """The upload, beside the tree, signed where a key is named.

    Raises MissingProgram, CommandFailed with what dpkg-buildpackage or gpg printed, DiskFull.
    """
    find_program("dpkg-buildpackage", "dpkg-dev")
    find_program("dh_builddeb", "debhelper")
    find_program(*COMPRESSORS[compression].program)
    place = Place(tree.root.parent, Path(sys.executable), Path(__file__).resolve().parents[2])
    place.home.mkdir()
    run(
        packing_command(tree, compression, place),
        cwd=tree.root,
        progress=progress,
        environment=packing_environment(tree, place),
    )
    upload = _read_changes(tree, tree.root.parent / tree.package)
    if key:
        sign(upload, key, progress)
    return upload


def packing_command(tree: SourceTree, compression: str, place: Place) -> list[str]:
    """What makes the package, run in the root of the tree."""
    package = str(place.folder / tree.package)
    # -P and -s: nothing of the tree, and nothing that the user has installed for Python, is loaded.
    repack = [str(place.python), "-P", "-s", "-m", "builder.deb.repack", package, compression]
    return [
        "dpkg-buildpackage",
        "--build=binary",
        "--no-pre-clean",
        "--no-check-builddeps",
        f"--host-arch={tree.architecture}",
        # TMPDIR may be mounted noexec.
        "--rules-file=make -f debian/rules",
        # dpkg-buildpackage replaces %-letters in a hook.
        f"--hook-buildinfo={shlex.join(repack).replace('%', '%%')}",
        "--unsigned-source",
        "--unsigned-changes",
    ]


def packing_environment(tree: SourceTree, place: Place) -> dict[str, str]:
    """The variables that the command needs besides PATH and a locale."""
    return {
        "DPKG_DEB_COMPRESSOR_TYPE": "none",
        "HOME": str(place.home),
        "PYTHONPATH": str(place.modules),
        "SOURCE_DATE_EPOCH": str(tree.released),
    }


def sign(upload: Upload, key: str, progress: Progress) -> None:
    """Sign .buildinfo and .changes, as dpkg-buildpackage would: that one can't be given the user's own home.

    Raises MissingProgram, CommandFailed with what gpg printed, DiskFull.
    """
    _clearsign(upload.buildinfo, key, progress)
    signed = upload.buildinfo.read_bytes()
    digests = {len(hashlib.new(name).hexdigest()): hashlib.new(name, signed) for name in _CHECKSUMS}
    lines = upload.changes.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        match line.split():
            case [digest, size, *_, name] if name == upload.buildinfo.name and len(digest) in digests:
                lines[number] = line.replace(
                    f" {digest} {size} ", f" {digests[len(digest)].hexdigest()} {len(signed)} ", 1
                )
    upload.changes.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    _clearsign(upload.changes, key, progress)


def _clearsign(file: Path, key: str, progress: Progress) -> None:
    signed = file.with_name(f"{file.name}.asc")
    options = ("--utf8-strings", "--textmode", "--armor", "--local-user", key, "--output", str(signed))
    run(
        [find_program("gpg", "gnupg"), *options, "--clearsign", str(file)], cwd=file.parent, progress=progress
    )
    signed.replace(file)


def _read_changes(tree: SourceTree, package: Path) -> Upload:
    changes = package.with_suffix(".changes")
    said = read_changes(changes)
    if said.version != str(tree.version) or package.name not in said.files:
        raise CommandFailed(
            f"dpkg-buildpackage built another package than {package.name}",
            details=(f"{changes.name} says {said.version}",),
            hint="debian-template/changelog.j2 and the requested version must agree",
        )
    return Upload(tree.version, tree.architecture, package, package.with_suffix(".buildinfo"), changes)
