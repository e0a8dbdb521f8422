"""Leadership moves before its member is away: one that vanishes with it costs the cluster an election."""

from __future__ import annotations

from collections.abc import Sequence

from etcd_ha.errors import EtcdHaError
from etcd_ha.keeper.cluster import Cluster
from etcd_ha.keeper.seen import Seen
from etcd_ha.keeper.waiting import until
from etcd_ha.keeper.words import say

# Seconds.
BOUND = 10


def hand_over(cluster: Cluster, leader: Seen, others: Sequence[Seen]) -> None:
    """Have a leader hand over to one of the others that votes. Raises EtcdHaError.

    As the restart does: to the next by name, since clients that lose one try the next of their list.
    """
    able = sorted(
        (one for one in others if one.answers and not one.member.is_learner), key=lambda one: one.member.name
    )
    if not able:
        raise EtcdHaError("leadership can't move: no other voting member answers", hint="etcd-ha check")
    to = next((one for one in able if one.member.name > leader.member.name), able[0])
    say(f"moving leadership from {leader.member.shown} to {to.member.shown}")
    cluster.move_leader(leader.url, to.member)

    def still_leads() -> str:
        status = cluster.status(leader.url)
        return "it still leads, or there is no leader" if status.leader in (status.id, "0") else ""

    until(f"{leader.member.shown} to follow another", BOUND, still_leads)
