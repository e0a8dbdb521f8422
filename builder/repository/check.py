"""Looking whether a repository is whole: what a client would find, file by file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from debian.deb822 import Deb822

from builder.advisories import kept_faults
from builder.errors import EtcdDebError
from builder.repository.check_files import check_files
from builder.repository.keys import find_key_faults
from builder.repository.signing import find_fault, without_armour
from builder.repository.state.generation import (
    Generation,
    Listed,
    parse_date,
    read_generation,
    signed_text,
)
from builder.repository.state.index import Damaged, Entry
from builder.repository.state.layout import Repository
from builder.system.digest import file_digest
from builder.system.progress import Progress


def check(repository: Repository, progress: Progress) -> tuple[str, ...]:
    """What is wrong, one line each; nothing where all is well. Reads every file that a suite names."""
    suites = tuple(
        f"{suite}: {problem}"
        for suite in repository.suites
        for problem in _check_suite(repository, suite, progress)
    )
    progress.step("checking the key, the pages and the files")
    keys = tuple(_check_key(repository, progress))
    # The texts are made of what those two found in order.
    pages = () if suites or keys else tuple(_check_pages(repository))
    return (*suites, *keys, *pages, *check_files(repository))


def _check_suite(repository: Repository, suite: str, progress: Progress) -> Iterator[str]:
    progress.step(f"checking {suite}")
    try:
        folder = repository.seen(suite)
        generation = read_generation(suite, folder)
    except Damaged as error:
        yield "; ".join((error.summary, *error.details))
        return
    except OSError as error:
        yield f"can't read Release: {error}"
        return
    try:
        yield from _check_signatures(repository, folder, progress)
        yield from _check_validity(folder / "Release")
    except (OSError, ValueError) as error:
        yield f"can't read Release or InRelease: {error}"
    for name, listed in sorted(generation.files.items()):
        yield from _check_file(folder / name, name, listed)
        yield from _check_file(repository.by_hash / listed.sha256, f"by-hash/SHA256/{listed.sha256}", listed)
    yield from _check_packages(repository, generation)


def _check_signatures(repository: Repository, folder: Path, progress: Progress) -> Iterator[str]:
    release, inline, detached = folder / "Release", folder / "InRelease", folder / "Release.gpg"
    for name, signed in (("InRelease", [inline]), ("Release.gpg", [detached, release])):
        if not signed[0].is_file():
            yield f"{name} is missing"
        elif fault := find_fault(repository.keyring, signed, progress):
            yield f"{name} has no valid signature: {fault}"
    if inline.is_file() and _differ(inline, release):
        yield "InRelease and Release differ"


def _differ(inline: Path, release: Path) -> bool:
    signed = signed_text(inline.read_text(encoding="utf-8"))
    return signed.splitlines() != release.read_text(encoding="utf-8").splitlines()


def _check_validity(release: Path) -> Iterator[str]:
    until = Deb822(release.read_text(encoding="utf-8")).get("Valid-Until")
    if until and parse_date(until) < datetime.now(UTC):
        yield f"Valid-Until {until} has passed: etcd-deb repo resign"


def _check_packages(repository: Repository, generation: Generation) -> Iterator[str]:
    for key in generation.keys:
        try:
            entries = generation.entries(key)
        except (OSError, Damaged) as error:
            yield f"can't read {key.folder}/Packages: {error}"
            continue
        for entry in entries:
            yield from _check_package(repository, entry)
    try:
        for entry in generation.keyrings():
            yield from _check_package(repository, entry)
    except (OSError, Damaged) as error:
        yield f"can't read the keyring package: {error}"


def _check_package(repository: Repository, entry: Entry) -> Iterator[str]:
    path = repository.root / entry.filename
    yield from _check_file(path, entry.filename, Listed(entry.sha256, entry.size))


def _check_file(path: Path, name: str, listed: Listed) -> Iterator[str]:
    if not path.is_file():
        yield f"{name} is missing"
    elif path.stat().st_size != listed.size:
        yield f"{name} has {path.stat().st_size} bytes, expected {listed.size}"
    elif (digest := file_digest(path)) != listed.sha256:
        yield f"{name} has sha256 {digest}, expected {listed.sha256}"


def _check_key(repository: Repository, progress: Progress) -> Iterator[str]:
    """Both files of the public key hold the key that signs, and clients take it."""
    restored = "to write it again: etcd-deb repo init DIR"
    armoured, binary = repository.armoured_key, repository.keyring
    for file in (armoured, binary):
        if not file.is_file():
            yield f"{file.name} is missing; {restored}"
            return
    try:
        same = without_armour(armoured, progress) == binary.read_bytes()
        faults = find_key_faults(repository.keyring, repository.settings.keys, progress)
    except EtcdDebError as error:
        yield f"{armoured.name} or {binary.name} has no key ({error.summary}); {restored}"
        return
    if not same:
        yield f"{armoured.name} and {binary.name} have different keys; {restored}"
    yield from (f"{fault.summary}: {fault.remedy}" for fault in faults)


def _check_pages(repository: Repository) -> Iterator[str]:
    # It takes as long to load as the rest of a small repository to check.
    from builder.repository.announcement.page import expected_pages

    try:
        kept_faults(repository.advisories)
    except EtcdDebError as error:
        yield f"{error.summary}: {error.hint}"
    killed = " (a publisher was killed, or is running)" if repository.unfinished.exists() else ""
    for path, text in expected_pages(repository).items():
        if path.is_file() and path.read_bytes() == text.encode():
            continue
        what = "is not what this etcd-deb writes" if path.exists() else "is missing"
        yield f"{path.name} {what}{killed}; to write it again: etcd-deb repo resign {repository.root}"
