"""Bringing a remote to the state of the repository, in an order that keeps clients whole.

Packages, then indices by their digests, then what clients of by-hash never read, then InRelease, which names
them; then the pages for people; deletions last. Broken off at any point, clients see the old state or the new
one of each suite, and the next push goes on from there: what the InRelease there names is there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from debian.deb822 import Release

from builder.errors import EtcdDebError
from builder.repository.remote.storage import Held, OtherPublisher, RemoteFile, Storage
from builder.repository.remote.target import Target, open_target
from builder.repository.remote.tree import by_hash_name, inrelease_name, remote_tree
from builder.repository.state.generation import kept_generations, listed_files, signed_text
from builder.repository.state.index import index_text, read_index
from builder.repository.state.layout import Repository
from builder.repository.state.ledger import written
from builder.repository.state.lock import locked
from builder.repository.state.sweep import GRACE
from builder.system.digest import file_digest
from builder.system.files import replacing
from builder.system.progress import Progress


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did. sent, deleted: names below the remote's root, the pages left out; switched: suites."""

    target: str
    sent: tuple[str, ...]
    switched: tuple[str, ...]
    deleted: tuple[str, ...]


def push(repository: Repository, target: Target, progress: Progress) -> Pushed:
    """Have a remote show what the repository shows.

    Raises OtherPublisher where the remote shows what was never published here, OtherBytes where a package
    there has the name of another one, RemoteFailed.
    """
    with locked(repository, progress) as lock:
        storage = open_target(target, repository, lock, progress)
        progress.step(f"reading {target}")
        there = storage.listing()
        seen = storage.read([name for name in map(inrelease_name, repository.suites) if name in there])
        _refuse_foreign(repository, target, there, seen)
        tree = remote_tree(repository)
        stale = [
            suite
            for suite, file in tree.switches.items()
            if file.name not in seen or seen[file.name].content != file.path.read_bytes()
        ]
        named = _named(repository, storage, there, seen)
        sent: list[str] = []

        def send(files: Sequence[RemoteFile]) -> None:
            storage.send(files)
            sent.extend(file.name for file in files)

        progress.step(f"sending new files to {target}")
        # What an InRelease there names was there before it.
        packages, indices = (
            [file for file in group if file.name not in named or there.get(file.name) != file.size]
            for group in (tree.packages, tree.indices)
        )
        folders = tuple(f"dists/{suite}/" for suite in stale)
        plain = [f for f in tree.plain if f.name.startswith(folders) or there.get(f.name) != f.size]
        storage.send(tree.keyrings)
        send(packages)
        send([*indices, *plain])
        _remember(repository, target, seen, tree.switches.values())
        for suite in stale:
            file = tree.switches[suite]
            storage.switch(file, seen.get(file.name))
            sent.append(file.name)
        storage.send(tree.pages)
        gone = _unneeded(repository, there, seen, tree.names | named)
        storage.delete(gone)
        return Pushed(str(target), tuple(sent), tuple(stale), gone)


def _refuse_foreign(
    repository: Repository, target: Target, there: Mapping[str, int], seen: Mapping[str, Held]
) -> None:
    shown = {name.split("/")[1] for name in there if name.endswith("/InRelease")}
    if foreign := sorted(shown - set(repository.suites)):
        raise OtherPublisher(
            f"{target} has suites of another repository: {', '.join(foreign)}",
            details=(f"expected  only {', '.join(repository.suites)}",),
            hint="publish to another folder or prefix",
        )
    ours = {
        file_digest(generation.folder / "InRelease")
        for suite in repository.suites
        for generation in kept_generations(repository, suite)
    } | _remembered(repository).get(str(target), set())
    for name, held in seen.items():
        if (got := _digest(held)) not in ours:
            raise OtherPublisher(
                f"{target} has files of another publisher",
                details=(
                    f"file      {name}",
                    f"found     sha256 {got}",
                    "expected  a file that this repository published",
                ),
                hint=f"publish from the other repository; to take the target over, first delete {name} there",
            )


def _named(
    repository: Repository, storage: Storage, there: Mapping[str, int], seen: Mapping[str, Held]
) -> frozenset[str]:
    """What the states that clients see there name: indices and packages."""
    named: set[str] = set()
    indices: dict[str, Path] = {}
    for name, held in seen.items():
        for index, listed in listed_files(Release(signed_text(held.content.decode()))).items():
            stored = by_hash_name(name.split("/")[1], index, listed.sha256)
            named.add(stored)
            if index.endswith("/Packages") and stored in there:
                indices[stored] = repository.by_hash / listed.sha256
    fetched = storage.read([stored for stored, here in indices.items() if not here.exists()])
    for stored, here in indices.items():
        text = fetched[stored].content.decode() if stored in fetched else index_text(here)
        named.update(entry.filename for entry in read_index(text))
    return frozenset(named)


def _unneeded(
    repository: Repository, there: Mapping[str, int], seen: Mapping[str, Held], needed: frozenset[str]
) -> tuple[str, ...]:
    """What no client can be reading: nothing that was seen there has named it for GRACE.

    What a replaced InRelease names stays for a later push, and so does everything where it was young itself.
    """
    if any(held.age < GRACE for held in seen.values()):
        return ()
    ours = frozenset(written(repository))
    return tuple(name for name in there if name not in needed and _is_ours(repository, ours, name))


def _is_ours(repository: Repository, packages: frozenset[str], name: str) -> bool:
    top, folder, *rest = name.split("/")
    if top == "pool":
        return name in packages or (len(rest) == 1 and _sent_in_part(folder, rest[0]) in packages)
    # A hidden file is what rsync was writing when it was killed.
    return folder in repository.suites and ("by-hash" in rest or rest[-1].startswith("."))


def _sent_in_part(component: str, name: str) -> str:
    """The package that rsync was writing as .NAME.XXXXXX when it was killed."""
    return f"pool/{component}/{name.removeprefix('.').rpartition('.')[0]}" if name.startswith(".") else ""


def _remember(
    repository: Repository, target: Target, seen: Mapping[str, Held], switches: Iterable[RemoteFile]
) -> None:
    """Before the switch, what may be there after it: a remote may wait longer than generations are kept."""
    digests = {*map(_digest, seen.values()), *(file.sha256 for file in switches)}
    pushed = {**_remembered(repository), str(target): digests}
    with replacing(_memory(repository), "noting what is published elsewhere") as out:
        out.write(json.dumps({name: sorted(known) for name, known in pushed.items()}, indent=1).encode())


def _remembered(repository: Repository) -> dict[str, set[str]]:
    try:
        text = _memory(repository).read_text(encoding="utf-8")
        return {str(target): set(map(str, digests)) for target, digests in json.loads(text).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, TypeError) as error:
        raise EtcdDebError(
            f"can't read {_memory(repository)}", details=(str(error),), hint="remove it, and publish again"
        ) from error


def _memory(repository: Repository) -> Path:
    return repository.private / "pushed.json"


def _digest(held: Held) -> str:
    return hashlib.sha256(held.content).hexdigest()
