"""Faults of certificates, by the rules of Go's TLS and etcd."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from etcd_ha.certificate import CLIENT, SERVER, Certificate
from etcd_ha.connection import Refusal
from etcd_ha.endpoint import Endpoint
from etcd_ha.expected import Expected
from etcd_ha.finding import Finding, Gap, Judgement
from etcd_ha.look import Look, machine_of

VALID = "a certificate that is valid now"
# OpenSSL's errors about a chain that come from the certificate itself, which other findings explain better.
OWN_FAULTS = ("expired", "not yet valid", "mismatch", "purpose")


@dataclass(frozen=True, slots=True)
class _Seen:
    """A certificate and its place: presented by a member at a URL, or in a file of this machine."""

    certificate: Certificate
    where: str
    host: str = ""


def certificate_faults(look: Look, expected: Expected) -> Iterator[Judgement]:
    """Faults at each client and peer URL, and of the files that were used."""
    for endpoint in look.endpoints:
        url = endpoint.url
        if endpoint.unread_certificate:
            yield Gap(f"the certificate of {url}", endpoint.unread_certificate)
        if endpoint.certificate:
            seen = _at_url(endpoint.certificate, url, machine_of(url, look, expected))
            yield from _of_server(seen, endpoint.wants_certificates, look, expected, _complaint(endpoint))
    for member in look.members or ():
        for peer in (one for one in look.peers if one.url in member.peer_urls):
            if peer.certificate is None:
                yield Gap(f"the certificate of {peer.url}", peer.unread or "no TLS server answered there")
            else:
                seen = _at_url(peer.certificate, peer.url, member.shown)
                yield from _of_server(seen, peer.wants_certificates, look, expected)
    for certificate in look.authorities:
        yield from _dates(_Seen(certificate, f"CA file {expected.identity.authority}"), look, expected)
    for certificate in look.own[:1]:
        seen = _Seen(certificate, f"file {expected.identity.certificate}")
        yield from _dates(seen, look, expected)
        if not certificate.may(CLIENT):
            yield _usage(seen, CLIENT, "members require it of a client", expected)


def _at_url(certificate: Certificate, url: str, machine: str) -> _Seen:
    return _Seen(certificate, f"{machine} ({url})", urlsplit(url).hostname or "")


def _complaint(endpoint: Endpoint) -> str:
    refused = endpoint.refused
    return refused.reason if refused and refused.refusal is Refusal.SERVER_CERTIFICATE else ""


def _of_server(
    seen: _Seen, wants_certificates: bool, look: Look, expected: Expected, complaint: str = ""
) -> Iterator[Finding]:
    certificate = seen.certificate
    found = list(_dates(seen, look, expected))
    if not certificate.may(SERVER):
        found.append(_usage(seen, SERVER, "clients and members require it of a server", expected))
    if wants_certificates and not certificate.may(CLIENT):
        why = "with client-cert-auth on, etcd presents it as a client, to its own gateway or to other members"
        found.append(_usage(seen, CLIENT, why, expected))
    if not certificate.carries(seen.host):
        wanted, carried = f"a certificate for {seen.host}", f"one for {certificate.hosts}"
        found.append(Finding("certificate-name", seen.where, wanted, carried, *expected.renew))
    yield from found
    if complaint and not (found and any(word in complaint for word in OWN_FAULTS)):
        wanted = f"a chain to {expected.identity.authority or 'a CA of this machine'}"
        issuer = f"{complaint}; issued by {certificate.issuer_name}{_stranger(certificate, look.authorities)}"
        # Without a given CA, the member may not be at fault.
        command = expected.renew if expected.identity.authority else expected.present
        yield Finding("certificate-chain", seen.where, wanted, issuer, *command)


def _stranger(certificate: Certificate, authorities: Sequence[Certificate]) -> str:
    if certificate.issuer in [one.subject for one in authorities]:
        return ", and the CA with that name in that file has another key"
    return ", which is not in that file" if authorities else ""


def _dates(seen: _Seen, look: Look, expected: Expected) -> Iterator[Finding]:
    begin, end = seen.certificate.not_before, seen.certificate.not_after
    ends, command = f"{end:%F %R} UTC", expected.renew
    if look.at > end:
        yield Finding("certificate-expired", seen.where, VALID, f"it expired on {ends}", *command)
    elif look.at < begin:
        found = f"it is valid from {begin:%F %R} UTC"
        yield Finding("certificate-not-yet-valid", seen.where, VALID, found, *command)
    elif end - look.at < timedelta(days=expected.days):
        wanted = f"a certificate that is valid for {expected.days} days or more"
        yield Finding("certificate-ends-soon", seen.where, wanted, f"it expires on {ends}", *command)


def _usage(seen: _Seen, usage: str, why: str, expected: Expected) -> Finding:
    found = ", ".join(sorted(seen.certificate.usages or ())) or "none"
    wanted = f"{usage} among its usages: {why}"
    return Finding("certificate-usage", seen.where, wanted, found, *expected.renew)
