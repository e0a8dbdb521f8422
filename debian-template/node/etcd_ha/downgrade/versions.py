"""Minor versions of a cluster's members, and how far a downgrade of upstream's is, from what they say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from etcd_ha.errors import EtcdHaError
from etcd_ha.keeper.cluster import Cluster
from etcd_ha.keeper.seen import Seen

_NUMBERS = re.compile(r"(\d+)\.(\d+)(?:\.|$)")


@dataclass(frozen=True, slots=True, order=True)
class Minor:
    """A minor version, such as 3.6."""

    major: int
    number: int

    def __str__(self) -> str:
        return f"{self.major}.{self.number}"

    @property
    def before(self) -> Minor:
        """The one below, the only one to which etcd goes back."""
        return Minor(self.major, self.number - 1)


# The first that can be downgraded.
FIRST = Minor(3, 6)


def minor_of(version: str) -> Minor:
    """Of 3.6.7 or 3.6. Raises EtcdHaError for anything else."""
    found = _NUMBERS.match(version)
    if found is None:
        raise EtcdHaError(
            f"{version or 'nothing'} is no version of etcd", details=("expected  such as 3.6.7",)
        )
    return Minor(int(found.group(1)), int(found.group(2)))


def minors_of(seen: Sequence[Seen]) -> frozenset[Minor]:
    """Those that the members which answered run. Raises EtcdHaError."""
    return frozenset(minor_of(one.version) for one in seen if one.version)


def not_of(seen: Sequence[Seen], minor: Minor) -> list[Seen]:
    """The members that answered and run another minor version. Raises EtcdHaError."""
    return [one for one in seen if one.version and minor_of(one.version) != minor]


def listed(seen: Sequence[Seen]) -> str:
    """Names and versions."""
    return ", ".join(sorted(f"{one.member.shown} ({one.version or one.why_not})" for one in seen))


def target_of(seen: Sequence[Seen]) -> Minor | None:
    """Where a downgrade that is under way leads; None where no member reports one. Raises EtcdHaError.

    Members of 3.5 do not report it.
    """
    told = {minor_of(status.downgrade) for one in seen if (status := one.status) and status.downgrade}
    if len(told) > 1:
        raise EtcdHaError(
            "where the downgrade leads can't be told: its members differ",
            details=tuple(f"found     {one}" for one in sorted(told)),
            hint="etcd-ha downgrade --cancel",
        )
    return told.pop() if told else None


def check_health(seen: Sequence[Seen]) -> None:
    """etcd changes nothing before it knows the version of every member. Raises EtcdHaError."""
    if ill := [one for one in seen if not one.is_healthy]:
        raise EtcdHaError(
            f"{ill[0].member.shown} is not healthy, and a downgrade begins with all members healthy",
            details=tuple(f"found     {one.member.shown}: {one.why_not}" for one in ill),
            hint="etcd-ha check",
        )


def check_step(seen: Sequence[Seen], target: Minor) -> None:
    """Refuse what is not one minor version down from that of all members. Raises EtcdHaError."""
    newest = max(minors_of(seen))
    if not_of(seen, newest):
        raise EtcdHaError(
            "the members run different minor versions, and a downgrade begins with one",
            details=(f"expected  one of them on all, such as {newest}", f"found     {listed(seen)}"),
            hint="install the same minor version of etcd-ha on all nodes: etcd-ha status",
        )
    if target != newest.before or newest < FIRST:
        expected = str(newest.before) if newest >= FIRST else "3.6 or later on all members"
        raise EtcdHaError(
            f"etcd {newest} can't be downgraded to {target}",
            details=(f"expected  {expected}", f"found     {listed(seen)}"),
            hint="to go back further, restore a backup from before the upgrade: etcd-ha backup list",
        )


def why_not_ready(seen: Sequence[Seen], target: Minor) -> str:
    """Why the older version can't start everywhere yet; empty where it can. Raises EtcdHaError."""
    for one in seen:
        status = one.status
        if status is None:
            return f"{one.member.shown}: {one.why_not}"
        if minor_of(one.version) == target:
            continue
        if not status.storage or minor_of(status.storage) != target:
            return f"{one.member.shown} has data of {status.storage or 'an unknown version'}"
    return ""


def change(cluster: Cluster, action: str, target: Minor | None = None) -> None:
    """VALIDATE, ENABLE or CANCEL a downgrade. Raises EtcdHaError."""
    what = f"downgrade {action.lower()}{f' {target}' if target else ''}"
    cluster.change(what, "maintenance/downgrade", {"action": action, "version": str(target or "")})
