"""The stage of each member: what it serves and advertises, and what its command has noted in the cluster.

That a member can speak TLS to others is not to be seen from outside before one of them does. So the command
notes it, with the CA that it trusts, after the restart that made it so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from etcd_ha.connection import Refusal
from etcd_ha.endpoint import Endpoint, Member, look_at
from etcd_ha.gateway import Body, below, decoded, encoded
from etcd_ha.identity import Identity, context_of
from etcd_ha.keeper.cluster import BOUND, Cluster
from etcd_ha.tls.stage import Stage, with_scheme

NOTES = "/etcd-ha/tls/"
# What a listener without TLS, or without http, does; the rest are faults of a certificate or of the network.
_NOT_SERVED = (Refusal.SPEAKS_PLAIN, Refusal.SPEAKS_TLS, Refusal.NOT_LISTENING)


@dataclass(frozen=True, slots=True)
class Note:
    """What a member's command has noted. way: enable or disable; trusted: digest of its CA file."""

    way: str
    stage: Stage
    trusted: str

    def written(self) -> str:
        """As the value of a key; status reads it too."""
        return f"{self.way} {self.stage.name.lower()} {self.trusted or '-'}"


@dataclass(frozen=True, slots=True)
class Standing:
    """A member, and its stage; None where that can't be told, and why.

    serves: the stage by what it serves to clients; its URL for members is another step.
    """

    member: Member
    stage: Stage | None
    why: str = ""
    note: Note | None = None
    serves: Stage | None = None


def notes_of(cluster: Cluster) -> dict[str, Note]:
    """The notes, by the ids of the members. Raises EtcdHaError."""
    found = cluster.ask("the stage of each member", lambda one: one.call("kv/range", below(NOTES))).many(
        "kvs"
    )
    notes = {}
    for one in found:
        words = decoded(one.whole("value")).split()
        if len(words) == 3 and words[1].upper() in Stage.__members__:
            trusted = "" if words[2] == "-" else words[2]
            notes[decoded(one.whole("key")).removeprefix(NOTES)] = Note(
                words[0], Stage[words[1].upper()], trusted
            )
    return notes


def write_note(cluster: Cluster, member: Member, note: Note) -> None:
    """Note it in the cluster. Raises EtcdHaError."""
    body: Body = {"key": encoded(NOTES + member.id), "value": encoded(note.written())}
    cluster.change("noting the stage in the cluster", "kv/put", body)


def forget_notes(cluster: Cluster) -> None:
    """Delete all of them: the members are at one end. Raises EtcdHaError."""
    cluster.change("deleting the notes", "kv/deleterange", below(NOTES))


def standings(members: Sequence[Member], identity: Identity, notes: Mapping[str, Note]) -> list[Standing]:
    """The stage of each, asked by http and by https."""
    with ThreadPoolExecutor(len(members)) as pool:
        return list(pool.map(lambda one: standing_of(one, identity, notes.get(one.id)), members))


def standing_of(member: Member, identity: Identity, note: Note | None) -> Standing:
    """The stage of one."""
    if not member.client_urls:
        return Standing(member, None, "it never started")
    served, context = [], context_of(identity)
    for scheme in ("http", "https"):
        seen = look_at(with_scheme(member.client_urls[0], scheme), identity, context, BOUND)
        if seen.refused is None:
            served.append(scheme)
        elif not _is_absent(seen):
            return Standing(member, None, f"{seen.url}: {seen.refused.reason}", note)
    advertised = {urlsplit(url).scheme for url in member.client_urls}
    of_members = {urlsplit(url).scheme for url in member.peer_urls}
    for stage in Stage:
        if advertised == {stage.scheme} and tuple(served) == stage.client_schemes:
            if of_members == {stage.scheme}:
                return Standing(member, stage, "", note, stage)
            if stage.scheme in of_members:
                return Standing(member, None, "a step there was broken off", note, stage)
    shown = f"{'/'.join(sorted(advertised))} advertised, {'/'.join(served) or 'nothing'} served"
    return Standing(member, None, f"{shown}, {'/'.join(sorted(of_members))} to members", note)


def _is_absent(seen: Endpoint) -> bool:
    refused = seen.refused
    if refused is None or refused.refusal in _NOT_SERVED:
        return True
    # A listener that has http alone just closes a connection with TLS, and the reverse.
    return refused.refusal is Refusal.OTHER and seen.certificate is None
