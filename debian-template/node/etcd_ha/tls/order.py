"""Which stage is next, and whether the other members are far enough for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from etcd_ha.errors import EtcdHaError
from etcd_ha.tls.stage import Stage
from etcd_ha.tls.view import Standing


def target_of(mine: Standing, begun: Mapping[str, str], enables: bool) -> Stage | None:
    """The stage to go to; None where this member has arrived. Raises EtcdHaError."""
    if {begun.get("from"), begun.get("to")} <= set(Stage.__members__):
        ends = (Stage[begun["from"]], Stage[begun["to"]])
        return max(ends) if enables else min(ends)
    at = mine.serves
    if at is None:
        raise EtcdHaError(
            f"the stage of {mine.member.shown} can't be told; nothing was changed",
            details=(f"found     {mine.why}",),
            hint="etcd-ha check",
        )
    if mine.stage is None:
        # Its URLs for members are not yet those of what it serves.
        return at
    if at is (Stage.HTTPS if enables else Stage.HTTP):
        return None
    return Stage(at + 1 if enables else at - 1)


def check_others(others: Sequence[Standing], target: Stage, trusted: str, enables: bool) -> None:
    """Raises EtcdHaError unless all others have reached the stage next to the target."""
    command = "etcd-ha tls enable" if enables else "etcd-ha tls disable"
    # In the order in which the last run and status have named where to go on.
    for one in sorted(others, key=lambda one: one.member.shown):
        why = _why_behind(one, target, trusted, enables)
        if why:
            raise EtcdHaError(
                f"{one.member.shown} is not as far; nothing was changed",
                details=(f"found     {why}",),
                hint=f"on {one.member.shown}: {command}",
            )


def _why_behind(one: Standing, target: Stage, trusted: str, enables: bool) -> str:
    if one.stage is None:
        return one.why
    if not enables:
        return one.stage.shown if one.stage > target + 1 else ""
    if one.stage < target - 1:
        return one.stage.shown
    if target < Stage.MEMBERS or one.stage >= Stage.MEMBERS:
        return ""
    # It has to speak TLS to this member as soon as this member does not know http.
    if one.note is None or one.note.stage < Stage.BOTH:
        return "it serves https, and that it speaks TLS to other members is not known"
    if one.note.trusted != trusted:
        return "its CA file for members is another one than this node's; install the same one on both"
    return ""
