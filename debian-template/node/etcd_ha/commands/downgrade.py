"""etcd-ha downgrade: the cluster goes back by one minor version, by upstream's own downgrade."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from etcd_ha.downgrade.packages import installation
from etcd_ha.downgrade.versions import (
    Minor,
    change,
    check_health,
    check_step,
    listed,
    minor_of,
    minors_of,
    not_of,
    target_of,
    why_not_ready,
)
from etcd_ha.errors import EtcdHaError, WrongUsage
from etcd_ha.keeper.cluster import SETTLED, Cluster, NobodyAnswers
from etcd_ha.keeper.here import Here, here_of
from etcd_ha.keeper.lock import only_one
from etcd_ha.keeper.seen import Seen
from etcd_ha.keeper.slot import why_taken
from etcd_ha.keeper.waiting import refusal, until
from etcd_ha.keeper.words import Words, confirm, read_words, require_root, say, show

# What etcd 3.5 says of a downgrade that is none; later ones say nothing.
NONE = "no inflight downgrade"


def main(arguments: list[str]) -> int:
    """Downgrade, or cancel that. Returns the exit status. Raises EtcdHaError."""
    words = read_words("downgrade", arguments)
    wait = words.seconds("--wait", 120)
    if words.has("--cancel") == bool(words.operands):
        raise WrongUsage("a minor version or --cancel is expected", hint="etcd-ha downgrade 3.6")
    target = _read_target(words.operands[0]) if words.operands else None
    require_root(words)
    here = here_of(os.environ)
    with only_one(words, here.run):
        cluster = here.cluster()
        if target is None:
            _cancel(words, here, cluster, wait)
        else:
            _downgrade(words, here, cluster, target, wait)
    return 0


def _read_target(text: str) -> Minor:
    if not re.fullmatch(r"[0-9]+\.[0-9]+", text):
        raise WrongUsage(f"{text!r} is not a minor version such as 3.6", hint="etcd-ha downgrade 3.6")
    return minor_of(text)


def _downgrade(words: Words, here: Here, cluster: Cluster, target: Minor, wait: int) -> None:
    seen = cluster.look()
    under_way = target_of(seen)
    if under_way not in (None, target):
        raise EtcdHaError(
            f"a downgrade to {under_way} is under way, and not to {target}",
            hint=f"to go on with it: etcd-ha downgrade {under_way}; to end it: etcd-ha downgrade --cancel",
        )
    if under_way is None:
        check_health(seen)
        if not not_of(seen, target):
            show(f"nothing is left to do, all members run {target}: {listed(seen)}")
            return
        check_step(seen, target)
        if not words.is_dry:
            _begin(words, cluster, target)
    if words.is_dry:
        _show_plan(here, cluster, seen, target)
        return
    until(f"data of {target} on all members", wait, lambda: _why_waiting(words, cluster, target))
    seen = cluster.look()
    if not_of(seen, target):
        _show_rest(here, seen, target)
        return
    # etcd ends it by itself as soon as it knows all versions.
    until("the end of the downgrade", wait, lambda: _why_under_way(cluster))
    show(f"the downgrade is done, all members run {target}: {listed(seen)}")


def _show_plan(here: Here, cluster: Cluster, seen: Sequence[Seen], target: Minor) -> None:
    if target_of(seen) is None:
        change(cluster, "VALIDATE", target)
        show(f"to do: letting etcd change the data of all members to {target}, at the same time")
    else:
        show(f"already done: the downgrade to {target} is under way")
        if why := why_not_ready(seen, target):
            show(f"to do: waiting until all members have data of {target}; {why}")
    _show_rest(here, seen, target)


def _begin(words: Words, cluster: Cluster, target: Minor) -> None:
    confirm(
        words,
        [
            f"etcd changes the data of all members to {target} at the same time, and writes nothing else "
            f"meanwhile. What is new since {target} is gone from then on.",
            "A backup from before leads back as well: etcd-ha backup",
        ],
        f"Begin the downgrade to {target}?",
    )
    until("a free restart slot", SETTLED, lambda: why_taken(cluster))
    # The version of the cluster follows a moment after that of its last member.
    until(
        f"a cluster that can go back to {target}",
        SETTLED,
        lambda: refusal(lambda: change(cluster, "VALIDATE", target)),
    )
    change(cluster, "ENABLE", target)
    say(f"the downgrade to {target} has begun")


def _why_waiting(words: Words, cluster: Cluster, target: Minor) -> str:
    try:
        seen = cluster.look()
    except NobodyAnswers as error:
        return error.summary
    why = why_not_ready(seen, target)
    if why and all(one.answers for one in seen) and target_of(seen) is None:
        raise EtcdHaError("the downgrade was cancelled meanwhile", hint=f"to begin again: {words.again()}")
    return why


def _why_under_way(cluster: Cluster) -> str:
    try:
        target = target_of(cluster.look())
    except NobodyAnswers as error:
        return error.summary
    return f"the downgrade to {target} is under way" if target else ""


def _show_rest(here: Here, seen: Sequence[Seen], target: Minor) -> None:
    left = not_of(seen, target)
    if not left:
        return
    show(f"These members do not run {target} yet: {listed(left)}")
    show(f"On each of these nodes, in any order: {installation(str(target), here.environment)}")
    show(f"To stay with {minor_of(left[0].version)} instead: etcd-ha downgrade --cancel")


def _cancel(words: Words, here: Here, cluster: Cluster, wait: int) -> None:
    target = target_of(cluster.look())
    if words.is_dry:
        show(f"to do: cancelling the downgrade to {target}" if target else "no member reports a downgrade")
        return
    if (said := refusal(lambda: change(cluster, "CANCEL"))) and NONE not in said:
        raise EtcdHaError("the downgrade can't be cancelled", details=(f"found     {said}",))
    until("the end of the downgrade", wait, lambda: _why_under_way(cluster))
    show(f"the downgrade to {target} is cancelled" if target else "no downgrade is under way")
    seen = cluster.look()
    newest = max(minors_of(seen), default=None)
    if newest and (older := not_of(seen, newest)):
        show(f"These members do not run {newest} yet: {listed(older)}")
        show(f"On each of these nodes, in any order: {installation(str(newest), here.environment)}")
