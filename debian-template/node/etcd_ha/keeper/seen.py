"""What each member of a cluster said, and whether those that stay have a quorum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from etcd_ha.endpoint import Endpoint, Member, Status
from etcd_ha.errors import EtcdHaError


@dataclass(frozen=True, slots=True)
class Seen:
    """A member as the cluster lists it, and what it said. endpoint: None where it has no client URL."""

    member: Member
    endpoint: Endpoint | None

    @property
    def is_healthy(self) -> bool:
        """Whether it answered as itself, through a quorum."""
        return bool(self.endpoint and self.endpoint.healthy and self.answers)

    def is_well(self, but_for: str) -> bool:
        """Whether it is healthy, or has a leader and an alarm of that kind makes it unhealthy."""
        alarmed = self.endpoint is not None and self.endpoint.reason == f"ALARM {but_for}"
        return self.is_healthy or (alarmed and self.status is not None and self.status.leader != "0")

    @property
    def status(self) -> Status | None:
        """What it said of itself; None where it is not this member that answered."""
        found = self.endpoint.status if self.endpoint else None
        return found if found and found.id == self.member.id else None

    @property
    def answers(self) -> bool:
        """Whether this member answered."""
        return self.status is not None

    @property
    def version(self) -> str:
        """Of its etcd, such as 3.6.7; empty where this member did not answer."""
        return (self.endpoint.version or "") if self.endpoint and self.answers else ""

    @property
    def why_not(self) -> str:
        """Why it is not healthy; empty where it is."""
        if self.is_healthy:
            return ""
        if self.endpoint is None:
            return "it never started"
        if self.endpoint.refused:
            return f"{self.endpoint.url}: {self.endpoint.refused.reason}"
        if self.endpoint.status and not self.answers:
            return f"{self.endpoint.url} belongs to another member"
        said = self.endpoint.denied or self.endpoint.gateway or self.endpoint.reason
        return f"{self.endpoint.url}: {said or 'unhealthy'}"

    @property
    def url(self) -> str:
        """Where it was asked; empty where it has no client URL."""
        return self.endpoint.url if self.endpoint else ""

    @property
    def is_leader(self) -> bool:
        """Whether it says so itself."""
        return self.status is not None and self.status.leader == self.status.id


def check_health(seen: Sequence[Seen]) -> None:
    """Raises EtcdHaError unless all members are healthy."""
    if ill := [one for one in seen if not one.is_healthy]:
        raise EtcdHaError(
            f"{ill[0].member.shown} is not healthy; nothing was changed",
            details=tuple(f"found     {one.member.shown}: {one.why_not}" for one in ill),
            hint="etcd-ha check",
        )


def quorum_faults(seen: Sequence[Seen], without: Member | None = None) -> tuple[str, ...]:
    """Why the members have no quorum, or would have none without one of them; empty where they have.

    First the count, then a line for each that is not healthy. A learner does not vote.
    """
    voters = [one for one in seen if not one.member.is_learner and one.member != without]
    needed, healthy = len(voters) // 2 + 1, sum(one.is_healthy for one in voters)
    if healthy >= needed:
        return ()
    ill = [f"{one.member.shown} is not healthy: {one.why_not}" for one in voters if not one.is_healthy]
    return (f"{needed} of {len(voters)} voting members must be healthy; {healthy} are", *ill)
