"""Certificates and keys of a throw-away authority, right and wrong in ways that administrators have met."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
Usage = x509.ObjectIdentifier

SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
BOTH = (SERVER, CLIENT)
PASSPHRASE = "open sesame"  # noqa: S105


def new_key() -> Key:
    """On the curve P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def name(text: str) -> x509.Name:
    """A common name alone."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def pem(certificate: x509.Certificate) -> str:
    """Its PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_pem(key: Key, passphrase: str = "", *, traditional: bool = False) -> str:
    """PKCS #8, or the form of before; encrypted where a passphrase is given."""
    kind = (
        serialization.PrivateFormat.TraditionalOpenSSL if traditional else serialization.PrivateFormat.PKCS8
    )
    protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        protection = serialization.BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(serialization.Encoding.PEM, kind, protection).decode()


def alternative(host: str) -> x509.GeneralName:
    """A subject alternative name for an address or a name."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


@dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> str:
        """The certificate's."""
        return pem(self.certificate)

    @property
    def key_pem(self) -> str:
        """The key's, without a passphrase."""
        return key_pem(self.key)


class Authority:
    """A CA, or with `parent` an intermediate one."""

    def __init__(
        self,
        title: str = "Root",
        parent: Authority | None = None,
        *,
        is_ca: bool = True,
        usages: Sequence[Usage] = (),
        days: tuple[int, int] = (-10, 10),
    ) -> None:
        self.key = new_key()
        self.title = name(title)
        issuer = parent or self
        builder = _begin(self.title, issuer.title, self.key, days)
        builder = builder.add_extension(x509.BasicConstraints(is_ca, None), critical=True)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        self.certificate = builder.sign(issuer.key, hashes.SHA256())

    @property
    def pem(self) -> str:
        """Its certificate's."""
        return pem(self.certificate)

    def issue(
        self,
        *hosts: str,
        usages: Sequence[Usage] = BOTH,
        days: tuple[int, int] = (-1, 1),
        key: Key | None = None,
        signs: bool = False,
    ) -> Issued:
        """A certificate for hosts, valid `days` from and to now; `signs`: key usage keyCertSign alone."""
        key = key or new_key()
        builder = _begin(name("node"), self.title, key, days)
        if hosts:
            names = x509.SubjectAlternativeName([alternative(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if signs:
            flags = dict.fromkeys(
                ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
                 "key_agreement", "crl_sign", "encipher_only", "decipher_only"), False,
            )  # fmt: skip
            builder = builder.add_extension(x509.KeyUsage(key_cert_sign=True, **flags), critical=False)
        return Issued(builder.sign(self.key, hashes.SHA256()), key)


def _begin(subject: x509.Name, issuer: x509.Name, key: Key, days: tuple[int, int]) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )
