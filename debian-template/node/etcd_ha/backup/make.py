"""A backup: a snapshot of a healthy member, read by etcd's own program, and what else a restore needs."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from etcd_ha.backup import snapshot_file, store
from etcd_ha.backup.manifest import NAME, Checked, Manifest, TlsFile, to_text
from etcd_ha.backup.programs import Programs
from etcd_ha.backup.site import Site
from etcd_ha.backup.snapshot_file import Kind, SnapshotFile
from etcd_ha.endpoint import Member, Status
from etcd_ha.errors import EtcdHaError
from etcd_ha.identity import Identity
from etcd_ha.keeper.seen import Seen
from etcd_ha.node import Configuration

_TLS_KEYS = tuple(
    f"{block}-transport-security.{name}"
    for block in ("client", "peer")
    for name in ("trusted-ca-file", "cert-file", "key-file", "client-cert-file", "client-key-file")
)

# What /health says of a member whose cluster is full.
_FULL = "ALARM NOSPACE"


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made, by its folder."""

    folder: Path
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Source:
    """The member that is asked, where, and what it said of itself. version: of its etcd."""

    member: Member
    url: str
    version: str
    status: Status


def source_of(members: Sequence[Seen], own: str) -> Source:
    """A healthy member: rather this node's, rather not the leader. Raises EtcdHaError.

    One that is healthy but for its quota serves as well: a backup is wanted before that is mended.
    """
    found = [
        (
            one.member.name != own,
            one.is_leader,
            Source(one.member, one.url, one.version, status),
        )
        for one in members
        if one.endpoint
        and (status := one.status)
        and (one.is_healthy or one.endpoint.reason == _FULL)
        and not one.member.is_learner
    ]
    if not found:
        raise EtcdHaError(
            "no member is healthy, so a backup could miss writes",
            details=[f"found     {one.member.shown}: {one.why_not or 'a learner'}" for one in members],
            hint="etcd-ha status",
        )
    return min(found, key=lambda one: one[:2])[2]


def make(folder: Path, members: Sequence[Seen], site: Site, identity: Identity, *, with_keys: bool) -> Made:
    """Make a backup in a folder. Raises EtcdHaError."""
    node, programs = site.required("name"), site.programs
    source = source_of(members, node)
    with store.unfinished(folder) as part:
        programs.require_room(
            folder,
            source.status.database,
            "etcd-ha backup prune; or on another disk: etcd-ha backup --to DIR",
        )
        snapshot = part / store.SNAPSHOT
        programs.save(source.url, identity, snapshot)
        found, checked = verified(snapshot, programs)
        if checked.revision < source.status.revision:
            raise EtcdHaError(
                f"the snapshot of {source.member.shown} is older than the revision that it reported",
                details=(
                    f"expected  revision {source.status.revision} or later",
                    f"found     revision {checked.revision}",
                ),
                hint="etcd-ha check",
            )
        shutil.copyfile(site.file, part / store.CONFIGURATION)
        (part / store.CONFIGURATION).chmod(0o600)
        manifest = Manifest(
            made=_free_time(folder),
            node=node,
            member=source.member.name,
            cluster=source.status.cluster,
            etcd=source.version,
            digest=found.digest,
            checked=checked,
            members=tuple(one.member for one in members),
            tls=_tls_files(site.here.configuration, part if with_keys else None),
            has_keys=with_keys,
        )
        (part / NAME).write_text(to_text(manifest), encoding="utf-8")
        return Made(store.finish(part, manifest.name), manifest)


def verified(snapshot: Path, programs: Programs) -> tuple[SnapshotFile, Checked]:
    """A whole snapshot as etcd's program reads it. Raises EtcdHaError for what is none."""
    found = snapshot_file.read(snapshot)
    if found.kind is not Kind.WHOLE:
        raise EtcdHaError(
            f"{snapshot} can't be restored",
            details=(f"expected  {Kind.WHOLE.value}", f"found     {found.kind.value}"),
            hint="choose another backup: etcd-ha backup list",
        )
    return found, programs.check(snapshot)


def _free_time(folder: Path) -> datetime:
    """Now, in whole seconds, which are the names of backups."""
    now = datetime.now(UTC).replace(microsecond=0)
    if any(one.made == now for one in store.backups_in(folder)):
        raise EtcdHaError(f"{folder} has a backup of this second", hint="etcd-ha backup list")
    return now


def _tls_files(configuration: Configuration, copies: Path | None) -> tuple[TlsFile, ...]:
    """The files for TLS that etcd.yaml names; copied into copies/tls where that is given."""
    found = []
    for key in _TLS_KEYS:
        path = configuration.get(key)
        if path is None:
            continue
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise EtcdHaError(
                f"{key} can't be read: {path}", details=(f"found     {error.strerror}",)
            ) from error
        is_secret = key.endswith("key-file")
        found.append(TlsFile(key, path, "" if is_secret else hashlib.sha256(content).hexdigest()))
        if copies is not None:
            copy = copies / "tls" / path.lstrip("/")
            copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            copy.write_bytes(content)
            copy.chmod(0o600)
    return tuple(found)
