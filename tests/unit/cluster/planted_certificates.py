"""Chains of certificates, each with one fault, and what of it the judge names. Go judges the same ones."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from builder.cluster.tls.certificates import Subject, new_key

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
HOSTS = ("pg1", "192.0.2.1")
MEMBER = Subject("pg1", HOSTS)
CLIENT = Subject("patroni")
SERVER_AUTH, CLIENT_AUTH = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
BOTH = (SERVER_AUTH, CLIENT_AUTH)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Made:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key


def made(
    name: str,
    by: Made | None = None,
    *,
    ca: bool = True,
    says_ca: bool = True,
    path_length: int | None = None,
    signs: bool = True,
    usages: Sequence[x509.ObjectIdentifier] = (),
    names: Sequence[str] = (),
    addresses: Sequence[str] = (),
    begin: datetime = NOW - DAY,
    end: datetime = NOW + 30 * DAY,
    key: Key | None = None,
    unknown: bool = False,
) -> Made:
    """by: its issuer; signed by itself without one."""
    own = key or new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
    )
    if says_ca:
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length if ca else None), critical=True)
    if ca:
        usage = x509.KeyUsage(not signs, False, False, False, False, signs, False, False, False)
        builder = builder.add_extension(usage, critical=True)
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if names or addresses:
        general = [x509.DNSName(name) for name in names]
        numbers = [x509.IPAddress(ipaddress.ip_address(text)) for text in addresses]
        builder = builder.add_extension(x509.SubjectAlternativeName([*general, *numbers]), critical=False)
    if unknown:
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")
        builder = builder.add_extension(extension, critical=True)
    return Made(builder.sign((by.key if by else own), hashes.SHA256()), own)


@dataclass(frozen=True)
class Case:
    """chain: as a file has it; fault: a part of what is said, empty where it serves."""

    chain: tuple[Made, ...]
    trusted: tuple[Made, ...]
    subject: Subject
    fault: str


def cases() -> dict[str, Case]:
    root = made("root")
    middle = made("middle", root)
    leaf = {"ca": False, "usages": BOTH, "names": ["pg1"], "addresses": ["192.0.2.1"]}

    def case(
        fault: str, *chain: Made, trusted: tuple[Made, ...] = (root,), subject: Subject = MEMBER
    ) -> Case:
        return Case(chain, trusted, subject, fault)

    def member(by: Made = root, **changes: object) -> Made:
        return made("pg1", by, **{**leaf, **changes})  # type: ignore[arg-type]  # each is one of made()'s

    narrow = made("narrow", root, usages=[SERVER_AUTH])
    wide = made("wide", root, usages=BOTH)
    narrow_root = made("narrow root", usages=[SERVER_AUTH])
    short = made("short", root, path_length=0)
    below_short = made("below", short)
    no_ca = made("no ca", root, ca=False)
    silent = made("silent", root, says_ca=False)
    no_sign = made("no sign", root, signs=False)
    old_root = made("old root", end=NOW - DAY / 2)
    old_middle = made("old middle", root, end=NOW - DAY / 2)
    rsa_root = made("rsa root", key=rsa.generate_private_key(65537, 2048))
    return {
        "signed by the root": case("", member()),
        "signed below an intermediate": case("", member(middle), middle),
        "an intermediate that nobody sends": case("no trusted CA", member(middle)),
        "an intermediate that is trusted itself": case("", member(middle), trusted=(middle,)),
        "signed with RSA": case("", member(rsa_root), trusted=(rsa_root,)),
        "one of two that are trusted": case("", member(), trusted=(rsa_root, root)),
        "another root of the same name": case("no trusted CA", member(), trusted=(made("root"),)),
        "without the address": case("the address 192.0.2.1 is not", member(addresses=[])),
        "with the address as a name": case(
            "the address 192.0.2.1 is not", member(names=["pg1", "192.0.2.1"], addresses=[])
        ),
        "with another address": case("the address 192.0.2.1 is not", member(addresses=["192.0.2.2"])),
        "without the name": case("the name pg1 is not", member(names=[])),
        "with the name in the subject alone": case("is not in its", member(names=[], addresses=[])),
        "with the name in capitals": case("", member(names=["PG1"])),
        "with a star for all of the name": case("the name pg1 is not", member(names=["*"])),
        "with a star for the first label": case(
            "",
            member(names=["*.example.org"]),
            subject=Subject("pg1", ("pg1.example.org", "192.0.2.1")),
        ),
        "with a star for two labels": case(
            "the name a.pg1.example.org is not",
            member(names=["*.example.org"]),
            subject=Subject("pg1", ("a.pg1.example.org", "192.0.2.1")),
        ),
        "for servers alone": case("lacks the extended key usage clientAuth", member(usages=[SERVER_AUTH])),
        "for clients alone": case("lacks the extended key usage serverAuth", member(usages=[CLIENT_AUTH])),
        "for clients alone, and a client": case("", member(usages=[CLIENT_AUTH]), subject=CLIENT),
        "for servers alone, and a client": case(
            "lacks the extended key usage clientAuth", member(usages=[SERVER_AUTH]), subject=CLIENT
        ),
        "for anything": case("", member(usages=[ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])),
        "without a word on usages": case("", member(usages=[])),
        "below a CA for servers alone": case("narrow: it lacks", member(narrow), narrow),
        "below a CA for both": case("", member(wide), wide),
        "below a root for servers alone": case(
            "narrow root: it lacks", member(narrow_root), trusted=(narrow_root,)
        ),
        "expired": case("it expired on", member(end=NOW - DAY / 2)),
        "not yet valid": case("it is not valid before", member(begin=NOW + DAY)),
        "below an expired CA": case("it expired on", member(old_middle), old_middle),
        "below an expired root": case("it expired on", member(old_root), trusted=(old_root,)),
        "below a CA that may have none below it": case("", member(short), short),
        "below two CAs where one is allowed": case(
            "allows 0 CAs below it", member(below_short), below_short, short
        ),
        "below what says that it is not a CA": case("it is not a CA", member(no_ca), no_ca),
        "below what does not say that it is a CA": case("it is not a CA", member(silent), silent),
        "below a CA that may not sign": case("keyCertSign", member(no_sign), no_sign),
        "with a critical extension that nobody knows": case("critical extension", member(unknown=True)),
        "trusted itself": (lambda own: case("", own, trusted=(own,)))(member()),
    }
