"""manifest.json of a backup: what a restore needs to know, and what a later look is compared with."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from etcd_ha.endpoint import Member
from etcd_ha.errors import EtcdHaError, on_one_line
from etcd_ha.gateway import Failed, Fields

NAME = "manifest.json"
FORMAT = 1
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Checked:
    """What etcd's own program says of a snapshot. checksum: of all keys and values; program: its version.

    keys: entries of the database, as that version counts them. version: of the data, empty where not told.
    """

    checksum: int
    revision: int
    keys: int
    size: int
    program: str
    version: str


@dataclass(frozen=True, slots=True)
class TlsFile:
    """A file that etcd.yaml names. key: its key there; digest: SHA-256, empty for a private key."""

    key: str
    path: str
    digest: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Who made the backup of which cluster, and what is in it. digest: SHA-256 of snapshot.db."""

    made: datetime
    node: str
    member: str
    cluster: str
    etcd: str
    digest: str
    checked: Checked
    members: tuple[Member, ...]
    tls: tuple[TlsFile, ...]
    has_keys: bool

    @property
    def name(self) -> str:
        """The name of the backup's folder."""
        return f"backup-{self.made.strftime(_STAMP)}"


def made_of(name: str) -> datetime | None:
    """The time in the name of a backup's folder; None for another name."""
    try:
        return datetime.strptime(name, f"backup-{_STAMP}").replace(tzinfo=UTC)
    except ValueError:
        return None


def to_text(manifest: Manifest) -> str:
    """JSON, with the keys of Manifest."""
    values = {"format": FORMAT, **asdict(manifest), "made": manifest.made.isoformat()}
    return json.dumps(values, indent=2) + "\n"


def read_manifest(folder: Path) -> Manifest:
    """The manifest in a backup's folder. Raises EtcdHaError where it is missing or can't be read."""
    file = folder / NAME
    try:
        said = Fields(json.loads(file.read_text(encoding="utf-8")))
        if said.number("format") != FORMAT:
            raise Failed(f"format {said.text('format')}")
        checked = said.one("checked")
        return Manifest(
            made=datetime.fromisoformat(said.text("made")),
            node=said.text("node"),
            member=said.text("member"),
            cluster=said.text("cluster"),
            etcd=said.text("etcd"),
            digest=said.text("digest"),
            checked=Checked(
                checksum=checked.number("checksum"),
                revision=checked.number("revision"),
                keys=checked.number("keys"),
                size=checked.number("size"),
                program=checked.text("program"),
                version=checked.text("version"),
            ),
            members=tuple(map(_member, said.many("members"))),
            tls=tuple(
                TlsFile(*(one.text(name) for name in ("key", "path", "digest"))) for one in said.many("tls")
            ),
            has_keys=said.truth("has_keys"),
        )
    except (OSError, ValueError, Failed) as error:
        raise EtcdHaError(
            f"{folder} has no readable {NAME}",
            details=(f"expected  a manifest of format {FORMAT}", f"found     {on_one_line(str(error))}"),
        ) from error


def _member(said: Fields) -> Member:
    return Member(
        said.text("id"),
        said.text("name"),
        said.texts("peer_urls"),
        said.texts("client_urls"),
        said.truth("is_learner"),
    )
