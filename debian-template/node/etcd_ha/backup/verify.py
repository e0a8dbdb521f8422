"""Whether a backup is what it was when it was made."""

from __future__ import annotations

from pathlib import Path

from etcd_ha.backup import snapshot_file, store
from etcd_ha.backup.manifest import Manifest, read_manifest
from etcd_ha.backup.programs import Programs
from etcd_ha.backup.snapshot_file import Kind, SnapshotFile
from etcd_ha.errors import EtcdHaError


def why_not_whole(folder: Path, programs: Programs) -> str:
    """Why the backup in a folder can't be restored as it was made, in one line; empty where it can."""
    try:
        manifest = read_manifest(folder)
        found = snapshot_file.read(folder / store.SNAPSHOT)
        return _fault(found, manifest, programs)
    except EtcdHaError as error:
        return "; ".join([error.summary, *(" ".join(detail.split()) for detail in error.details)])


def _fault(found: SnapshotFile, manifest: Manifest, programs: Programs) -> str:
    if found.kind is not Kind.WHOLE:
        return f"{found.path.name} is {found.kind.value}"
    if found.digest != manifest.digest:
        return f"{found.path.name} is not the snapshot in the manifest: SHA-256 {found.digest}"
    checked = programs.check(found.path)
    if checked.revision != manifest.checked.revision:
        return f"revision {checked.revision}; the manifest has {manifest.checked.revision}"
    # Another version of the program counts and sums otherwise.
    if checked.program == manifest.checked.program and checked != manifest.checked:
        return f"{checked}; the manifest has {manifest.checked}"
    return ""
