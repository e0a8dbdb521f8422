"""What a restore on this node will do: from a file and from etcd.yaml, before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from etcd_ha.backup import snapshot_file, store
from etcd_ha.backup.manifest import NAME, Checked, Manifest, read_manifest
from etcd_ha.backup.programs import Programs, megabytes
from etcd_ha.backup.site import Site
from etcd_ha.backup.snapshot_file import Kind, SnapshotFile
from etcd_ha.errors import EtcdHaError
from etcd_ha.restore.ids import cluster_id, members_in
from etcd_ha.restore.swap import Places

# Upstream's example: more than a week of 1,500 writes a second (etcd.io/docs, op-guide/recovery).
BUMP = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be restored. manifest: None where none lies beside it."""

    file: SnapshotFile
    checked: Checked
    manifest: Manifest | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A restore. bump: revisions to add; 0 where this version of etcd can't."""

    source: Source
    name: str
    initial_cluster: str
    peer_urls: str
    token: str
    places: Places
    bump: int

    @property
    def members(self) -> Mapping[str, tuple[str, ...]]:
        return members_in(self.initial_cluster)

    @property
    def cluster(self) -> str:
        """The id of the cluster that begins."""
        return cluster_id(self.members, self.token)

    def words(self) -> list[str | Path]:
        """What etcdutl snapshot restore is told."""
        words: list[str | Path] = [
            *(self.source.file.path, "--name", self.name, "--data-dir", self.places.new_data),
            *("--initial-cluster", self.initial_cluster, "--initial-cluster-token", self.token),
            *("--initial-advertise-peer-urls", self.peer_urls),
        ]
        if self.places.new_log:
            words += ["--wal-dir", self.places.new_log]
        if self.bump:
            words += ["--bump-revision", str(self.bump), "--mark-compacted"]
        if self.source.file.kind is Kind.COPY:
            words.append("--skip-hash-check")
        return words

    def shown(self, silent: Sequence[str]) -> list[str]:
        """The plan for people. silent: URLs that do not answer."""
        file, checked = self.source.file, self.source.checked
        lines = [
            f"restores   {file.path}, revision {checked.revision}, {megabytes(file.size)}, "
            f"SHA-256 {file.digest[:16]}…",
            f"as         {self.name} of the new cluster {self.cluster}, token {self.token}",
            *(f"           {name}={','.join(urls)}" for name, urls in self.members.items()),
            f"into       {self.places.data}{f', log in {self.places.log}' if self.places.log else ''}",
            f"revision   {checked.revision + self.bump}"
            + ("; watchers of older revisions are cancelled" if self.bump else
               ": this etcd can't raise it, and watchers are not cancelled; restart the clients"),
        ]  # fmt: skip
        if not checked.version:
            lines.append("note       it is unknown which version of etcd wrote the file")
        if file.kind is Kind.COPY:
            lines.append("note       the file has no checksum, so damage can't be detected")
        made = self.source.manifest
        if made and {one.name: one.peer_urls for one in made.members} != self.members:
            known = ",".join(f"{one.name}={','.join(one.peer_urls)}" for one in made.members)
            lines.append(f"note       the members in the backup differ from etcd.yaml: {known}")
        if silent:
            lines.append(f"note       no answer from {', '.join(silent)}; if one of these runs, stop here")
        return lines


def source_of(named: Path, programs: Programs, *, skip_hash_check: bool, again: str) -> Source:
    """The snapshot of a file, or of a backup's folder. Raises EtcdHaError for what can't be restored."""
    path = named / store.SNAPSHOT if named.is_dir() else named
    found = snapshot_file.read(path)
    manifest = read_manifest(path.parent) if (path.parent / NAME).exists() else None
    allowed = (Kind.WHOLE, Kind.COPY) if skip_hash_check else (Kind.WHOLE,)
    if found.kind not in allowed:
        may = found.kind is Kind.COPY
        raise EtcdHaError(
            f"{path} can't be restored",
            details=(f"expected  {Kind.WHOLE.value}", f"found     {found.kind.value}"),
            hint=f"if you have no other file: {again}"
            if may
            else "choose another backup: etcd-ha backup list",
        )
    if manifest and manifest.digest != found.digest:
        raise EtcdHaError(
            f"{path} is not the snapshot that its manifest describes",
            details=(f"expected  SHA-256 {manifest.digest}", f"found     SHA-256 {found.digest}"),
            hint="choose another backup: etcd-ha backup list",
        )
    checked = programs.check(path)
    _require_version(checked)
    return Source(found, checked, manifest)


def _require_version(checked: Checked) -> None:
    """etcd reads data of its own minor version, and of the one before."""
    if not checked.version:
        return
    own, data = (int(one.split(".")[1]) for one in (checked.program, checked.version))
    if data in (own, own - 1):
        return
    raise EtcdHaError(
        "the installed etcd can't read a snapshot of this version",
        details=(f"expected  3.{own} or 3.{own - 1}", f"found     {checked.version}"),
        hint=f"apt install 'etcd-ha=3.{data if data > own else data + 1}.*'",
    )


def plan_of(site: Site, source: Source, token: str, bump: int) -> Plan:
    """The plan for this node. token: empty for one that the file gives. Raises EtcdHaError."""
    data, log = Path(site.required("data-dir")), site.here.configuration.get("wal-dir")
    for folder in (data, *([Path(log)] if log else [])):
        if not folder.is_absolute() or not folder.is_dir():
            raise EtcdHaError(
                f"the directory {folder} in etcd.yaml does not exist",
                details=(
                    "expected  an empty one, or that of the lost member, mounted if it is a mount point",
                ),
                hint=f"install -d -o etcd -g etcd -m 0700 {folder}",
            )
    can_bump = "--bump-revision" in site.programs.restore_options()
    plan = Plan(
        source=source,
        name=site.required("name"),
        initial_cluster=site.required("initial-cluster"),
        peer_urls=site.required("initial-advertise-peer-urls"),
        # The same on every node without a word between them, and another one than before.
        token=token or f"restored-{source.file.digest[:16]}",
        places=Places(data, Path(log) if log else None),
        bump=bump if can_bump else 0,
    )
    if plan.name not in plan.members:
        raise EtcdHaError(
            f"initial-cluster in {site.file} does not name this node",
            details=(f"expected  {plan.name}={plan.peer_urls}", f"found     {plan.initial_cluster}"),
            hint="etcd-ha config set initial-cluster NAME=URL,…",
        )
    return plan
