"""The restart slot: the queue of turn.sh, in the cluster itself."""

from __future__ import annotations

from etcd_ha.errors import on_one_line
from etcd_ha.gateway import Body, below, decoded
from etcd_ha.keeper.cluster import Cluster

KEYS = "/etcd-ha/restart/"


def slot_owner(cluster: Cluster) -> str:
    """The member that has the restart slot; empty where none has it. Raises EtcdHaError."""
    body: Body = {
        **below(KEYS),
        "limit": "1",
        "sort_target": "CREATE",
        "sort_order": "ASCEND",
    }
    found = cluster.ask("reading the restart slot", lambda one: one.call("kv/range", body)).many("kvs")
    return on_one_line(decoded(found[0].whole("value"))) if found else ""


def why_taken(cluster: Cluster) -> str:
    """That a member has the restart slot, and which; empty where none has it. Raises EtcdHaError."""
    owner = slot_owner(cluster)
    return f"{owner} has the restart slot" if owner else ""
