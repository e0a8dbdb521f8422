"""etcd-ha restore: begin the cluster anew from a snapshot, on each node that lost it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from etcd_ha.backup.site import Site, site_of
from etcd_ha.endpoint import look_at
from etcd_ha.errors import EtcdHaError, WrongUsage
from etcd_ha.identity import context_of
from etcd_ha.keeper import machine
from etcd_ha.keeper.lock import only_one
from etcd_ha.keeper.record import Record
from etcd_ha.keeper.words import Words, confirm, read_words, require_root, say, show
from etcd_ha.restore.around import Around, judge
from etcd_ha.restore.plan import BUMP, Plan, plan_of, source_of
from etcd_ha.restore.swap import Places, begin, put_in_place

# Bytes of a new log, which etcd allocates at once, and the snapshot beside it.
_LOG = 80 << 20
# With another one, something else starts etcd: at the first installation the package.
SERVICES_FILE = Path("/etc/etcd/etcd.yaml")
PATRONI = (
    "Patroni is on this node. Before the restore, on one node, while etcd answers: patronictl pause --wait",
    "If etcd no longer answers, on every node: systemctl stop patroni",
    "After the restore of all nodes, when etcd-ha status shows a quorum: patronictl resume",
    "If Patroni was stopped, first on the last primary: systemctl start patroni",
)


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns its exit status. Raises EtcdHaError."""
    words = read_words("restore", arguments)
    require_root(words)
    site = site_of(os.environ)
    record = site.here.record("restore")
    with only_one(words, site.here.run):
        if words.command == "restore undo":
            _undo(site, record, words)
        else:
            _restore(site, record, words)
    return 0


def _restore(site: Site, record: Record, words: Words) -> None:
    if not (site.programs.folder / "etcdutl").exists():
        raise EtcdHaError(
            "this command can't restore with the programs of etcd 3.4", hint="etcdctl snapshot restore --help"
        )
    source = source_of(
        Path(words.operands[0]).absolute(),
        site.programs,
        skip_hash_check=words.has("--skip-hash-check"),
        again=words.again("--skip-hash-check"),
    )
    plan = plan_of(site, source, words.options.get("--token", ""), _bump(words))
    around = _look(site, plan, words)
    if not record.read() and _is_restored(site, plan):
        say(f"{plan.places.data} was already restored from this file: cluster {plan.cluster}")
        say("to restore the file again, on every node: " + words.again("--token", "NAME"))
        return
    site.programs.require_room(
        plan.places.data, source.file.size + _LOG, f"to see what uses it: du -sh {plan.places.data}/*"
    )
    shown = [*plan.shown(around.silent), *(PATRONI if _has_patroni() else ())]
    if words.is_dry:
        show("\n".join(shown))
        return
    confirm(words, shown, "Rename the data of this node, and restore?")
    _stop(site, plan.places)
    _put(site, record, plan)
    say(f"restored into {plan.places.data}; earlier data is kept next to it, as member.before-restore-…")
    if site.file == SERVICES_FILE:
        say("run the same command with the same file on the other nodes")
        _start()


def _put(site: Site, record: Record, plan: Plan) -> None:
    """A failure leaves the data as it was; only a kill leaves the record."""
    stat = plan.places.data.stat()
    begin(record, plan.places)
    try:
        for folder in plan.places.unfinished:
            folder.mkdir(mode=0o700)
        site.programs.restore(plan.words())
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        put_in_place(record, plan.places, stamp, (stat.st_uid, stat.st_gid))
    except (EtcdHaError, OSError) as error:
        begin(record, plan.places)
        record.clear()
        if isinstance(error, EtcdHaError):
            raise
        raise EtcdHaError("nothing was restored", details=(f"found     {error}",)) from error


def _undo(site: Site, record: Record, words: Words) -> None:
    if not record.read():
        say("no restore was interrupted on this node")
        return
    log = site.here.configuration.get("wal-dir")
    places = Places(Path(site.required("data-dir")), Path(log) if log else None)
    confirm(words, ["The data from before the interrupted restore will be put back."], "Put it back?")
    begin(record, places)
    record.clear()
    say(f"{places.data} has the data from before the restore again")


def _look(site: Site, plan: Plan, words: Words) -> Around:
    expected = site.here.expected()
    made = plan.source.manifest
    backed_up = [url for one in (made.members if made else ()) for url in one.client_urls]
    urls = list(dict.fromkeys([*expected.places, *backed_up]))
    context = context_of(expected.identity)
    with ThreadPoolExecutor(len(urls)) as pool:
        seen = list(pool.map(lambda url: look_at(url, expected.identity, context, expected.bound), urls))
    return judge(seen, expected.urls, plan.cluster, words.again())


def _is_restored(site: Site, plan: Plan) -> bool:
    log = plan.places.log or plan.places.data / "member/wal"
    found = site.programs.member_in(log)
    return found is not None and found[1] == plan.cluster


def _bump(words: Words) -> int:
    value = words.options.get("--bump-revision", str(BUMP))
    if not value.isascii() or not value.isdecimal() or not 0 < int(value) < 1 << 62:
        raise WrongUsage(f"--bump-revision takes a number, not {value!r}", hint=words.again())
    return int(value)


def _stop(site: Site, places: Places) -> None:
    if _has_systemd():
        machine.stop(site.here)
    database = places.data / "member/snap/db"
    if not database.exists():
        return
    with database.open("rb") as file:
        try:
            # As bbolt locks it.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise EtcdHaError(
                f"an etcd other than etcd.service uses {places.data}", hint=f"fuser -v {database}"
            ) from error


def _start() -> None:
    command = "systemctl --no-block start etcd"
    words = command.split()
    enabled = (
        _has_systemd()
        and not subprocess.run(["systemctl", "--quiet", "is-enabled", "etcd.service"], check=False).returncode
    )
    if enabled and not subprocess.run(words, check=False).returncode:
        say("etcd is starting; it serves when a majority of the members is restored: etcd-ha status")
    else:
        say(f"to start it: {command}")


def _has_systemd() -> bool:
    return Path("/run/systemd/system").is_dir()


def _has_patroni() -> bool:
    return shutil.which("patronictl") is not None or any(Path("/etc/patroni").glob("*.y*ml"))
