"""A package built again of its release, as it says that it was built, and both compared byte for byte."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from builder.deb.compare import Difference, differences
from builder.deb.deb_file import DebFile, read_deb
from builder.deb.tar_part import TOOLCHAIN
from builder.inspection.claims import Claims, Named
from builder.package.chroot import pack_in_chroot
from builder.package.examine import ExaminedBinaries
from builder.package.pack import pack
from builder.package.provenance import provenance_of
from builder.package.source_tree import assemble
from builder.package.toolchain import Toolchain, is_here, other_versions, parse_toolchain
from builder.system.digest import file_digest
from builder.system.progress import Progress


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What the comparison found. where: what it was built in.

    other_toolchain: packages of the named toolchain that were missing; a difference then proves nothing.
    """

    where: str
    differences: tuple[Difference, ...]
    other_toolchain: tuple[str, ...]


def rebuild(
    deb: DebFile,
    claims: Claims,
    named: Named,
    toolchain: Toolchain,
    examined: ExaminedBinaries,
    work: Path,
    progress: Progress,
) -> Rebuilt:
    """Build the package again from the release, and compare.

    Of the package enter the version, the maintainer, the compression, where its tarball came from and who
    vouched for it then. Raises NoChroot, and what pack() raises.
    """
    provenance = provenance_of(examined).with_words_of(claims.provenance)
    compression = claims.compression
    tree = assemble(examined, provenance, named.version, named.maintainer, work)
    if is_here(toolchain):
        progress.step(f"building etcd-ha {tree.version} again here, on {toolchain}")
        where, again = f"here, on {toolchain}", pack(tree, compression, "", progress).deb
    else:
        progress.step(f"building etcd-ha {tree.version} again in a chroot of {toolchain}")
        where = f"in a chroot of {toolchain}"
        again = pack_in_chroot(tree, compression, toolchain, work, progress)
    if file_digest(again) == deb.sha256:
        return Rebuilt(where, (), ())
    made = read_deb(again)
    used = parse_toolchain((made.data.content(TOOLCHAIN) or b"").decode())
    return Rebuilt(where, differences(made, deb), other_versions(toolchain, used))
