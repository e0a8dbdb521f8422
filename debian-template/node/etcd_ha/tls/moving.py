"""The steps by which this node's member goes to the next stage, each judged by the cluster and the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from etcd_ha.connection import split
from etcd_ha.endpoint import Member
from etcd_ha.errors import EtcdHaError
from etcd_ha.identity import Identity
from etcd_ha.keeper.cluster import Cluster
from etcd_ha.keeper.here import Here
from etcd_ha.keeper.plan import Step
from etcd_ha.tls.files import TLS_KEYS, Files, values_of
from etcd_ha.tls.reach import reach_each_other
from etcd_ha.tls.stage import MEMBER_URLS, URL_KEYS, Stage, urls_at, with_scheme
from etcd_ha.tls.view import Note, notes_of, standing_of, write_note

# Seconds for the members to connect again.
REACHED = 30.0


@dataclass(frozen=True, slots=True)
class Moving:
    """What each step asks anew.

    now: URLs of etcd.yaml; id_: of this node's member; wait: seconds for the restart slot.
    """

    here: Here
    cluster: Cluster
    identity: Identity
    files: Files
    now: Mapping[str, str]
    target: Stage
    way: str
    id_: str
    wait: int

    def steps(self) -> list[Step]:
        """From where the cluster and the file are on."""
        scheme = self.target.scheme
        return [
            Step(
                "listing this member's URL for members in both schemes",
                self._is_listed_twice,
                lambda: self._list("http", "https"),
            ),
            Step("writing etcd.yaml", self._is_written, self._write),
            Step("restarting etcd in its turn", self._is_restarted, self._restart),
            Step(
                f"listing this member's URL for members in {scheme} alone",
                lambda: self._listed() == self._urls(scheme),
                lambda: self._list(scheme),
            ),
            Step("looking whether all members reach each other", self._is_seen, self._look),
            Step("noting the stage in the cluster", self._is_noted, self._note),
        ]

    def _mine(self) -> Member:
        for member in self.cluster.members():
            if member.id == self.id_:
                return member
        raise EtcdHaError("this node's member was removed from the cluster meanwhile", hint="etcd-ha status")

    def _urls(self, *schemes: str) -> frozenset[str]:
        own = split(self.now[MEMBER_URLS])
        return frozenset(with_scheme(url, scheme) for url in own for scheme in schemes)

    def _listed(self) -> frozenset[str]:
        return frozenset(self._mine().peer_urls)

    def _is_listed_twice(self) -> bool:
        # The others try one URL after the other, so from here on it does not matter which this member serves.
        listed = self._listed()
        return listed == self._urls(self.target.scheme) or listed >= self._urls("http", "https")

    def _list(self, *schemes: str) -> None:
        body = {"ID": str(int(self.id_, 16)), "peerURLs": sorted(self._urls(*schemes))}
        self.cluster.change(f"updating member {self.id_}", "cluster/member/update", body)

    def _settings(self) -> dict[str, str]:
        tls = {} if self.target is Stage.HTTP else self.files.settings
        return {**urls_at(self.target, self.now), **tls}

    def _is_written(self) -> bool:
        return values_of(self.here, (*URL_KEYS, *TLS_KEYS)) == self._settings()

    def _write(self) -> None:
        words = [word for pair in self._settings().items() for word in pair]
        self.here.run_command("config", "set", *words)
        if self.target is Stage.HTTP:
            # With http alone etcd does not read them.
            self.here.run_command("config", "unset", *TLS_KEYS)

    def _is_restarted(self) -> bool:
        """A member publishes what it advertises, and listens, at its start."""
        return standing_of(self._mine(), self.identity, None).serves is self.target

    def _restart(self) -> None:
        self.here.run_command("restart", "--wait", str(self.wait))

    def _is_seen(self) -> bool:
        # Only these two stages change how members reach each other.
        return self.target is not (Stage.MEMBERS if self.way == "enable" else Stage.BOTH)

    def _look(self) -> None:
        if faults := reach_each_other(self.cluster, REACHED):
            raise EtcdHaError(
                "not all members reach each other; they refuse a certificate, or the network does",
                details=tuple(f"found     {fault}" for fault in faults),
                hint=f"journalctl -u etcd, on both; then here: etcd-ha tls {self.way}. "
                f"Or go back: etcd-ha tls {'disable' if self.way == 'enable' else 'enable'}",
            )

    def _note_of_target(self) -> Note:
        return Note(self.way, self.target, "" if self.target is Stage.HTTP else self.files.trusted)

    def _is_noted(self) -> bool:
        return notes_of(self.cluster).get(self.id_) == self._note_of_target()

    def _note(self) -> None:
        write_note(self.cluster, self._mine(), self._note_of_target())
