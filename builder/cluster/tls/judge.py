"""Whether a certificate serves its purpose, as crypto/x509 and crypto/tls of Go judge it, and so etcd.

Read in crypto/x509/verify.go: names are those of the subjectAltName alone; each certificate of a chain that
has extended key usages must have the one that is wanted; a CA must say that it is one.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID
from etcd_ha.certificate import matches

from builder.cluster.tls.certificates import Subject, begins, ends

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)
# Go refuses them: insecureAlgorithmError since 1.18.
_WEAK = (hashes.MD5, hashes.SHA1)
# Longer chains than those of any CA, so that a heap of certificates takes no time.
_LONGEST_CHAIN = 10
_NAMES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
}


def faults(
    chain: Sequence[x509.Certificate],
    trusted: Sequence[x509.Certificate],
    subject: Subject,
    now: datetime,
) -> tuple[str, ...]:
    """Why the first of the chain, sent with the others, is refused where those are trusted."""
    leaf = chain[0]
    return (
        *_names_missing(leaf, subject.hosts),
        *_own_faults(leaf, subject.usages, now),
        *_chain_faults(leaf, chain[1:], trusted, subject.usages, now),
    )


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the key of the issuer has signed it. One that can't be checked here counts as no."""
    if certificate.issuer != issuer.subject:
        return False
    key, signature, signed = issuer.public_key(), certificate.signature, certificate.tbs_certificate_bytes
    try:
        digest = certificate.signature_hash_algorithm
        if isinstance(key, ec.EllipticCurvePublicKey) and digest is not None:
            key.verify(signature, signed, ec.ECDSA(digest))
        elif isinstance(key, rsa.RSAPublicKey) and digest is not None:
            pss = certificate.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS
            scheme = padding.PSS(padding.MGF1(digest), padding.PSS.AUTO) if pss else padding.PKCS1v15()
            key.verify(signature, signed, scheme, digest)
        elif isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, signed)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _names_missing(leaf: x509.Certificate, hosts: Sequence[str]) -> Iterator[str]:
    found = _extension(leaf, x509.SubjectAlternativeName)
    names = found.get_values_for_type(x509.DNSName) if found else []
    addresses = found.get_values_for_type(x509.IPAddress) if found else []
    for host in hosts:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            if not any(matches(name, host) for name in names):
                yield f"the name {host} is not in its subjectAltName"
            continue
        if address not in addresses:
            as_name = (
                " as an address; it is there only as a name, which does not count" if host in names else ""
            )
            yield f"the address {host} is not in its subjectAltName{as_name}"


def _own_faults(
    certificate: x509.Certificate, usages: Sequence[x509.ObjectIdentifier], now: datetime
) -> Iterator[str]:
    """Of one certificate of a chain, by itself."""
    if now < begins(certificate):
        yield f"it is not valid before {begins(certificate):%Y-%m-%d %H:%M} UTC"
    if now > ends(certificate):
        yield f"it expired on {ends(certificate):%Y-%m-%d %H:%M} UTC"
    allowed = _extension(certificate, x509.ExtendedKeyUsage)
    if allowed is not None and ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE not in allowed:
        missing = [_NAMES[usage] for usage in usages if usage not in allowed]
        if missing:
            yield f"it lacks the extended key usage {' and '.join(missing)}"
    try:
        weak = isinstance(certificate.signature_hash_algorithm, _WEAK)
    except UnsupportedAlgorithm:
        yield "its signature has an algorithm that etcd-deb can't check"
    else:
        if weak:
            yield "it is signed with MD5 or SHA-1, which etcd refuses"
    for extension in certificate.extensions:
        if extension.critical and isinstance(extension.value, x509.UnrecognizedExtension):
            yield f"it has the critical extension {extension.oid.dotted_string}, which etcd does not know"


def _chain_faults(
    leaf: x509.Certificate,
    others: Sequence[x509.Certificate],
    trusted: Sequence[x509.Certificate],
    usages: Sequence[x509.ObjectIdentifier],
    now: datetime,
) -> tuple[str, ...]:
    if leaf in trusted:
        return ()
    found: tuple[str, ...] = (f"no trusted CA issued it: its issuer is {leaf.issuer.rfc4514_string()}",)
    for chain in _chains((leaf,), others, trusted):
        said = tuple(
            f"of its CA {issuer.subject.rfc4514_string()}: {fault}"
            for below, issuer in enumerate(chain[1:])
            for fault in (*_own_faults(issuer, usages, now), *_authority_faults(issuer, below))
        )
        if not said:
            return ()
        found = said
    return found


def _chains(
    chain: tuple[x509.Certificate, ...],
    others: Sequence[x509.Certificate],
    trusted: Sequence[x509.Certificate],
) -> Iterator[tuple[x509.Certificate, ...]]:
    for root in trusted:
        if root not in chain and issued_by(chain[-1], root):
            yield (*chain, root)
    if len(chain) < _LONGEST_CHAIN:
        for other in others:
            if other not in chain and other not in trusted and issued_by(chain[-1], other):
                yield from _chains((*chain, other), others, trusted)


def _authority_faults(issuer: x509.Certificate, below: int) -> Iterator[str]:
    """below: number of CAs between it and the leaf."""
    constraints = _extension(issuer, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        yield "it is not a CA according to its basicConstraints"
    elif constraints.path_length is not None and constraints.path_length < below:
        yield f"it allows {constraints.path_length} CAs below it, and has {below}"
    usage = _extension(issuer, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        yield "its key usage lacks keyCertSign"
    if _extension(issuer, x509.NameConstraints) is not None:
        yield "it has name constraints, which etcd-deb does not check; use openssl verify"


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
