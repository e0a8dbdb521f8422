"""A change of a suite: made beside what clients see, synced, and switched by one rename.

Order, each step synced before the next: packages into the pool, indices into by-hash/, the new generation
with Release and its signatures, the link dists/SUITE; then people are told. Killed at any point, a publisher
leaves the old state or the new one; what lies around is removed by the next change, which finds the mark of
the unfinished one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from builder.errors import EtcdDebError
from builder.progress import Progress
from builder.replace import disk_full_named
from builder.repository import sweep
from builder.repository.generation import (
    Generation,
    Listed,
    current_generation,
    file_digest,
    next_date,
    numbered,
    release_text,
)
from builder.repository.incoming import CHUNK, Incoming
from builder.repository.index import Entry, IndexFile, IndexKey, index_files
from builder.repository.layout import Repository
from builder.repository.signing import SigningKey, signing
from builder.repository.syncing import sync_file, sync_files, sync_folder
from builder.version import Architecture

Indices = Mapping[IndexKey, Sequence[Entry]]


class OtherBytes(EtcdDebError):
    """The pool holds a package of this name, version and architecture with other bytes."""


@contextmanager
def locked(repository: Repository, progress: Progress) -> Iterator[int]:
    """The one publisher at a time; others wait. Yields the lock, which a child may hold on to."""
    repository.private.mkdir(parents=True, exist_ok=True)
    with (repository.private / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.step("waiting for another publisher")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


@contextmanager
def changing(repository: Repository, progress: Progress) -> Iterator[None]:
    """Locked, for a change. Ends what a killed publisher left."""
    with locked(repository, progress):
        mark = repository.private / "unfinished"
        if mark.exists():
            progress.step("removing what a publisher that was killed has left")
            sweep.remove_leftovers(repository)
        with disk_full_named(mark, "starting a change"):
            mark.touch()
            sync_folder(repository.private)
        try:
            yield
        except BaseException:
            # A full disk or a refused signature leaves nothing that the next change would trip over.
            with suppress(OSError):
                sweep.remove_leftovers(repository)
                mark.unlink()
            raise
        mark.unlink()


def add_to_pool(repository: Repository, packages: Sequence[Incoming]) -> None:
    """Copy packages into the pool. Raises OtherBytes, DiskFull, OSError."""
    components = [path for path in repository.pool.glob("*") if path.is_dir()]
    fresh = [incoming for incoming in packages if not _is_there(repository, components, incoming.entry)]
    targets = [repository.root / incoming.entry.filename for incoming in fresh]
    temporaries = [target.with_name(f".{target.name}") for target in targets]
    folders = {target.parent for target in targets}
    for folder in folders:
        _make_folder(folder)
    for incoming, temporary in zip(fresh, temporaries, strict=True):
        _copy(incoming, temporary)
    sync_files(temporaries)
    for temporary, target in zip(temporaries, targets, strict=True):
        temporary.rename(target)
    for folder in folders:
        sync_folder(folder)


def _is_there(repository: Repository, components: Sequence[Path], entry: Entry) -> bool:
    """Whether the pool has the package where it belongs. Raises OtherBytes, wherever those are."""
    target = repository.root / entry.filename
    present = [path for path in (folder / target.name for folder in components) if path.exists()]
    for path in present:
        _refuse_other_bytes(path, entry)
    return target in present


def _copy(incoming: Incoming, target: Path) -> None:
    digest = hashlib.sha256()
    with (
        disk_full_named(target, "copying a package into the pool"),
        incoming.path.open("rb", buffering=0) as content,
        target.open("wb") as out,
    ):
        os.fchmod(out.fileno(), 0o644)
        while chunk := content.read(CHUNK):
            out.write(chunk)
            digest.update(chunk)
    if digest.hexdigest() != incoming.entry.sha256:
        raise EtcdDebError(
            f"{incoming.path} was changed while it was being published", hint="publish it again"
        )


def _refuse_other_bytes(present: Path, entry: Entry) -> None:
    if present.stat().st_size == entry.size and file_digest(present) == entry.sha256:
        return
    upstream, _, revision = entry.version.rpartition("-")
    following = f"{int(revision) + 1}" if revision.isdecimal() else f"{revision}+1"
    raise OtherBytes(
        f"{present.name} is published already, with other bytes",
        details=(f"expected  sha256 {file_digest(present)}", f"got       sha256 {entry.sha256}"),
        hint="apt and its mirrors never fetch a version twice; build it as another revision:"
        f" etcd-deb build v{upstream.replace('~', '-')} --revision {following}",
    )


def switch(
    repository: Repository,
    suite: str,
    changed: Indices,
    progress: Progress,
    *,
    base: Generation | None = None,
) -> Generation:
    """Make the new generation of a suite what clients see: that of base, but for the changed indices.

    base: what clients see now, unless another is named. Raises SigningFailed, DiskFull, OSError.
    """
    current = current_generation(repository, suite) if suite in repository.suites else None
    base = base or current
    number = max(
        [current.number if current else 0, *(int(p.name) for p in numbered(repository.generations(suite)))]
    )
    folder = repository.generations(suite) / str(number + 1)
    with disk_full_named(folder, "writing the indices"):
        files = _write_indices(repository, folder, base, changed)
        date = next_date(current)
        settings = repository.settings
        release = folder / "Release"
        release.write_text(
            release_text(
                suite=suite, origin=settings.origin, files=files, date=date, valid_days=settings.valid_days
            ),
            encoding="utf-8",
        )
        generation = Generation(suite, number + 1, folder, date, files)
        with signing(SigningKey(settings.key, settings.gnupg_home), release, progress) as signatures:
            # Beside gpg, which takes as long as this; and here, since half of it is loading jinja2.
            from builder.repository.page import announce, announcement

            told = announcement(repository, generation)
            for path in (path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink()):
                sync_folder(path)
        _age(signatures, current)
        for file in (release, *signatures):
            sync_file(file)
        sync_folder(folder)
        sync_folder(folder.parent)
        _point(repository, suite, folder)
    sweep.retire(repository, suite)
    announce(repository, told)
    return generation


def _write_indices(
    repository: Repository, folder: Path, base: Generation | None, changed: Indices
) -> dict[str, Listed]:
    """The indices of the new generation, by name; each is one file with its twin in by-hash/."""
    files = dict(base.files) if base else {}
    _make_folder(repository.by_hash)
    components = {name.split("/")[0] for name in files} | {key.component for key in changed}
    every = [
        IndexKey(component, architecture) for component in sorted(components) for architecture in Architecture
    ]
    for key in every:
        if key in changed or f"{key.folder}/Packages" not in files:
            for file in index_files(key, changed.get(key, ())):
                files[file.name] = _store(repository, file)
    sync_folder(repository.by_hash)
    _make_folder(folder.parent)
    folder.mkdir()
    for key in every:
        place = folder / key.folder
        place.mkdir(parents=True)
        # The same file for every generation: a client may hold the Release before this one.
        (place / "by-hash").symlink_to("../../../../../by-hash")
    for name, listed in files.items():
        (folder / name).hardlink_to(repository.by_hash / listed.sha256)
    return files


def _store(repository: Repository, file: IndexFile) -> Listed:
    listed = Listed(file.sha256, len(file.content))
    target = repository.by_hash / listed.sha256
    if not target.exists():
        temporary = target.with_name(f".{target.name}")
        temporary.write_bytes(file.content)
        sync_file(temporary)
        temporary.rename(target)
    return listed


def _age(signatures: Sequence[Path], current: Generation | None) -> None:
    # Web servers tell the time of a file in whole seconds, and a client that asks for what is newer than what
    # it has would never see the second change of one second.
    if current is None:
        return
    before = int((current.folder / "InRelease").stat().st_mtime)
    for path in signatures:
        later = max(int(path.stat().st_mtime), before + 1)
        os.utime(path, (later, later))


def _point(repository: Repository, suite: str, folder: Path) -> None:
    _make_folder(repository.dists)
    link = repository.link(suite)
    fresh = link.with_name(f".{suite}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(f"../generations/{suite}/{folder.name}")
    fresh.rename(link)
    sync_folder(repository.dists)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each synced."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir()
        sync_folder(folder.parent)
