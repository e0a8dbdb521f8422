"""The members of a cluster, and what changes them, by etcd's gateway at any URL that answers."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from etcd_ha.check.round_trip import go_round
from etcd_ha.connection import NotReached, place_of
from etcd_ha.endpoint import Member, Status, look_at, members_of, status_of
from etcd_ha.errors import EtcdHaError
from etcd_ha.gateway import Body, Failed, Fields, Gateway
from etcd_ha.identity import Identity, context_of
from etcd_ha.keeper.seen import Seen, quorum_faults

# Seconds for a request.
BOUND = 5.0
# Seconds until members may change: a member wants to have seen the others for 5 s ("unhealthy cluster").
SETTLED = 20
# Seconds for one that rewrites a database: some GB on a disk of an old node.
LONG = 900.0

# A learner does nothing for others (etcd, rpctypes.ErrGRPCNotSupportedForLearner); the next URL may.
_NOT_BY_A_LEARNER = "rpc not supported for learner"

_Answer = TypeVar("_Answer")


class Refused(EtcdHaError):
    """The cluster answered that it does not do that. said: its words."""

    def __init__(self, what: str, url: str, said: str) -> None:
        super().__init__(f"{what}: refused", details=(f"found     {said} (from {url})",))
        self.said = said


class NobodyAnswers(EtcdHaError):
    """None of the URLs leads to somebody who answers; nothing was changed."""


class Cluster:
    """A cluster at some client URLs. Raises EtcdHaError for unusable files and URLs."""

    def __init__(self, urls: Sequence[str], identity: Identity) -> None:
        self._urls = tuple(dict.fromkeys(urls))
        self._identity = identity
        self._context: ssl.SSLContext = context_of(identity)
        for url in self._urls:
            place_of(url)

    def members(self) -> tuple[Member, ...]:
        """As a quorum lists them. Raises EtcdHaError."""
        return self.ask("listing the members", lambda one: members_of(one, linearizable=True))

    def look(self) -> tuple[Seen, ...]:
        """All members, side by side. Raises EtcdHaError where nobody tells who they are."""
        return self._look_at_all(self.members())

    def _look_at_all(self, members: Sequence[Member]) -> tuple[Seen, ...]:
        with ThreadPoolExecutor(len(members)) as pool:
            return tuple(pool.map(self._look_at, members))

    def _look_at(self, member: Member) -> Seen:
        found = [look_at(url, self._identity, self._context, BOUND) for url in member.client_urls[:1]]
        # Of several URLs one that answers is enough.
        for url in member.client_urls[1:]:
            if found[-1].is_refused:
                found.append(look_at(url, self._identity, self._context, BOUND))
        return Seen(member, found[-1] if found else None)

    def ask(self, what: str, question: Callable[[Gateway], _Answer]) -> _Answer:
        """An answer of the first URL that has one. Nothing may be changed by it.

        Raises EtcdHaError, which names the members that a quorum lacks.
        """
        try:
            return self._ask(what, question)
        except NobodyAnswers as error:
            raise self._without_quorum(error) from error

    def _ask(self, what: str, question: Callable[[Gateway], _Answer]) -> _Answer:
        complaints = []
        for url in self._urls:
            try:
                return self._with(url, BOUND, question)
            except (NotReached, Failed) as error:
                complaints.append(f"found     {url}: {error}")
        raise NobodyAnswers(
            f"{what}: no member answers", details=complaints, hint="on each node: etcd-ha status"
        )

    def _without_quorum(self, error: NobodyAnswers) -> NobodyAnswers:
        """The reason if there is no quorum, by the copy that each member has of the list; else the error."""
        try:
            copy = self._ask("listing the members", lambda one: members_of(one, linearizable=False))
        except NobodyAnswers:
            return error
        faults = quorum_faults(self._look_at_all(copy))
        if not faults:
            return error
        return NobodyAnswers(
            "the cluster has no quorum",
            details=faults,
            hint="start etcd where it is stopped: systemctl start etcd",
        )

    def change(self, what: str, method: str, body: Body, url: str = "", bound: float = BOUND) -> Fields:
        """Have something changed, once. url: where, instead of anywhere. Raises EtcdHaError.

        Refused says that it was not done. Any other error names what is not known.
        """
        complaints = []
        for place in (url,) if url else self._urls:
            try:
                gateway = self._open(place, bound)
            except NotReached as error:
                complaints.append(f"found     {place}: {error}")
                continue
            try:
                return gateway.call(method, body)
            except Failed as error:
                if _NOT_BY_A_LEARNER not in str(error):
                    raise Refused(what, place, str(error)) from error
                complaints.append(f"found     {place}: {error}")
            except NotReached as error:
                raise EtcdHaError(
                    f"{what}: it is unknown whether this was done",
                    details=(f"found     {place}: {error}",),
                    hint="run the same command again: it checks first, and continues from there",
                ) from error
            finally:
                gateway.close()
        raise NobodyAnswers(
            f"{what}: no member answers", details=complaints, hint="on each node: etcd-ha status"
        )

    def add_learner(self, peer_urls: Sequence[str]) -> None:
        """Add a member that gets the data and does not vote yet. Raises EtcdHaError."""
        body: Body = {"peerURLs": tuple(peer_urls), "isLearner": True}
        self.change(f"adding {', '.join(peer_urls)}", "cluster/member/add", body)

    def promote(self, member: Member) -> None:
        """Let a learner vote. Raises EtcdHaError; Refused while it has not caught up."""
        self.change(f"promoting {member.shown}", "cluster/member/promote", {"ID": _number(member.id)})

    def remove(self, member: Member) -> None:
        """Take a member out. Raises EtcdHaError."""
        self.change(f"removing {member.shown}", "cluster/member/remove", {"ID": _number(member.id)})

    def move_leader(self, leader_url: str, to: Member) -> None:
        """Have the leader, which is at that URL, hand over. Raises EtcdHaError."""
        what = f"moving leadership to {to.shown}"
        self.change(what, "maintenance/transfer-leadership", {"targetID": _number(to.id)}, leader_url)

    def compact(self, revision: int) -> None:
        """Give up all revisions before one, and wait until that is done. Raises EtcdHaError."""
        body: Body = {"revision": str(revision), "physical": True}
        self.change(f"compacting to revision {revision}", "kv/compaction", body, bound=LONG)

    def defragment(self, url: str) -> None:
        """Have the member at a URL rewrite its database; it does not serve meanwhile. Raises EtcdHaError."""
        self.change(f"defragmenting the database at {url}", "maintenance/defragment", {}, url, LONG)

    def disarm(self, kind: str, id_: str) -> None:
        """Clear an alarm such as NOSPACE of a member. Raises EtcdHaError."""
        body: Body = {"action": "DEACTIVATE", "memberID": _number(id_), "alarm": kind}
        self.change(f"disarming {kind}", "maintenance/alarm", body)

    def alarms(self) -> frozenset[tuple[str, str]]:
        """Kind and member's id of each, as a quorum has them. Raises EtcdHaError."""
        said = self.ask(
            "reading the alarms", lambda one: one.call("maintenance/alarm", {"action": "GET"})
        ).many("alarms")
        return frozenset((one.text("alarm"), f"{one.number('memberID'):x}") for one in said)

    def prove_by_put(self) -> None:
        """Put a key, read it, delete it. Raises EtcdHaError where that fails."""
        for step in go_round(self._urls, self._identity, self._context, BOUND):
            if step.failure:
                raise EtcdHaError(
                    f"{step.done} of a key failed",
                    details=(f"found     {step.url}: {step.failure}",),
                    hint="etcd-ha check",
                )

    def status(self, url: str) -> Status:
        """What the member at a URL says of itself. Raises EtcdHaError."""
        return self.at(url, f"reading the status of {url}", status_of)

    def hash_at(self, url: str, revision: int = 0) -> tuple[int, int]:
        """Hash and revision of the keys at a URL; of its newest revision without one. Raises EtcdHaError."""
        body: Body = {"revision": str(revision)}
        said = self.at(
            url, f"reading the hash of {url}", lambda one: one.call("maintenance/hash", body), LONG
        )
        return said.number("hash"), said.number("hash_revision") or said.one("header").number("revision")

    def at(
        self, url: str, what: str, question: Callable[[Gateway], _Answer], bound: float = BOUND
    ) -> _Answer:
        """An answer of that URL. Nothing may be changed by it. Raises EtcdHaError."""
        try:
            return self._with(url, bound, question)
        except (NotReached, Failed) as error:
            raise NobodyAnswers(f"{what}: no answer", details=(f"found     {url}: {error}",)) from error

    def _with(self, url: str, bound: float, question: Callable[[Gateway], _Answer]) -> _Answer:
        gateway = self._open(url, bound)
        try:
            return question(gateway)
        finally:
            gateway.close()

    def _open(self, url: str, bound: float) -> Gateway:
        place = place_of(url)
        return Gateway(place, self._identity, self._context if place.is_tls else None, bound)


def _number(id_: str) -> str:
    """The gateway has ids of 64 bits as decimal strings."""
    return str(int(id_, 16))
