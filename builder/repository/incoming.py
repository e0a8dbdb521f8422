"""Packages that are to be published: read, checked against their .changes, and named for the pool."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from builder.deb.changes import read_changes
from builder.deb.control import control_in, unreadable
from builder.errors import DigestMismatch, EtcdDebError, UsageError
from builder.repository.state.index import Damaged, Entry, index_entry
from builder.repository.state.layout import PACKAGE, check_component_name
from builder.system.digest import digest_of

_SERIES = re.compile(r"(?:\d+:)?(\d+\.\d+)\.")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A package outside the pool, and the entry it will have."""

    path: Path
    entry: Entry


def read_incoming(files: Iterable[Path], component: str | None) -> tuple[Incoming, ...]:
    """The packages in these .changes and .deb files, each once.

    component: None takes the series of each package's version, such as 3.6.
    Raises DigestMismatch for a file that its .changes describes otherwise, EtcdDebError for a file that is
    not there, can't be read or is another package, UsageError for a file of another kind.
    """
    debs: dict[Path, None] = {}
    for file in files:
        if file.suffix == ".changes":
            debs |= dict.fromkeys(_debs_of(file))
        elif file.suffix == ".deb":
            debs[file] = None
        else:
            raise UsageError(
                f"can't publish {file}",
                details=("expected  a .changes or .deb file",),
                hint="etcd-deb publish dist/*.changes --repo DIR --suite trixie",
            )
    found: dict[str, Incoming] = {}
    for incoming in (_read(deb, component) for deb in debs):
        other = found.setdefault(incoming.entry.filename, incoming)
        if other.entry.sha256 != incoming.entry.sha256:
            raise EtcdDebError(
                f"{other.path} and {incoming.path} are the same version with different bytes",
                details=(
                    f"first     sha256 {other.entry.sha256}",
                    f"second    sha256 {incoming.entry.sha256}",
                ),
                hint="publish one of them; build the other as a new revision: etcd-deb build --revision 2",
            )
    return tuple(found.values())


def _debs_of(changes: Path) -> list[Path]:
    folder = changes.resolve().parent
    listed = read_changes(changes).files
    debs = [folder / name for name in listed if name.endswith(".deb")]
    if not debs:
        raise EtcdDebError(
            f"{changes} lists no package",
            details=("expected  a .deb in Checksums-Sha256",),
            hint="build the package again",
        )
    for name, described in listed.items():
        _check(folder / name, described, changes)
    return debs


def _check(file: Path, described: tuple[str, int], changes: Path) -> None:
    if not file.is_file():
        raise EtcdDebError(
            f"{changes.name} lists {file.name}, which is missing",
            details=(f"expected  {file}",),
            hint="copy all files of a build together",
        )
    with file.open("rb") as stream:
        got = digest_of(stream)
    if got != described:
        raise DigestMismatch(
            file=file.name,
            expected=described[0],
            got=got[0],
            witness=changes.name,
            hint="the files are not from one build: build the package again",
        )


def _read(deb: Path, component: str | None) -> Incoming:
    try:
        # The same open file, so that control file and digest are of the same bytes.
        with deb.open("rb", buffering=0) as stream:
            control = control_in(stream, deb)
            stream.seek(0)
            sha256, size = digest_of(stream)
    except OSError as error:
        raise unreadable(deb, str(error)) from error
    if control.get("Package") != PACKAGE:
        raise EtcdDebError(
            f"{deb.name} is not {PACKAGE}",
            details=(f"expected  a package {PACKAGE}", f"found     {control.get('Package')}"),
            hint="this repository is only for packages of etcd-deb; publish others to another repository",
        )
    version = control["Version"]
    series = _SERIES.match(version)
    if component is None and series is None:
        raise UsageError(
            f"{deb.name} has a version without a series: {version}", hint="name one with --component"
        )
    chosen = check_component_name(component or (series[1] if series else ""))
    # As dpkg-name(1): without the epoch, which no file name has.
    name = f"{PACKAGE}_{version.partition(':')[2] or version}_{control['Architecture']}.deb"
    try:
        return Incoming(deb, index_entry(control, f"pool/{chosen}/{name}", size, sha256))
    except Damaged as error:
        raise unreadable(deb, f"apt could not read it in an index: {error.summary}") from error
