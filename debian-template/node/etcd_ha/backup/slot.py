"""One backup of the cluster in each slot of time: a key in etcd says whose it is, and that it is there.

Whoever holds the key `running` makes it. The key hangs on a lease, so that it ends with a node that dies, and
another one goes on. The key `done` tells the others of a slot whose backup is made.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from etcd_ha.errors import EtcdHaError, on_one_line
from etcd_ha.gateway import Failed, Fields, encoded
from etcd_ha.keeper.cluster import Cluster

RUNNING, DONE = "/etcd-ha/backup/running", "/etcd-ha/backup/done"
# Seconds: more than a backup and its hooks may take; as long as the others wait for it, and a little more; as
# long as the cluster may be without a leader; between two looks.
CLAIM, WAIT, PATIENCE, PAUSE = 5400, 5700, 60, 2.0


@dataclass(frozen=True, slots=True)
class Done:
    """The backup of a slot. made: when, by ISO 8601; folder: on that node."""

    slot: int
    node: str
    made: str
    folder: str
    revision: int
    size: int


def slot_at(moment: datetime, every: int) -> int:
    """The number of the slot at a time with its zone, by local time. every: seconds.

    The timer uses local time too. By UTC, its time may be a slot's end, and a late node is in the next slot.
    """
    offset = moment.utcoffset() or timedelta()
    return int(moment.timestamp() + offset.total_seconds()) // every


def in_slot(cluster: Cluster, slot: int, node: str, make: Callable[[], Done]) -> Done:
    """Make the backup of a slot unless the cluster has it, or wait for who makes it. Raises EtcdHaError.

    Where make() fails, another node may try at once.
    """
    end = time.monotonic() + WAIT
    well = time.monotonic()
    while True:
        try:
            if found := _done(cluster, slot):
                return found
            lease = _claim(cluster, node)
            well = time.monotonic()
        except EtcdHaError:
            if time.monotonic() > well + PATIENCE:
                raise
            lease = ""
        if lease:
            return _make(cluster, lease, slot, make)
        if time.monotonic() > end:
            raise EtcdHaError(
                "another node has not finished the backup of this period",
                hint=f"its claim expires within {CLAIM} s: etcdctl get {RUNNING}",
            )
        time.sleep(PAUSE)


def _make(cluster: Cluster, lease: str, slot: int, make: Callable[[], Done]) -> Done:
    try:
        # Whoever had the claim before may have finished between the look at `done` and this claim.
        if found := _done(cluster, slot):
            return found
        made = make()
        put = {"key": encoded(DONE), "value": encoded(json.dumps(asdict(made)))}
        cluster.change("recording the backup of this period", "kv/put", put)
        return made
    finally:
        cluster.change("releasing the backup of this period", "lease/revoke", {"ID": lease})


def _claim(cluster: Cluster, node: str) -> str:
    """The lease on which `running` hangs, or nothing where somebody has it."""
    what = "claiming the backup of this period"
    lease = str(cluster.change(what, "lease/grant", {"TTL": CLAIM}).number("ID"))
    free = {"key": encoded(RUNNING), "target": "CREATE", "result": "EQUAL", "create_revision": "0"}
    put = {"key": encoded(RUNNING), "value": encoded(node), "lease": lease}
    said = cluster.change(what, "kv/txn", {"compare": [free], "success": [{"request_put": put}]})
    if said.truth("succeeded"):
        return lease
    cluster.change(what, "lease/revoke", {"ID": lease})
    return ""


def _done(cluster: Cluster, slot: int) -> Done | None:
    """The last backup, where it is of this slot or of a later one."""
    body = {"key": encoded(DONE)}
    found = cluster.ask("reading the last backup", lambda one: one.call("kv/range", body)).many("kvs")
    if not found:
        return None
    try:
        said = Fields(json.loads(base64.b64decode(found[0].whole("value"))))
        done = Done(
            slot=said.number("slot"),
            node=said.text("node"),
            made=said.text("made"),
            folder=said.text("folder"),
            revision=said.number("revision"),
            size=said.number("size"),
        )
    except (ValueError, Failed) as error:
        raise EtcdHaError(
            f"{DONE} can't be read",
            details=("expected  the record of a backup", f"found     {on_one_line(str(error))}"),
            hint=f"etcdctl del {DONE}",
        ) from error
    return done if done.slot >= slot else None
