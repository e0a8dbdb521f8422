"""etcd-ha backup: make, list, verify and delete backups of the cluster's data."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from etcd_ha.backup import outcome, store
from etcd_ha.backup.hooks import run_hooks
from etcd_ha.backup.make import Made, make, source_of
from etcd_ha.backup.manifest import read_manifest
from etcd_ha.backup.programs import megabytes
from etcd_ha.backup.settings import NAME, Settings, read_settings
from etcd_ha.backup.site import Site, site_of
from etcd_ha.backup.slot import Done, in_slot, slot_at
from etcd_ha.backup.verify import why_not_whole
from etcd_ha.errors import EtcdHaError, WrongUsage
from etcd_ha.keeper.lock import only_one
from etcd_ha.keeper.words import Words, read_words, require_root, say, show


def main(arguments: Sequence[str]) -> int:
    """Run a command. Returns its exit status. Raises EtcdHaError."""
    words = read_words("backup", arguments)
    require_root(words)
    site = site_of(os.environ)
    settings = read_settings(site.etc / NAME)
    folder = Path(words.options.get("--to", settings.to))
    if not folder.is_absolute():
        raise WrongUsage("--to takes an absolute path", hint=f"etcd-ha backup --to {folder.absolute()}")
    match words.command:
        case "backup list":
            _list(folder, as_json=words.has("--json"))
        case "backup verify":
            return _verify(folder, words.operands, site)
        case "backup prune":
            _prune(folder, settings, words)
        case _ if words.has("--scheduled"):
            _scheduled(folder, settings, site, words)
        case _:
            _one(folder, settings, site, words)
    return 0


def _make(folder: Path, settings: Settings, site: Site, words: Words) -> Made:
    with_keys = settings.with_keys or words.has("--with-keys")
    with only_one(words, site.here.run):
        made = make(
            folder, site.here.cluster().look(), site, site.here.expected().identity, with_keys=with_keys
        )
        run_hooks(site.etc, made.folder)
    return made


def _one(folder: Path, settings: Settings, site: Site, words: Words) -> None:
    if words.is_dry:
        source = source_of(site.here.cluster().look(), site.required("name"))
        size = megabytes(source.status.database)
        show(f"would save {size} from {source.member.shown} ({source.url}) in {folder}")
        return
    made = _make(folder, settings, site, words)
    checked = made.manifest.checked
    say(
        f"saved revision {checked.revision}, {checked.keys} entries, {megabytes(checked.size)}, "
        f"from {made.manifest.member}"
    )
    show(str(made.folder))


def _scheduled(folder: Path, settings: Settings, site: Site, words: Words) -> None:
    slot = slot_at(datetime.now().astimezone(), settings.every)

    def work() -> Done:
        made = _make(folder, settings, site, words)
        manifest = made.manifest
        return Done(
            slot=slot,
            node=manifest.node,
            made=manifest.made.isoformat(),
            folder=str(made.folder),
            revision=manifest.checked.revision,
            size=manifest.checked.size,
        )

    try:
        done = in_slot(site.here.cluster(), slot, site.required("name"), work)
    except EtcdHaError as error:
        outcome.note_failed(site.state, error.summary)
        raise
    outcome.note_made(site.state, done)
    say(f"the backup of this period is {done.folder} on {done.node}")
    _prune(folder, settings, words)


def _prune(folder: Path, settings: Settings, words: Words) -> None:
    for backup in store.outdated(folder, settings.keep):
        if not words.is_dry:
            store.remove(backup)
        show(f"{'would delete' if words.is_dry else 'deleted'} {backup.folder}")


def _list(folder: Path, *, as_json: bool) -> None:
    found = store.backups_in(folder)
    if as_json:
        show(json.dumps([_row(one.folder) for one in found], indent=2))
        return
    if not found:
        say(f"{folder} has no backup")
    for one in found:
        row = _row(one.folder)
        show(
            f"{one.folder}  {row['unreadable']}"
            if "unreadable" in row
            else f"{one.folder}  revision {row['revision']}, {megabytes(int(row['bytes']))}, "
            f"etcd {row['etcd']}, member {row['member']} of cluster {row['cluster']}"
        )


def _row(folder: Path) -> dict[str, str | int]:
    try:
        manifest = read_manifest(folder)
    except EtcdHaError as error:
        return {"folder": str(folder), "unreadable": error.summary}
    return {
        "folder": str(folder),
        "made": manifest.made.isoformat(),
        "node": manifest.node,
        "member": manifest.member,
        "cluster": manifest.cluster,
        "etcd": manifest.etcd,
        "revision": manifest.checked.revision,
        "bytes": manifest.checked.size,
    }


def _verify(folder: Path, names: Sequence[str], site: Site) -> int:
    folders = [folder / name for name in names] or [one.folder for one in store.backups_in(folder)]
    if not folders:
        raise EtcdHaError(f"{folder} has no backup", hint="etcd-ha backup")
    faults = 0
    for one in folders:
        why = why_not_whole(one, site.programs)
        show(f"{one}: {why or 'intact'}")
        faults += bool(why)
    return int(faults > 0)
