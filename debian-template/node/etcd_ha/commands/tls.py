"""etcd-ha tls: a living cluster goes from http to https, or back, a stage of one member at a time."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from etcd_ha.auth.certificates import refuse_common_names
from etcd_ha.auth.users import is_on
from etcd_ha.errors import EtcdHaError
from etcd_ha.identity import Identity
from etcd_ha.keeper.cluster import Cluster, NobodyAnswers
from etcd_ha.keeper.here import Here, here_of, own
from etcd_ha.keeper.lock import only_one
from etcd_ha.keeper.plan import carry_out
from etcd_ha.keeper.seen import Seen, check_health
from etcd_ha.keeper.waiting import until
from etcd_ha.keeper.words import Words, confirm, read_words, require_root, say, show
from etcd_ha.tls.files import CLIENTS, Files, files_of, judge, values_of
from etcd_ha.tls.moving import Moving
from etcd_ha.tls.order import check_others, target_of
from etcd_ha.tls.reach import unreached
from etcd_ha.tls.stage import URL_KEYS, Stage, urls_at
from etcd_ha.tls.view import Standing, forget_notes, notes_of, standings, write_note

# Debian's: pg_createconfig_patroni writes the file of a cluster from dcs.yml.
_PATRONI_HTTPS = (
    "protocol: https",
    "cacert: /etc/patroni/tls/ca.crt",
    "cert: /etc/patroni/tls/client.crt",
    "key: /etc/patroni/tls/client.key",
)
_HTTP_ALONE = "listen-client-http-urls"
_PATRONI_HTTP = ("protocol: http, and none of cacert, cert, key",)


def main(arguments: list[str]) -> int:
    """Go one stage further on this node. Returns the exit status. Raises EtcdHaError."""
    words = read_words("tls", arguments)
    wait = words.seconds("--wait", 300)
    require_root(words)
    here = here_of(os.environ)
    with only_one(words, here.run):
        _go_on(words, here, wait)
    return 0


def _go_on(words: Words, here: Here, wait: int) -> None:
    enables = words.command == "tls enable"
    end = Stage.HTTPS if enables else Stage.HTTP
    files, now = files_of(here), values_of(here, (*URL_KEYS, _HTTP_ALONE))
    if now.get(_HTTP_ALONE):
        raise EtcdHaError(
            "etcd.yaml has listen-client-http-urls, so http and https can't share a port",
            hint="etcd-ha config unset listen-client-http-urls && etcd-ha restart",
        )
    if enables:
        judge(here, {**urls_at(Stage.HTTPS, now), **files.settings})
    known = here.expected()
    record = here.record("tls")
    begun = record.read()
    identity = _identity(begun or _paths(files), known.identity.user)
    cluster = Cluster(known.places, identity)
    if begun:
        # What was broken off may have been a restart.
        until("a cluster in which all members are healthy", wait, lambda: _why_ill(cluster))
    seen = cluster.look()
    _check_health(seen)
    if enables and files.settings.get(f"{CLIENTS}.client-cert-auth") == "true" and is_on(cluster):
        refuse_common_names(files.certificate, known.renew)
    if not begun and (faults := unreached(cluster)):
        raise EtcdHaError(
            "not all members reach each other; nothing was changed",
            details=tuple(f"found     {fault}" for fault in faults),
            hint="journalctl -u etcd, on both",
        )
    mine, notes = own(seen, known), notes_of(cluster)
    if mine is None:
        raise EtcdHaError(f"the cluster has no member {known.own or 'of this node'}", hint="etcd-ha status")
    stand = {one.member.id: one for one in standings([one.member for one in seen], identity, notes)}
    others = [one for one in stand.values() if one.member != mine.member]
    trusted = files.trusted if enables else ""
    if enables and not words.is_dry:
        _renew_note(here, cluster, stand[mine.member.id], trusted)
    target = target_of(stand[mine.member.id], begun, enables)
    if target is not None:
        check_others(others, target, trusted, enables)
        _ask(words, target, enables)
        way = "enable" if enables else "disable"
        moving = Moving(here, cluster, identity, files, now, target, way, mine.member.id, wait)
        if not words.is_dry and not begun:
            at = stand[mine.member.id].serves
            record.write({"from": (target if at is None else at).name, "to": target.name, **_paths(files)})
        carry_out(words, moving.steps())
        if words.is_dry:
            return
        record.clear()
        say(f"{mine.member.shown}: {target.shown}")
    members = [one.member for one in cluster.look()]
    _tell_next(words, standings(members, identity, notes_of(cluster)), cluster, end)


def _renew_note(here: Here, cluster: Cluster, mine: Standing, trusted: str) -> None:
    """The CA file was replaced after the note; etcd reads it at its start."""
    note = mine.note
    if note and note.trusted not in ("", trusted):
        here.run_command("restart")
        write_note(cluster, mine.member, replace(note, trusted=trusted))


def _why_ill(cluster: Cluster) -> str:
    try:
        ill = [one for one in cluster.look() if not one.is_healthy]
    except NobodyAnswers as error:
        return error.summary
    return f"{ill[0].member.shown}: {ill[0].why_not}" if ill else ""


def _check_health(seen: Sequence[Seen]) -> None:
    """Raises EtcdHaError unless all are well and vote, since each restart takes one away."""
    check_health(seen)
    if learners := [one.member.shown for one in seen if one.member.is_learner]:
        raise EtcdHaError(
            f"{learners[0]} is a learner; nothing was changed", hint="let it vote first: etcd-ha join, there"
        )


def _paths(files: Files) -> dict[str, str]:
    """What is presented to members; on the way back it is gone from etcd.yaml before the restart."""
    return {"certificate": files.certificate, "key": files.key, "authority": files.authority or ""}


def _identity(paths: Mapping[str, str], user: str | None) -> Identity:
    """Without a certificate only members with http can be asked."""
    if not Path(paths.get("certificate", "")).is_file():
        return Identity(user=user)
    return Identity(paths.get("authority") or None, paths.get("certificate"), paths.get("key"), user)


def _ask(words: Words, target: Stage, enables: bool) -> None:
    if words.is_dry or target is not (Stage.MEMBERS if enables else Stage.BOTH):
        return
    confirm(words, _about_clients(enables), "Have all clients been changed?")


def _about_clients(enables: bool) -> tuple[str, ...]:
    scheme, section = ("https", _PATRONI_HTTPS) if enables else ("http", _PATRONI_HTTP)
    return (
        f"From the next stage on, members advertise {scheme}. Before it, change every client to {scheme};",
        "both are served. In Patroni's file on each node, and in /etc/patroni/dcs.yml, section etcd3:",
        *(f"  {line}" for line in section),
        "Then, so that PostgreSQL runs on: patronictl pause --wait; on each node,",
        "systemctl restart patroni@…; and patronictl resume.",
    )


def _tell_next(words: Words, stand: Sequence[Standing], cluster: Cluster, end: Stage) -> None:
    enables = end is Stage.HTTPS
    for one in stand:
        say(f"{one.member.shown}: {one.stage.shown if one.stage is not None else one.why}")
    reached = [one.stage for one in stand if one.stage is not None]
    if len(reached) == len(stand) and set(reached) == {end}:
        if notes_of(cluster) and not words.is_dry:
            forget_notes(cluster)
        show(f"All members use {end.shown} alone.")
        return
    last = min(reached) if enables else max(reached)
    at_last = sorted(one.member.shown for one in stand if one.stage in (None, last))
    if len(reached) == len(stand) and set(reached) == {Stage.BOTH if enables else Stage.MEMBERS}:
        show("\n".join(_about_clients(enables)))
    show(f"Next, on {at_last[0]}: etcd-ha {words.command}")
