"""Looking whether a repository is whole: what a client would find, file by file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from debian.deb822 import Deb822

from builder.progress import Progress
from builder.repository.generation import (
    Generation,
    Listed,
    file_digest,
    parse_date,
    read_generation,
    signed_text,
)
from builder.repository.index import Damaged
from builder.repository.layout import Repository
from builder.repository.signing import find_fault


def check(repository: Repository, progress: Progress) -> tuple[str, ...]:
    """What is wrong, one line each; nothing where all is well. Reads every file that a suite names."""
    return tuple(
        f"{suite}: {problem}"
        for suite in repository.suites
        for problem in _check_suite(repository, suite, progress)
    )


def _check_suite(repository: Repository, suite: str, progress: Progress) -> Iterator[str]:
    progress.step(f"checking {suite}")
    folder = repository.link(suite).resolve()
    try:
        generation = read_generation(suite, folder)
    except (OSError, Damaged) as error:
        yield f"Release can't be read: {error}"
        return
    yield from _check_signatures(repository, folder, progress)
    yield from _check_validity(folder / "Release")
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
            yield f"{name} has no good signature: {fault}"
    if inline.is_file() and _differ(inline, release):
        yield "InRelease and Release say different things"


def _differ(inline: Path, release: Path) -> bool:
    signed = signed_text(inline.read_text(encoding="utf-8"))
    return signed.splitlines() != release.read_text(encoding="utf-8").splitlines()


def _check_validity(release: Path) -> Iterator[str]:
    until = Deb822(release.read_text(encoding="utf-8")).get("Valid-Until")
    if until and parse_date(until) < datetime.now(UTC):
        yield f"Valid-Until {until} is over: etcd-deb repo resign"


def _check_packages(repository: Repository, generation: Generation) -> Iterator[str]:
    for key in generation.keys:
        try:
            entries = generation.entries(key)
        except (OSError, Damaged) as error:
            yield f"{key.folder}/Packages can't be read: {error}"
            continue
        for entry in entries:
            yield from _check_file(
                repository.root / entry.filename, entry.filename, Listed(entry.sha256, entry.size)
            )


def _check_file(path: Path, name: str, listed: Listed) -> Iterator[str]:
    if not path.is_file():
        yield f"{name} is missing"
    elif path.stat().st_size != listed.size:
        yield f"{name} has {path.stat().st_size} bytes, expected {listed.size}"
    elif (digest := file_digest(path)) != listed.sha256:
        yield f"{name} has sha256 {digest}, expected {listed.sha256}"
