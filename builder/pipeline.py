"""The way of a build, in order: fetch, verify, unpack, examine, assemble, pack, deliver."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from builder.advisories import known_faults
from builder.errors import EtcdDebError, VerificationFailed
from builder.known_faults import KnownFault
from builder.package.deliver import deliver
from builder.package.examine import ExaminedBinaries, examine
from builder.package.pack import Upload, pack
from builder.package.provenance import Provenance, provenance_of
from builder.package.source_tree import SourceTree, assemble
from builder.package.unpack import unpack
from builder.release.fetch import Fetched, Sources, fetch
from builder.release.origin import ReleaseFile
from builder.release.pins import Pins
from builder.release.verify import verify
from builder.system.files import disk_full_named, work_folder
from builder.system.progress import Progress
from builder.version import Architecture, PackageVersion

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the builder chooses, whatever the release."""

    maintainer: str
    require_pin: bool
    compression: str
    key: str


@dataclass(frozen=True, slots=True)
class Built:
    """A package, where its binaries come from, and what they are known to have."""

    upload: Upload
    provenance: Provenance
    faults: tuple[KnownFault, ...]


def build(
    version: PackageVersion,
    architectures: Sequence[Architecture],
    choices: Choices,
    sources: Sources,
    pins: Pins,
    output: Path,
    progress: Progress,
) -> tuple[Built, ...]:
    """The packages of every architecture asked for, in the output folder: all of them, or none."""
    fetched = fetch_all(version, architectures, sources, pins, progress)
    faults = known_faults(progress).warnings(version.upstream)
    for fault in faults:
        progress.step(f"known fault of etcd {version.upstream}: {fault}")

    def make(one: Fetched, work: Path) -> Built:
        examined = prepare(one, pins, work, progress, require_pin=choices.require_pin)
        provenance = provenance_of(examined)
        tree = assemble(examined, provenance, version, choices.maintainer, work)
        progress.step(f"packing etcd-ha {tree.version} for {tree.architecture}")
        return Built(pack(tree, choices.compression, choices.key, progress), provenance, faults)

    with work_folder(progress) as work:
        built = in_parallel(lambda one: make(one, work / one.file.architecture), fetched, progress)
        uploads = deliver([one.upload for one in built], output, progress)
    return tuple(Built(upload, one.provenance, faults) for upload, one in zip(uploads, built, strict=True))


def make_source(
    version: PackageVersion,
    architectures: Sequence[Architecture],
    choices: Choices,
    sources: Sources,
    pins: Pins,
    folder: Path,
    progress: Progress,
) -> SourceTree:
    """The source tree of one architecture below folder, whole or not at all."""
    (fetched,) = fetch_all(version, architectures, sources, pins, progress)
    with work_folder(progress) as work:
        examined = prepare(fetched, pins, work, progress, require_pin=choices.require_pin)
        provenance = provenance_of(examined)
        tree = assemble(examined, provenance, version, choices.maintainer, work)
        target = folder / tree.root.name
        if target.exists():
            raise EtcdDebError(
                f"{target} exists",
                details=("expected  a folder without a source tree of this version",),
                hint=f"remove it, or choose another folder: rm -r {target}",
            )
        with disk_full_named(target, "writing the source tree"):
            folder.mkdir(parents=True, exist_ok=True)
            staged = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=folder))
            try:
                shutil.copytree(tree.root, staged / target.name, symlinks=True)
                (staged / target.name).rename(target)
            finally:
                shutil.rmtree(staged)
    return SourceTree(target, tree.version, tree.architecture, tree.released)


def fetch_all(
    version: PackageVersion,
    architectures: Sequence[Architecture],
    sources: Sources,
    pins: Pins,
    progress: Progress,
) -> tuple[Fetched, ...]:
    """The tarballs, one after the other; witnesses are asked only for a file that no pin decides."""
    files = [ReleaseFile(version.upstream, architecture) for architecture in architectures]
    return tuple(fetch(file, sources, progress, witnesses=pins.get(file.name) is None) for file in files)


def prepare(
    fetched: Fetched, pins: Pins, work: Path, progress: Progress, *, require_pin: bool
) -> ExaminedBinaries:
    """Binaries that are trusted, unpacked and looked at. A tarball that fails leaves the cache."""
    try:
        progress.step(f"verifying {fetched.file.name}")
        verified = verify(fetched, pins, work, require_pin=require_pin)
        progress.step(f"sha256 {verified.sha256}, vouched for by {' and '.join(verified.vouchers)}")
        return examine(unpack(verified, work / "unpacked", progress), progress)
    except VerificationFailed:
        fetched.discard()
        raise


def in_parallel(
    work: Callable[[_Item], _Result], items: Iterable[_Item], progress: Progress
) -> tuple[_Result, ...]:
    """The results in the items' order, made side by side; the first failure stops the others."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            progress.stop()
            pool.shutdown(cancel_futures=True)
            raise
        return tuple(future.result() for future in futures)
