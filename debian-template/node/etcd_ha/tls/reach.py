"""Whether the members reach each other, each way, as they say in their metrics.

A member is healthy as soon as it follows a leader. That another one refuses its certificate shows only when
that one leads.
"""

from __future__ import annotations

import re
import time

from etcd_ha.keeper.cluster import Cluster
from etcd_ha.keeper.waiting import PAUSE

_ACTIVE = re.compile(r'^etcd_network_active_peers\{Local="(\w+)",Remote="(\w+)"\} (\S+)$', re.MULTILINE)
# Seconds: while members connect again, a connection may begin and end.
STEADY = 3.0


def unreached(cluster: Cluster) -> tuple[str, ...]:
    """A line for each member that does not reach another, or does not tell. Raises EtcdHaError."""
    members, faults = cluster.members(), []
    for one in members:
        text = cluster.at(
            one.client_urls[0],
            f"the connections of {one.shown}",
            lambda gateway: gateway.get("/metrics").text,
        )
        active = {remote: float(value) for local, remote, value in _ACTIVE.findall(text) if local == one.id}
        for other in members:
            if other.id == one.id:
                continue
            if other.id not in active:
                faults.append(f"{one.shown} does not tell whether it reaches {other.shown}")
            elif active[other.id] < 1:
                faults.append(f"{one.shown} does not reach {other.shown}")
    return tuple(faults)


def reach_each_other(cluster: Cluster, within: float) -> tuple[str, ...]:
    """Wait until all do so for STEADY seconds; what is against it in the end. Raises EtcdHaError."""
    end = time.monotonic() + within
    good_since = None
    while True:
        faults, now = unreached(cluster), time.monotonic()
        if faults:
            good_since = None
        elif good_since is None:
            good_since = now
        elif now - good_since >= STEADY:
            return ()
        if now >= end:
            return faults or ("the connections between members are not steady",)
        time.sleep(PAUSE)
