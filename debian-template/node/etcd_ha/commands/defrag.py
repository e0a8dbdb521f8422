"""etcd-ha defrag: the free space of each database goes back to its disk, and an alarm NOSPACE is cleared."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from etcd_ha.errors import EtcdHaError
from etcd_ha.keeper.cluster import Cluster, Refused
from etcd_ha.keeper.here import Here, here_of
from etcd_ha.keeper.leadership import hand_over
from etcd_ha.keeper.lock import only_one
from etcd_ha.keeper.seen import Seen
from etcd_ha.keeper.slot import why_taken
from etcd_ha.keeper.waiting import until
from etcd_ha.keeper.words import Words, confirm, read_words, require_root, say, show

MIB = 1 << 20
# The rule of etcd-defrag (its README), but for databases full of live data: free bytes, or the part of the
# quota that the file has reached.
MUCH, FULL = 200 * MIB, 0.8
# Less than that is not worth the moment in which a member does not serve.
WORTH = MIB
# Seconds for a member to catch up, and for the slot of another to end.
CATCH_UP, SLOT = 120, 60
NOSPACE = "NOSPACE"


def main(arguments: list[str]) -> int:
    """Defragment the members that need it. Returns the exit status. Raises EtcdHaError."""
    words = read_words("defrag", arguments)
    wait = words.seconds("--wait", 300)
    require_root(words)
    here = here_of(os.environ)
    cluster = here.cluster()
    seen = cluster.look()
    alarms = cluster.alarms()
    if other := sorted({kind for kind, _ in alarms} - {NOSPACE}):
        raise EtcdHaError(f"alarm {other[0]} is raised; nothing was changed", hint="etcd-ha check")
    if alarms:
        return _relieve(words, here, cluster, seen, [id_ for _, id_ in alarms])
    needy = [one for one in seen if is_needy(one, words.has("--if-needed"))]
    if words.is_dry or not needy:
        _show_plan(seen, needy)
        return 0
    if here.has_slot:
        with only_one(words, here.run):
            _in_order(cluster, [one.member.id for one in needy])
        return 0
    # Who is at work is better told before the wait than after it.
    with only_one(words, here.run):
        pass
    return here.again_in_slot(words, wait)


def is_needy(one: Seen, only_if_needed: bool) -> bool:
    """Whether defragmenting gives back enough."""
    status = one.status
    if one.member.is_learner or status is None:
        return False
    free = status.database - status.in_use
    full = bool(status.quota) and status.database > FULL * (status.quota or 0)
    return free > MUCH or (free >= WORTH and (full or not only_if_needed))


def in_order(seen: Sequence[Seen]) -> list[Seen]:
    """The leader last, the others by name."""
    return sorted(seen, key=lambda one: (one.is_leader, one.member.shown))


def _show_plan(seen: Sequence[Seen], needy: Sequence[Seen]) -> None:
    for one in in_order(seen):
        status = one.status
        if status is None:
            show(f"{one.member.shown}: unknown: {one.why_not}")
        elif one.member.is_learner:
            show(f"{one.member.shown}: skipped, since it is a learner")
        else:
            free = f"{_size(status.database - status.in_use)} of {_size(status.database)} are free"
            show(f"{one.member.shown}: {free}: {'would be defragmented' if one in needy else 'not needed'}")


def _relieve(words: Words, here: Here, cluster: Cluster, seen: Sequence[Seen], full: list[str]) -> int:
    """With an alarm nothing can be written, so no one can queue for the slot; who has it still is awaited."""
    names = ", ".join(one.member.shown for one in seen if one.member.id in full)
    what = (
        f"Alarm NOSPACE is raised by {names}. To clear it, this command deletes the old revisions of all",
        "keys (compaction), defragments each database, and disarms the alarm.",
    )
    if words.is_dry:
        show("\n".join(what))
        return 0
    confirm(words, what, "Continue?")
    with only_one(words, here.run):
        until("the restart slot to be free", SLOT, lambda: why_taken(cluster))
        revision = max(status.revision for status in (one.status for one in seen) if status)
        say(f"compacting to revision {revision}")
        try:
            cluster.compact(revision)
        except Refused as error:
            if "has been compacted" not in error.said:
                raise
        _in_order(cluster, [one.member.id for one in seen if not one.member.is_learner])
        _check_room(cluster.look())
        for id_ in full:
            cluster.disarm(NOSPACE, id_)
        cluster.prove_by_put()
    say("the alarm is cleared, and a key was put, read and deleted")
    return 0


def _check_room(seen: Sequence[Seen]) -> None:
    """Raises EtcdHaError where the alarm would be raised again at once."""
    for one in seen:
        status = one.status
        if status and status.quota and status.database + WORTH > status.quota:
            more = 2 * status.quota
            raise EtcdHaError(
                f"the current keys fill the quota of {one.member.shown}, so the alarm stays raised",
                details=(f"found     {_size(status.database)} of {_size(status.quota)}",),
                hint="delete keys, or raise the quota on each node, and then run this again: "
                f"etcd-ha config set quota-backend-bytes {more} && etcd-ha restart --force",
            )


def _in_order(cluster: Cluster, ids: Sequence[str]) -> None:
    """One after the other, each only while all others are well; looked at anew before each."""
    left = list(ids)
    while left:
        seen = cluster.look()
        _check_well(seen)
        one = next(one for one in in_order(seen) if one.member.id in left)
        if one.is_leader and len([voter for voter in seen if not voter.member.is_learner]) > 1:
            hand_over(cluster, one, [other for other in seen if other.member != one.member])
            continue
        before, begin = one.status, time.monotonic()
        cluster.defragment(one.url)
        took = time.monotonic() - begin
        until(f"{one.member.shown} to catch up", CATCH_UP, lambda: _why_behind(cluster))
        after = cluster.status(one.url)
        old = _size(before.database) if before else "unknown"
        say(f"{one.member.shown}: defragmented from {old} to {_size(after.database)} in {took:.1f} s")
        left.remove(one.member.id)


def _check_well(seen: Sequence[Seen]) -> None:
    if ill := [one for one in seen if not one.member.is_learner and not one.is_well(NOSPACE)]:
        raise EtcdHaError(
            f"{ill[0].member.shown} is not healthy, so no other member is defragmented",
            details=tuple(f"found     {one.member.shown}: {one.why_not}" for one in ill),
            hint="etcd-ha check",
        )


def _why_behind(cluster: Cluster) -> str:
    seen = [one for one in cluster.look() if not one.member.is_learner]
    ill = [one.why_not for one in seen if not one.is_well(NOSPACE)]
    indices = [status.applied for status in (one.status for one in seen) if status]
    behind = max(indices) - min(indices) if indices else 0
    # Under a writer the answers are some entries apart, since they are not of the same moment.
    return ill[0] if ill else f"behind by {behind} entries" if behind > 1000 else ""


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
