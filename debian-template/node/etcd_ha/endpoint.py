"""Everything that one client URL reports."""

from __future__ import annotations

import json
import re
import ssl
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

from etcd_ha.certificate import Certificate, parse
from etcd_ha.connection import NotReached, Presented, Refusal, place_of, presented
from etcd_ha.der import NotDer
from etcd_ha.errors import on_one_line
from etcd_ha.gateway import Denied, Failed, Fields, Gateway, GatewayOff, Reply
from etcd_ha.identity import Identity
from etcd_ha.probe import explained

_ALARM = re.compile(r"memberID:(\d+) +alarm:(\w+)")
_QUOTA = re.compile(r"^etcd_server_quota_backend_bytes (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Member:
    """As the cluster lists it. id: in hexadecimal, as in etcdctl; name: empty before its first start."""

    id: str
    name: str
    peer_urls: tuple[str, ...]
    client_urls: tuple[str, ...]
    is_learner: bool

    @property
    def shown(self) -> str:
        return self.name or f"member {self.id}"


@dataclass(frozen=True, slots=True)
class Status:
    """A member's own status.

    leader: its id, 0 for none; quota: bytes, None if it does not report it; applied: index of the last entry;
    storage: version of its data; downgrade: version to which a downgrade that is under way leads. Both are
    empty where there is none, and always before 3.6, which does not report them.
    """

    id: str
    cluster: str
    leader: str
    is_learner: bool
    database: int
    in_use: int
    quota: int | None
    revision: int
    alarms: frozenset[tuple[str, str]]
    applied: int
    storage: str = ""
    downgrade: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What was seen at a client URL; None if it was not.

    latency: seconds for /health, which reads through the quorum. clock: the member's clock is ahead of this
    machine's by more than the first and less than the second number of seconds. gateway: how it failed.
    """

    url: str
    refused: NotReached | None = None
    certificate: Certificate | None = None
    unread_certificate: str = ""
    wants_certificates: bool = False
    version: str | None = None
    healthy: bool | None = None
    reason: str = ""
    latency: float | None = None
    clock: tuple[float, float] | None = None
    status: Status | None = None
    members: tuple[Member, ...] | None = None
    denied: str = ""
    gateway_off: bool = False
    gateway: str = ""

    @property
    def is_refused(self) -> bool:
        return self.refused is not None


def look_at(url: str, identity: Identity, context: ssl.SSLContext, bound: float) -> Endpoint:
    """Ask a client URL, each step within bound seconds. Raises EtcdHaError if it is not a URL."""
    place = place_of(url)
    found = _with_certificate(Endpoint(url), presented(place, bound)) if place.is_tls else Endpoint(url)
    try:
        gateway = Gateway(place, identity, context if place.is_tls else None, bound)
    except NotReached as refused:
        return replace(found, refused=refused)
    try:
        found = _with_version(found, gateway.get("/version"))
        health = gateway.get("/health")
    except NotReached as refused:
        gateway.close()
        return replace(found, refused=explained(refused, place, identity, bound))
    try:
        return _with_gateway(_with_health(found, health), gateway)
    finally:
        gateway.close()


def _with_certificate(found: Endpoint, shown: Presented | None) -> Endpoint:
    if shown is None:
        return found
    found = replace(found, wants_certificates=shown.demands)
    try:
        return replace(found, certificate=parse(shown.certificate))
    except NotDer as error:
        return replace(found, unread_certificate=str(error))


def _with_version(found: Endpoint, reply: Reply) -> Endpoint:
    if reply.status == 400 and "HTTPS server" in reply.text:
        raise NotReached(Refusal.SPEAKS_TLS, "TLS")
    try:
        version = Fields(json.loads(reply.text)).text("etcdserver")
    except (ValueError, Failed):
        version = ""
    if not version:
        raise NotReached(Refusal.OTHER, f"not etcd: status {reply.status} to a request for /version")
    return replace(found, version=version, clock=_clock(reply))


def _clock(reply: Reply) -> tuple[float, float] | None:
    """The date of the answer is of whole seconds, and of a time between its request and itself."""
    try:
        date = parsedate_to_datetime(reply.date or "").timestamp()
    except ValueError:
        return None
    return date - reply.received, date + 1 - reply.sent


def _with_health(found: Endpoint, reply: Reply) -> Endpoint:
    try:
        said = Fields(json.loads(reply.text))
        return replace(
            found, healthy=said.text("health") == "true", reason=said.text("reason"), latency=reply.seconds
        )
    except (ValueError, Failed):
        return replace(
            found, reason=f"status {reply.status} to a request for /health: {on_one_line(reply.text)}"
        )


def _with_gateway(found: Endpoint, gateway: Gateway) -> Endpoint:
    try:
        status = status_of(gateway)
        if status.is_learner:
            # It refuses to list members.
            return replace(found, status=status)
        # Without a quorum only the member's own copy of the list is available.
        members = members_of(gateway, linearizable=found.healthy is True)
        return replace(found, status=status, members=members)
    except GatewayOff:
        return replace(found, gateway_off=True)
    except Denied as error:
        return replace(found, denied=str(error))
    except (Failed, NotReached) as error:
        return replace(found, gateway=str(error))


def status_of(gateway: Gateway) -> Status:
    """What the member says of itself. Raises NotReached and Failed."""
    said = gateway.call("maintenance/status")
    header, downgrade = said.one("header"), said.one("downgradeInfo")
    return Status(
        id=_hexadecimal(header.number("member_id")),
        cluster=_hexadecimal(header.number("cluster_id")),
        leader=_hexadecimal(said.number("leader")),
        is_learner=said.truth("isLearner"),
        database=said.number("dbSize"),
        in_use=said.number("dbSizeInUse"),
        quota=said.number("dbSizeQuota") or _quota(gateway),
        revision=header.number("revision"),
        # A request for the alarms themselves needs a quorum.
        alarms=frozenset(
            (kind, _hexadecimal(int(id_))) for id_, kind in _ALARM.findall(" ".join(said.texts("errors")))
        ),
        applied=said.number("raftAppliedIndex"),
        storage=said.text("storageVersion"),
        downgrade=downgrade.text("targetVersion") if downgrade.truth("enabled") else "",
    )


def _quota(gateway: Gateway) -> int | None:
    """etcd 3.5 reports it only in its metrics."""
    reply = gateway.get("/metrics")
    found = _QUOTA.search(reply.text)
    return int(float(found.group(1))) or None if found else None


def members_of(gateway: Gateway, *, linearizable: bool) -> tuple[Member, ...]:
    """The members; linearizable: as a quorum has them, else as this one does. Raises NotReached, Failed."""
    said = gateway.call("cluster/member/list", {"linearizable": linearizable}).many("members")
    return tuple(
        Member(
            _hexadecimal(one.number("ID")),
            one.text("name"),
            one.texts("peerURLs"),
            one.texts("clientURLs"),
            one.truth("isLearner"),
        )
        for one in said
    )


def _hexadecimal(number: int) -> str:
    return f"{number:x}"
