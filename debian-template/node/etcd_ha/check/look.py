"""One look at the whole cluster."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from etcd_ha.certificate import Certificate, parse, parse_pem
from etcd_ha.check.expected import Expected
from etcd_ha.check.own_files import OwnFile, look_into
from etcd_ha.check.round_trip import Step, go_round
from etcd_ha.connection import place_of, presented
from etcd_ha.der import NotDer
from etcd_ha.endpoint import Endpoint, Member, look_at
from etcd_ha.errors import EtcdHaError
from etcd_ha.identity import context_of
from etcd_ha.probe import chain_at

# Connections at the same time.
AT_ONCE = 16

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Peer:
    """What a member presents at a peer URL. unread: why its certificate can't be read.

    complaint: why its chain does not lead to the CA; None if that could not be found out.
    """

    url: str
    certificate: Certificate | None
    wants_certificates: bool = False
    unread: str = ""
    complaint: str | None = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen. members: None if no member reported them. cluster: its id in hexadecimal, or empty.

    authorities, own: the certificates in the files that were used; peer_authorities: those among members.
    files: what the member of this machine presents.
    """

    at: datetime
    endpoints: tuple[Endpoint, ...]
    cluster: str
    members: tuple[Member, ...] | None
    peers: tuple[Peer, ...]
    steps: tuple[Step, ...]
    authorities: tuple[Certificate, ...]
    own: tuple[Certificate, ...]
    peer_authorities: tuple[Certificate, ...] = ()
    files: tuple[OwnFile, ...] = ()

    def owner(self, url: str) -> Member | None:
        """The member that advertises a URL."""
        return next((one for one in self.members or () if url in one.client_urls), None)

    def member(self, id_: str) -> Member | None:
        """The member with an id in hexadecimal."""
        return next((one for one in self.members or () if one.id == id_), None)

    def elsewhere(self, member: Member, url: str) -> str:
        """Another URL where a member answers; empty if it answers at none."""
        answering = (one for one in self.endpoints if one.status and one.status.id == member.id)
        return next((one.url for one in answering if one.url != url), "")

    @property
    def nobody_answered(self) -> bool:
        return all(one.is_refused for one in self.endpoints)


def look(expected: Expected) -> Look:
    """Look at a cluster, in a few times expected.bound. Raises EtcdHaError for unusable files and URLs."""
    identity = expected.identity
    context = context_of(identity)
    authorities, own = certificates_in(identity.authority), certificates_in(identity.certificate)

    def ask(url: str) -> Endpoint:
        return look_at(url, identity, context, expected.bound)

    endpoints = _side_by_side(ask, dict.fromkeys(expected.urls))
    if _members_of(endpoints, _cluster_of(endpoints)) is None:
        others = [url for url in dict.fromkeys(expected.places) if url not in expected.urls]
        endpoints += tuple(one for one in _side_by_side(ask, others) if not one.is_refused)
    cluster = _cluster_of(endpoints)
    members = _members_of(endpoints, cluster)
    asked = {one.url for one in endpoints}
    advertised = [url for one in members or () for url in one.client_urls if url not in asked]
    endpoints += _side_by_side(ask, dict.fromkeys(advertised))
    peer_urls = dict.fromkeys(
        url for one in members or () for url in one.peer_urls if url.startswith("https:")
    )
    return Look(
        at=datetime.now(UTC),
        endpoints=endpoints,
        cluster=cluster,
        members=members,
        peers=_side_by_side(lambda url: _look_at_peer(url, expected), peer_urls),
        steps=_steps(endpoints, cluster, expected, context),
        authorities=authorities,
        own=own,
        peer_authorities=certificates_in(expected.peer_authority) if peer_urls else (),
        files=tuple(map(look_into, expected.files)),
    )


def machine_of(url: str, seen: Look, expected: Expected) -> str:
    """The machine whose member is expected at a URL."""
    member = seen.owner(url)
    named = [one.name for one in expected.members or () if url in one.client_urls]
    own = expected.own if url in expected.urls else ""
    return member.shown if member else named[0] if named else own or f"the machine of {url}"


def certificates_in(file: str | None) -> tuple[Certificate, ...]:
    """The certificates of a PEM file; none without a file. Raises EtcdHaError."""
    if file is None:
        return ()
    try:
        return parse_pem(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EtcdHaError(
            f"{file} can't be read", details=("expected  certificates in PEM", f"found     {error}")
        ) from error


def _side_by_side(ask: Callable[[_Asked], _Answer], asked: Iterable[_Asked]) -> tuple[_Answer, ...]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return tuple(pool.map(ask, asked))


def _cluster_of(endpoints: Sequence[Endpoint]) -> str:
    """The cluster to which most members belong."""
    clusters = Counter(one.status.cluster for one in endpoints if one.status)
    return clusters.most_common(1)[0][0] if clusters else ""


def _members_of(endpoints: Sequence[Endpoint], cluster: str) -> tuple[Member, ...] | None:
    """As reported by a member with a quorum, or else by any."""
    telling = [one for one in endpoints if one.status and one.status.cluster == cluster and one.members]
    telling.sort(key=lambda one: not one.healthy)
    return telling[0].members if telling else None


def _look_at_peer(url: str, expected: Expected) -> Peer:
    try:
        place = place_of(url)
        shown = presented(place, expected.bound)
        if shown is None:
            return Peer(url, None)
        complaint = chain_at(place, expected.peer_authority, expected.bound)
        return Peer(url, parse(shown.certificate), shown.demands, complaint=complaint)
    except (NotDer, EtcdHaError) as error:
        return Peer(url, None, unread=str(error))


def _steps(
    endpoints: Sequence[Endpoint], cluster: str, expected: Expected, context: ssl.SSLContext
) -> tuple[Step, ...]:
    urls = dict[str, str]()
    for one in endpoints:
        if one.healthy and one.status and one.status.cluster == cluster and not one.status.is_learner:
            urls.setdefault(one.status.id, one.url)
    if not urls:
        return ()
    return go_round(list(urls.values()), expected.identity, context, expected.bound)
