"""etcd-ha leave: this node's member leaves its cluster."""

from __future__ import annotations

import os
from collections.abc import Sequence

from etcd_ha.errors import EtcdHaError
from etcd_ha.keeper import machine
from etcd_ha.keeper.cluster import SETTLED, Cluster
from etcd_ha.keeper.here import Here, here_of, own
from etcd_ha.keeper.leadership import hand_over
from etcd_ha.keeper.lock import only_one
from etcd_ha.keeper.plan import Step, carry_out
from etcd_ha.keeper.seen import Seen, quorum_faults
from etcd_ha.keeper.slot import why_taken
from etcd_ha.keeper.waiting import refusal, until
from etcd_ha.keeper.words import Words, confirm, read_words, require_root, say, show


def main(arguments: list[str]) -> int:
    """Leave the cluster. Returns the exit status. Raises EtcdHaError."""
    words = read_words("leave", arguments)
    wait = words.seconds("--wait", 300)
    require_root(words)
    here = here_of(os.environ)
    with only_one(words, here.run):
        needs_slot = _leave(words, here)
    if needs_slot:
        # Asked already.
        return here.again_in_slot(words.with_yes(), wait)
    return 0


def _leave(words: Words, here: Here) -> bool:
    """Whether it has to be done in the restart slot; otherwise it is done."""
    record, known = here.record("leave"), here.expected()
    begun = record.read()
    if begun:
        # This member may be out already, so the others are asked.
        cluster = Cluster(begun["urls"].split(","), known.identity)
        _finish(words, here, cluster, begun["member"])
        return False
    cluster = here.cluster()
    seen = cluster.look()
    mine = own(seen, known)
    if mine is None:
        raise EtcdHaError(
            f"the cluster has no member {known.own or 'of this node'}",
            details=(f"found     {', '.join(one.member.shown for one in seen)}",),
            hint="to stop etcd here: systemctl disable --now etcd",
        )
    _check_quorum(seen, mine)
    others = [one for one in seen if one.member != mine.member]
    if words.is_dry:
        lead = "move leadership to another member, " if mine.is_leader else ""
        show(f"would {lead}remove {mine.member.shown} from the cluster, and stop and disable etcd.service")
        return False
    urls = ",".join(url for one in others for url in one.member.client_urls)
    confirm(
        words,
        [
            f"{mine.member.shown} ({mine.member.id}) leaves the cluster of {len(seen)}. Its data stays "
            "on this node, but etcd can't start from it again.",
            f"Remaining members: {', '.join(one.member.shown for one in others)}",
        ],
        "Leave?",
    )
    # While a member is ill, nobody gets the slot, and an owner of it is the ill one itself.
    if not here.has_slot and not mine.member.is_learner and all(one.is_healthy for one in seen):
        return True
    if not here.has_slot and (why := why_taken(cluster)):
        raise EtcdHaError(why, hint=f"after it has ended: {words.again()}")
    if mine.is_leader:
        hand_over(cluster, mine, others)
    record.write({"member": mine.member.id, "urls": urls})
    _finish(words, here, Cluster(urls.split(","), known.identity), mine.member.id)
    return False


def _check_quorum(seen: Sequence[Seen], mine: Seen) -> None:
    voters = [one for one in seen if not one.member.is_learner]
    if mine.member in [one.member for one in voters] and len(voters) == 1:
        raise EtcdHaError(
            f"{mine.member.shown} is the only voting member: without it there is no cluster",
            hint="to discard the cluster and its data: etcd-ha reset",
        )
    if faults := quorum_faults(seen, without=mine.member):
        raise EtcdHaError(
            f"{mine.member.shown} can't leave: the remaining members would have no quorum",
            details=faults,
            hint="first start etcd on those nodes: systemctl start etcd",
        )


def _finish(words: Words, here: Here, cluster: Cluster, id_: str) -> None:
    """From here on the same whether it was broken off or not."""

    def remove() -> None:
        member = next(one for one in cluster.members() if one.id == id_)
        seen = cluster.look()
        _check_quorum(seen, next(one for one in seen if one.member.id == id_))
        until(f"{member.shown} to be removed", SETTLED, lambda: refusal(lambda: cluster.remove(member)))

    def stop() -> None:
        machine.disable(here)
        machine.stop(here)

    carry_out(
        words,
        [
            Step(
                f"removing member {id_} from the cluster",
                lambda: id_ not in [one.id for one in cluster.members()],
                remove,
            ),
            Step("stopping etcd on this node", lambda: False, stop),
        ],
    )
    if not words.is_dry:
        here.record("leave").clear()
        say("this node is no longer a member; to add it again: etcd-ha join")
