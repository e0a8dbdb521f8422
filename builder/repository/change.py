"""A change of a suite: made beside what clients see, synced, and switched by one rename.

Order, each step synced before the next: packages into the pool; the new generation, its indices with their
twins in by-hash/, Release and its signatures; the link dists/SUITE; then people are told. Killed at any
point, a publisher leaves the old state or the new one; what lies around is removed by the next change, which
finds the mark of the unfinished one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from builder.errors import CommandFailed, EtcdDebError
from builder.repository.announcement.sources_file import choose_component
from builder.repository.incoming import Incoming
from builder.repository.keyring_package import keyring_entry
from builder.repository.keys import KeyFault, find_key_faults
from builder.repository.signing import SigningFailed, SigningKeys, signing
from builder.repository.state import sweep
from builder.repository.state.generation import (
    Generation,
    Listed,
    current_generation,
    next_date,
    numbered,
    release_text,
)
from builder.repository.state.index import Entry, IndexFile, IndexKey, index_files
from builder.repository.state.layout import Repository
from builder.repository.state.ledger import note
from builder.repository.state.lock import locked
from builder.repository.state.syncing import sync_file, sync_files, sync_folder
from builder.system.digest import digest_of, file_digest
from builder.system.files import disk_full_named
from builder.system.progress import Progress
from builder.version import Architecture

Indices = Mapping[IndexKey, Sequence[Entry]]


class OtherBytes(EtcdDebError):
    """The pool holds a package of this name, version and architecture with other bytes."""


@contextmanager
def changing(repository: Repository, progress: Progress) -> Iterator[None]:
    """Locked, for a change. Ends what a killed publisher left. Raises Damaged where a link is gone."""
    with locked(repository, progress):
        repository.require_links()
        mark = repository.unfinished
        if mark.exists():
            progress.step("removing leftovers of a killed publisher")
            sweep.remove_leftovers(repository)
            # What can't be told now is told by the change of its suite, or by `repo init` for the key.
            with suppress(OSError, EtcdDebError):
                _tell_again(repository)
        try:
            with disk_full_named(mark, "starting a change"):
                mark.touch()
                sync_folder(repository.private)
            yield
        except BaseException:
            # A full disk or a refused signature leaves nothing that the next change would trip over.
            with suppress(OSError, EtcdDebError):
                sweep.remove_leftovers(repository)
                _tell_again(repository)
                mark.unlink()
            raise
        mark.unlink()


def _tell_again(repository: Repository) -> None:
    from builder.repository.announcement.page import announce_all

    # Clients may see the new state already, and people be told of the old one.
    announce_all(repository)


def add_to_pool(repository: Repository, packages: Sequence[Incoming]) -> None:
    """Copy packages into the pool. Raises OtherBytes, DiskFull, OSError."""
    components = [path for path in repository.pool.glob("*") if path.is_dir()]
    fresh = [incoming for incoming in packages if not _is_there(repository, components, incoming.entry)]
    targets = [repository.root / incoming.entry.filename for incoming in fresh]
    temporaries = [target.with_name(f".{target.name}") for target in targets]
    folders = {target.parent for target in targets}
    for folder in folders:
        _make_folder(folder)
    if fresh:
        note(repository, [incoming.entry for incoming in fresh])
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
    with (
        disk_full_named(target, "copying a package into the pool"),
        incoming.path.open("rb", buffering=0) as content,
        target.open("wb") as out,
    ):
        os.fchmod(out.fileno(), 0o644)
        sha256, _ = digest_of(content, out.write)
    if sha256 != incoming.entry.sha256:
        raise EtcdDebError(
            f"{incoming.path} was changed while it was being published", hint="publish it again"
        )


def _refuse_other_bytes(present: Path, entry: Entry) -> None:
    if present.stat().st_size == entry.size and file_digest(present) == entry.sha256:
        return
    upstream, _, revision = entry.version.rpartition("-")
    following = f"{int(revision) + 1}" if revision.isdecimal() else f"{revision}+1"
    raise OtherBytes(
        f"{present.name} is already published, with different bytes",
        details=(f"expected  sha256 {file_digest(present)}", f"found     sha256 {entry.sha256}"),
        hint="apt and its mirrors never fetch a version twice; build another revision:"
        f" etcd-deb build v{upstream.replace('~', '-')} --revision {following}",
    )


def switch(
    repository: Repository,
    suite: str,
    changed: Indices,
    progress: Progress,
    *,
    base: Generation | None = None,
    withheld: frozenset[str] | None = None,
) -> Generation:
    """Make the new generation of a suite what clients see: that of base, but for the changed indices.

    base: what clients see now, unless another is named. withheld: as now, unless given.
    Raises SigningFailed, Damaged, DiskFull, OSError.
    """
    current = current_generation(repository, suite) if suite in repository.suites else None
    base = base or current
    number = max(
        [current.number if current else 0, *(int(p.name) for p in numbered(repository.generations(suite)))]
    )
    folder = repository.generations(suite) / str(number + 1)
    if base is not current and base is not None:
        # An older generation may list older keys.
        changed = {**all_of(base), **changed}
    fresh = tuple(_fresh_indices(base, changed, keyring_entry(repository)))
    files = dict(base.files) if base else {}
    files |= {file.name: Listed(file.sha256, len(file.content)) for file in fresh}
    if withheld is None:
        withheld = current.withheld if current else frozenset()
    chosen = (current.chosen if current else "") or choose_component(repository, base, suite, changed)
    generation = Generation(suite, number + 1, folder, next_date(current), files, chosen, withheld)
    keys = SigningKeys(repository.settings.keys, repository.settings.gnupg_home)
    with disk_full_named(folder, "writing the indices"):
        release = _write_release(repository, generation)
        # All of this beside gpg, which takes as long; half of it is loading jinja2.
        with _judging(repository, progress) as faults, signing(keys, release, progress) as signatures:
            _write_indices(repository, generation, fresh)
            from builder.repository.announcement.page import announce, announcement

            told = announcement(repository, generation)
            _judge_keys(repository, faults, progress)
        _age(signatures, current)
        for file in (release, *signatures):
            sync_file(file)
        sync_folder(folder)
        sync_folder(folder.parent)
        _point(repository, suite, folder)
    sweep.retire(repository, suite)
    announce(repository, told)
    return generation


@contextmanager
def _judging(repository: Repository, progress: Progress) -> Iterator[Future[tuple[KeyFault, ...]]]:
    """Look at the keys of a repository while the block runs, which asks for the result."""
    own = progress.apart()
    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool.submit(find_key_faults, repository.keyring, repository.settings.keys, own)
        except BaseException:
            own.stop()
            raise


def _judge_keys(repository: Repository, faults: Future[tuple[KeyFault, ...]], progress: Progress) -> None:
    try:
        found = faults.result()
    except CommandFailed as error:
        progress.warn(f"can't read {repository.keyring}: {error.summary}")
        return
    for fault in found:
        if fault.by_all:
            raise SigningFailed(fault.summary, hint=fault.remedy)
        progress.warn(f"{fault.summary}: {fault.remedy}")


def all_of(generation: Generation) -> Indices:
    """Every index, so that all are written again."""
    return {key: generation.entries(key) for key in generation.keys}


def _fresh_indices(base: Generation | None, changed: Indices, keyring: Entry) -> Iterator[IndexFile]:
    """What changed, and an empty index where a component has none for an architecture; each with the keys."""
    present = set(base.keys) if base else set()
    components = {key.component for key in (*present, *changed)}
    for component in sorted(components):
        for key in (IndexKey(component, architecture) for architecture in Architecture):
            if key in changed or key not in present:
                yield from index_files(key, [*changed.get(key, ()), keyring])


def _write_release(repository: Repository, generation: Generation) -> Path:
    _make_folder(generation.folder.parent)
    generation.folder.mkdir()
    release = generation.folder / "Release"
    settings = repository.settings
    text = release_text(generation, origin=settings.origin, valid_days=settings.valid_days)
    release.write_text(text, encoding="utf-8")
    return release


def _write_indices(repository: Repository, generation: Generation, fresh: Sequence[IndexFile]) -> None:
    """Each index is one file with its twin in by-hash/."""
    _make_folder(repository.by_hash)
    for file in fresh:
        _store(repository.by_hash / generation.files[file.name].sha256, file.content)
    sync_folder(repository.by_hash)
    for key in generation.keys:
        place = generation.folder / key.folder
        place.mkdir(parents=True)
        # The same file for every generation: a client may hold the Release before this one.
        (place / "by-hash").symlink_to("../../../../../by-hash")
    for name, listed in generation.files.items():
        (generation.folder / name).hardlink_to(repository.by_hash / listed.sha256)
    for key in generation.keys:
        sync_folder(generation.folder / key.folder)
    for component in generation.components:
        sync_folder(generation.folder / component)


def _store(target: Path, content: bytes) -> None:
    if not target.exists():
        temporary = target.with_name(f".{target.name}")
        temporary.write_bytes(content)
        sync_file(temporary)
        temporary.rename(target)


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
