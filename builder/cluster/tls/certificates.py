"""Keys, certificates and requests, and their PEM. Opens no file, and names no key in a message.

Needs nothing that cryptography 38 (Debian 12) does not have.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from builder.errors import EtcdDebError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

# The clock of a node may be behind that of the machine that signs.
BACKDATED = timedelta(hours=1)
# RFC 5280, upper bound of a common name.
LONGEST_NAME = 64
_PEM = re.compile(
    rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----.*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----",
    re.DOTALL,
)


class Unusable(EtcdDebError):
    """A key or a certificate that can't be read for certain."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate is for. hosts: none where it is no server's. attribute: that of the name.

    With authentication on, etcd's gateway refuses clients whose certificate has a common name
    (server/embed/serve.go of etcd).
    """

    name: str
    hosts: tuple[str, ...] = ()
    attribute: x509.ObjectIdentifier = NameOID.COMMON_NAME

    @property
    def distinguished_name(self) -> x509.Name:
        """The subject of its certificate."""
        return x509.Name([x509.NameAttribute(self.attribute, self.name)])

    @property
    def usages(self) -> tuple[x509.ObjectIdentifier, ...]:
        """etcd's gateway dials etcd with the server's certificate, so that is a client's too (etcd 16590)."""
        client = ExtendedKeyUsageOID.CLIENT_AUTH
        return (ExtendedKeyUsageOID.SERVER_AUTH, client) if self.hosts else (client,)


@dataclass(frozen=True, slots=True)
class Signer:
    """A CA that can sign."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes


def new_key() -> ec.EllipticCurvePrivateKey:
    """ECDSA P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def key_as_pem(key: CertificateIssuerPrivateKeyTypes) -> bytes:
    """PKCS 8 without a passphrase, which etcd and Patroni could not ask for."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def as_pem(found: x509.Certificate | x509.CertificateSigningRequest) -> bytes:
    """The PEM of one certificate or request."""
    return found.public_bytes(serialization.Encoding.PEM)


def read_key(content: bytes, name: str) -> CertificateIssuerPrivateKeyTypes:
    """Raises Unusable, also for a passphrase. name: of the file."""
    hint = f"to have a new one made, move {name} away"
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except TypeError as error:
        raise Unusable(
            f"{name} has a passphrase",
            details=(
                "expected  a key without one: neither etcd nor Patroni can ask for it",
                "found     an encrypted key",
            ),
            hint=f"openssl pkey -in {name} -out {name}.plain && mv {name}.plain {name}",
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Unusable(
            f"{name} is not a private key", details=("expected  PEM", "found     something else"), hint=hint
        ) from error
    if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        return key
    raise Unusable(
        f"{name} is a key that TLS can't use",
        details=("expected  an EC, RSA or Ed25519 key", f"found     {type(key).__name__}"),
        hint=hint,
    )


def read_certificates(content: bytes, name: str) -> tuple[x509.Certificate, ...]:
    """All of a PEM file, in its order; at least one. Raises Unusable. name: of the file."""
    try:
        found = tuple(x509.load_pem_x509_certificate(part) for part in _PEM.findall(content))
        for certificate in found:
            # Read when they are asked for; here whoever names the file can say what is wrong with it.
            _ = certificate.extensions, certificate.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise Unusable(
            f"can't read a certificate in {name}",
            details=("expected  X.509 in PEM", f"found     {error}"),
            hint=f"openssl x509 -in {name} -noout -text",
        ) from error
    if not found:
        raise Unusable(
            f"{name} has no certificate",
            details=(
                "expected  PEM with BEGIN CERTIFICATE",
                f"found     {len(content)} bytes of something else",
            ),
            hint=f"to convert DER to PEM: openssl x509 -inform DER -in {name}",
        )
    return found


def public_bytes(of: x509.Certificate | CertificateIssuerPrivateKeyTypes) -> bytes:
    """What a key and its certificate share."""
    return of.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def begins(certificate: x509.Certificate) -> datetime:
    """In UTC."""
    try:
        return certificate.not_valid_before_utc
    except AttributeError:
        # cryptography before 42.
        return certificate.not_valid_before.replace(tzinfo=UTC)


def ends(certificate: x509.Certificate) -> datetime:
    """In UTC."""
    try:
        return certificate.not_valid_after_utc
    except AttributeError:
        return certificate.not_valid_after.replace(tzinfo=UTC)


def new_authority(key: ec.EllipticCurvePrivateKey, title: str, days: int, now: datetime) -> x509.Certificate:
    """A CA of its own, which signs leaves alone. title: its readable name; a part of its key is added."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # Two CAs of a cluster have two names, so that no verifier tries the wrong one.
    ending = f" etcd CA {identifier.digest.hex()[:8]}"
    name = Subject(title[: LONGEST_NAME - len(ending)] + ending).distinguished_name
    usage = {"key_cert_sign": True, "crl_sign": True}
    return (
        _builder(name, name, key, now, now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(**usage), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def issue(
    signer: Signer, subject: Subject, key: CertificateIssuerPrivateKeyTypes, days: int, now: datetime
) -> x509.Certificate:
    """A certificate that ends after so many days, or with its CA."""
    end = min(now + timedelta(days=days), ends(signer.certificate))
    builder = _builder(subject.distinguished_name, signer.certificate.subject, key, now, end)
    for extension, critical in _extensions(subject):
        builder = builder.add_extension(extension, critical=critical)
    identifier = signer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
        .sign(signer.key, _digest(signer.key))
    )


def request(subject: Subject, key: CertificateIssuerPrivateKeyTypes) -> x509.CertificateSigningRequest:
    """What another CA is asked for."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject.distinguished_name)
    for extension, critical in _extensions(subject):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key, _digest(key))


def _digest(key: CertificateIssuerPrivateKeyTypes) -> hashes.SHA256 | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: CertificateIssuerPrivateKeyTypes,
    now: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(end)
    )


def _extensions(subject: Subject) -> Sequence[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(digital_signature=True), True),
        (x509.ExtendedKeyUsage(subject.usages), False),
    ]
    if subject.hosts:
        found.append((x509.SubjectAlternativeName([general_name(host) for host in subject.hosts]), False))
    return found


def general_name(host: str) -> x509.GeneralName:
    """An address as an address: Go and others look for it nowhere else."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
