"""Faults of certificates, by the rules of Go's TLS and etcd."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from etcd_ha.certificate import CLIENT, SERVER, Certificate
from etcd_ha.check.expected import Expected
from etcd_ha.check.finding import Finding, Gap, Judgement
from etcd_ha.check.look import Look, machine_of
from etcd_ha.check.own_files import OwnFile
from etcd_ha.connection import Refusal
from etcd_ha.endpoint import Endpoint

AUTO_TLS = (
    "etcd-ha config set {0}.cert-file CERT && etcd-ha config set {0}.key-file KEY"
    " && etcd-ha config set {0}.auto-tls false && etcd-ha restart"
)
CLIENTS, PEERS = "client-transport-security", "peer-transport-security"
VALID = "a certificate that is valid now"
# OpenSSL's errors about a chain that come from the certificate itself, which other findings explain better.
OWN_FAULTS = ("expired", "not yet valid", "mismatch", "purpose")


@dataclass(frozen=True, slots=True)
class _Seen:
    """A certificate and its place: presented by a member at a URL, or in a file of this machine.

    on: the machine that presents it. section: of its etcd.yaml.
    """

    certificate: Certificate
    where: str
    host: str = ""
    on: str = ""
    section: str = CLIENTS


@dataclass(frozen=True, slots=True)
class _Chain:
    """Why a chain does not lead to the CA, or empty. authority: the file of the CA; known: what is in it."""

    complaint: str
    authority: str | None
    known: Sequence[Certificate]


def certificate_faults(look: Look, expected: Expected) -> Iterator[Judgement]:
    """Faults at each client and peer URL, and of the files that were used."""
    for endpoint in look.endpoints:
        url = endpoint.url
        if endpoint.unread_certificate:
            yield Gap(f"the certificate of {url}", endpoint.unread_certificate)
        if endpoint.certificate:
            seen = _at_url(endpoint.certificate, url, machine_of(url, look, expected), CLIENTS)
            chain = _Chain(_complaint(endpoint), expected.identity.authority, look.authorities)
            yield from _of_server(seen, endpoint.wants_certificates, look, expected, chain)
    for member in look.members or ():
        for peer in (one for one in look.peers if one.url in member.peer_urls):
            if peer.certificate is None:
                yield Gap(f"the certificate of {peer.url}", peer.unread or "no TLS server answered there")
            else:
                seen = _at_url(peer.certificate, peer.url, member.shown, PEERS)
                chain = _Chain(peer.complaint or "", expected.peer_authority, look.peer_authorities)
                yield from _of_server(seen, peer.wants_certificates, look, expected, chain)
                if peer.complaint is None:
                    yield Gap(f"who signed the certificate of {peer.url}", "no answer to another handshake")
    for file in look.files:
        yield from _of_file(file, look, expected)
    # Often the same file.
    files = {expected.peer_authority: look.peer_authorities, expected.identity.authority: look.authorities}
    for path, certificates in files.items():
        for certificate in certificates:
            yield from _dates(_Seen(certificate, f"CA file {path}"), look, expected)
    judged = [file.files.certificate for file in look.files if file.certificate]
    for certificate in look.own[:1]:
        if expected.identity.certificate in judged:
            continue
        seen = _Seen(certificate, f"file {expected.identity.certificate}")
        yield from _dates(seen, look, expected)
        if not certificate.may(CLIENT):
            yield _usage(seen, CLIENT, "members require it of a client", expected)


def _of_file(file: OwnFile, look: Look, expected: Expected) -> Iterator[Judgement]:
    files = file.files
    where = f"file {files.certificate}"
    if file.unread:
        yield Gap(f"the certificate in {files.certificate}", file.unread)
    if file.unusable:
        wanted, command = "a certificate and its key that etcd can use", "etcd-ha config lint"
        yield Finding("certificate-file", where, wanted, file.unusable, command, "this machine")
    if file.certificate is None:
        return
    for host in files.hosts:
        seen = _Seen(file.certificate, where, host, "this machine")
        chain = _Chain(file.complaint, files.authority, file.authorities)
        yield from _of_server(seen, files.is_client, look, expected, chain)


def _at_url(certificate: Certificate, url: str, machine: str, section: str) -> _Seen:
    return _Seen(certificate, f"{machine} ({url})", urlsplit(url).hostname or "", machine, section)


def _complaint(endpoint: Endpoint) -> str:
    refused = endpoint.refused
    return refused.reason if refused and refused.refusal is Refusal.SERVER_CERTIFICATE else ""


def _of_server(
    seen: _Seen, wants_certificates: bool, look: Look, expected: Expected, chain: _Chain
) -> Iterator[Finding]:
    certificate, complaint = seen.certificate, chain.complaint
    if certificate.is_auto_tls:
        yield _auto_tls(seen)
        return
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
        wanted = f"a chain to {chain.authority or 'a CA of this machine'}"
        issuer = f"{complaint}; issued by {certificate.issuer_name}{_stranger(certificate, chain.known)}"
        # Without a given CA, the member may not be at fault.
        command = expected.renew if chain.authority else expected.present
        yield Finding("certificate-chain", seen.where, wanted, issuer, *command)


def _auto_tls(seen: _Seen) -> Finding:
    wanted = "a certificate from a CA, so that others can verify the member"
    expires = f"{seen.certificate.not_after:%F}"
    found = f"one that auto-tls made; etcd will not renew it when it expires on {expires}"
    return Finding("auto-tls", seen.where, wanted, found, AUTO_TLS.format(seen.section), seen.on)


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
