"""The steps by which a node becomes a member, each judged by the cluster and the disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from etcd_ha.check.expected import Expected
from etcd_ha.endpoint import Member
from etcd_ha.errors import EtcdHaError
from etcd_ha.keeper import machine
from etcd_ha.keeper.cluster import SETTLED, Cluster, NobodyAnswers
from etcd_ha.keeper.here import Here
from etcd_ha.keeper.plan import Step
from etcd_ha.keeper.waiting import refusal, until

# Seconds until a cluster takes a learner, of which it has one at a time.
ADDED = 60


@dataclass(frozen=True, slots=True)
class Joining:
    """What each step asks anew. cluster: at the URLs of others; peer_urls: this node's own; wait: seconds."""

    here: Here
    cluster: Cluster
    known: Expected
    peer_urls: frozenset[str]
    wait: int

    def steps(self) -> list[Step]:
        """From where the cluster and the disk are on."""
        return [
            Step(
                "removing the dead member of this node", lambda: not self.dead(self._members()), self._remove
            ),
            Step("setting aside data of another member", self._has_no_foreign_data, self._set_aside),
            Step("adding this node as a learner", lambda: self._mine() is not None, self._add),
            Step("writing the members into etcd.yaml", self._is_configured, self._configure),
            Step("starting etcd", lambda: machine.is_running(self.here), lambda: machine.start(self.here)),
            Step("waiting until it has caught up, and promoting it", self._votes, self._promote),
            Step("waiting until it is healthy", lambda: not self._why_unhealthy(), self._wait),
        ]

    def _members(self) -> tuple[Member, ...]:
        return self.cluster.members()

    def is_here(self, member: Member) -> bool:
        """Whether it is to be reached where this node is."""
        return bool(self.peer_urls & set(member.peer_urls))

    def _mine(self) -> Member | None:
        found = [one for one in self._members() if self.is_here(one)]
        return found[0] if found else None

    def dead(self, members: Sequence[Member]) -> list[Member]:
        """Those of this node's name or URL that have run, and whose data is not here."""
        data = machine.data_identity(self.here)
        mine = [one for one in members if self.is_here(one) or one.name == self.known.own]
        return [one for one in mine if one.name and (data is None or data[0] != one.id)]

    def _remove(self) -> None:
        for member in self.dead(self._members()):
            remove = partial(self.cluster.remove, member)
            until(f"{member.shown} to be removed", SETTLED, partial(refusal, remove))

    def _has_no_foreign_data(self) -> bool:
        data = machine.data_identity(self.here)
        return data is None or data[0] in [one.id for one in self._members()]

    def _set_aside(self) -> None:
        self.here.run_command("reset", "--yes")

    def _add(self) -> None:
        until(
            "the learner to be added",
            ADDED,
            lambda: refusal(lambda: self.cluster.add_learner(sorted(self.peer_urls))),
        )

    def _initial_cluster(self) -> str:
        """One that was added and never started has no name yet, and any will do."""
        entries = [
            f"{self.known.own if self.is_here(one) else one.name or f'member-{one.id}'}={url}"
            for one in self._members()
            for url in one.peer_urls
        ]
        return ",".join(sorted(entries))

    def _is_configured(self) -> bool:
        """With data, etcd reads neither of them."""
        read = self.here.configuration.get
        there = sorted((read("initial-cluster") or "").replace(" ", "").split(","))
        fits = ",".join(there) == self._initial_cluster() and read("initial-cluster-state") == "existing"
        return fits or machine.data_identity(self.here) is not None

    def _configure(self) -> None:
        # A start that fails again and again would read half of it.
        machine.stop(self.here)
        self.here.run_command("config", "set", "initial-cluster", self._initial_cluster())
        self.here.run_command("config", "set", "initial-cluster-state", "existing")

    def _votes(self) -> bool:
        mine = self._mine()
        return mine is not None and bool(mine.name) and not mine.is_learner

    def _promote(self) -> None:
        until(f"{self.known.own} to be promoted", self.wait, self._why_not_promoted)

    def _why_not_promoted(self) -> str:
        mine = self._mine()
        if mine is None:
            raise EtcdHaError("this node was removed from the cluster while it joined", hint="etcd-ha join")
        if not mine.name:
            return "etcd has not started here; see: systemctl status etcd; journalctl -u etcd"
        return refusal(lambda: self.cluster.promote(mine)) if mine.is_learner else ""

    def _wait(self) -> None:
        until(f"{self.known.own} to be healthy", self.wait, self._why_unhealthy)

    def _why_unhealthy(self) -> str:
        try:
            seen = self.cluster.look()
        except NobodyAnswers as error:
            return error.summary
        mine = [one for one in seen if self.is_here(one.member)]
        return mine[0].why_not if mine else "it is not a member"
