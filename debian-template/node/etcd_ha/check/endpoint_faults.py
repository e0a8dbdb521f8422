"""Faults of each endpoint: connection, health, gateway, authentication, database, clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from etcd_ha.check.expected import Expected
from etcd_ha.check.finding import Finding, Gap, Judgement
from etcd_ha.check.look import Look, machine_of
from etcd_ha.connection import NotReached, Refusal, place_of
from etcd_ha.endpoint import Endpoint, Status

# Percent of the quota, as in `etcd-ha status`.
NEAR = 80
# Seconds; etcd's members warn about a larger clock drift between them.
DRIFT = 1
TOGETHER = "etcd-ha config set listen-client-http-urls '' && etcd-ha restart"
SYNCHRONISE = "timedatectl set-ntp true"


def endpoint_faults(look: Look, expected: Expected) -> Iterator[Judgement]:
    """Faults of each client URL to which a connection was tried."""
    for one in look.endpoints:
        if one.refused:
            yield from _of_connection(one, one.refused, look, expected)
        else:
            yield from _of_answer(one, look, expected)
    yield from _clocks(look, expected)


def _of_connection(one: Endpoint, refused: NotReached, look: Look, expected: Expected) -> Iterator[Finding]:
    place, on = place_of(one.url), machine_of(one.url, look, expected)
    where, reason, kind = f"{on} ({one.url})", refused.reason, refused.refusal
    owner = look.owner(one.url)
    elsewhere = look.elsewhere(owner, one.url) if owner else ""
    match kind:
        # Its certificate is checked separately.
        case Refusal.SERVER_CERTIFICATE if one.certificate:
            return
        case Refusal.SERVER_CERTIFICATE:
            yield Finding(kind.value, where, "a certificate that is trusted here", reason, *expected.renew)
        case Refusal.CLIENT_CERTIFICATE_MISSING | Refusal.CLIENT_CERTIFICATE:
            given = expected.identity.certificate
            kind = Refusal.CLIENT_CERTIFICATE if given else Refusal.CLIENT_CERTIFICATE_MISSING
            found = f"{given}, which the member refuses ({reason})" if given else "none was presented"
            wanted = "a client certificate from a CA that the member trusts"
            yield Finding(kind.value, where, wanted, found, *expected.present)
        case Refusal.SPEAKS_TLS | Refusal.SPEAKS_PLAIN:
            wanted, found = ("TLS", "HTTP without TLS") if place.is_tls else ("HTTP without TLS", "TLS")
            other = f"{'http' if place.is_tls else 'https'}{one.url[len(place.scheme) :]}"
            yield Finding(kind.value, where, wanted, found, advertise(other), on)
        case Refusal.GRPC_ONLY:
            wanted = "HTTP, with the gateway that Patroni needs"
            found = f"{reason}, as with listen-client-http-urls"
            yield Finding(kind.value, where, wanted, found, TOGETHER, on)
        case _ if elsewhere:
            wanted, found = "a URL that reaches the member", f"{reason}; it answers at {elsewhere}"
            yield Finding("advertised-url", where, wanted, found, advertise(elsewhere), on)
        case Refusal.NO_ADDRESS:
            wanted, command = f"an address for {place.host}", f"getent hosts {place.host}"
            yield Finding(kind.value, where, wanted, reason, command, "this machine")
        case Refusal.NOT_LISTENING:
            yield Finding(kind.value, where, "a member that listens", reason, "systemctl start etcd", on)
        case Refusal.NO_ANSWER | Refusal.OTHER:
            yield Finding(kind.value, where, "an answer from etcd", reason, "etcd-ha status", on)
        case _:
            assert_never(kind)


def advertise(url: str) -> str:
    """The command that makes a member advertise a URL."""
    return f"etcd-ha config set advertise-client-urls {url} && etcd-ha restart"


def _of_answer(one: Endpoint, look: Look, expected: Expected) -> Iterator[Judgement]:
    on = machine_of(one.url, look, expected)
    where = f"{on} ({one.url})"
    if one.healthy is None:
        yield Finding("health", where, "an answer to /health", one.reason, "etcd-ha status", on)
    # A learner refuses the read behind /health, and alarms have findings of their own.
    elif not one.healthy and not (one.status and (one.status.alarms or one.status.is_learner)):
        found = one.reason or "unhealthy, without a reason"
        yield Finding("unhealthy", where, "a leader and a quorum", found, "etcd-ha status", on)
    if one.gateway_off:
        wanted, found = "the gRPC gateway, which Patroni needs", "404 to a request"
        command = "etcd-ha config set enable-grpc-gateway true && etcd-ha restart"
        yield Finding("gateway-off", where, wanted, found, command, on)
    elif one.denied:
        given = (
            f"user {expected.identity.user.partition(':')[0]}" if expected.identity.user else "no user given"
        )
        wanted, found = "a user with the role root", f"{one.denied} ({given})"
        yield Finding("authentication", where, wanted, found, *expected.authenticate)
    elif one.gateway:
        wanted = "an answer from the gRPC gateway, which Patroni needs"
        yield Finding("gateway", where, wanted, one.gateway, "etcd-ha status", on)
    if one.status:
        yield from _of_database(one.status, where)
    else:
        yield Gap(
            f"database, alarms and identity of {where}", one.denied or one.gateway or "its gateway is off"
        )


def _of_database(status: Status, where: str) -> Iterator[Judgement]:
    if status.quota is None:
        yield Gap(f"the database of {where}", "the member does not report its quota")
    elif status.database * 100 >= status.quota * NEAR:
        wanted = f"less than {NEAR} % of the quota of {status.quota} bytes"
        found = f"{status.database} bytes, {status.in_use} of them in use"
        command = f"etcdctl compact {status.revision}; etcdctl defrag --cluster"
        yield Finding("database", where, wanted, found, command)


def _clocks(look: Look, expected: Expected) -> Iterator[Finding]:
    asked = [one for one in look.endpoints if one.clock]
    off = [one for one in asked if _drift(one) > DRIFT]
    clocks = [one.clock for one in asked if one.clock]
    together = len(clocks) > 1 and max(low for low, _ in clocks) < min(high for _, high in clocks)
    wanted = f"clocks that differ by at most {DRIFT} s"
    if off and len(off) == len(asked) and together:
        found = f"all {len(asked)} members are {_ahead(off)} this machine"
        yield Finding("clock", "this machine", wanted, found, SYNCHRONISE, "this machine")
        return
    for one in off:
        on = machine_of(one.url, look, expected)
        found = f"it is {_ahead([one])} this machine"
        yield Finding("clock", f"{on} ({one.url})", wanted, found, SYNCHRONISE, on)


def _drift(one: Endpoint) -> float:
    """The smallest number of seconds that explains its answer."""
    low, high = one.clock or (0, 0)
    return max(low, -high, 0)


def _ahead(endpoints: Sequence[Endpoint]) -> str:
    least = min(map(_drift, endpoints))
    low, _ = endpoints[0].clock or (0, 0)
    return f"at least {least:.1f} s {'ahead of' if low > 0 else 'behind'}"
