"""X.509 certificates (RFC 5280): the parts that decide whether peers and clients accept one."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from etcd_ha import der
from etcd_ha.der import NotDer

# Days; a certificate with fewer days left is reported.
SOON = 30
SERVER, CLIENT, ANY = "serverAuth", "clientAuth", "anyExtendedKeyUsage"
_USAGES = {"1.3.6.1.5.5.7.3.1": SERVER, "1.3.6.1.5.5.7.3.2": CLIENT, "2.5.29.37.0": ANY}
_COMMON_NAME = "2.5.4.3"
_ALTERNATIVE_NAMES, _EXTENDED_USAGES = "2.5.29.17", "2.5.29.37"
# The subject of what auto-tls makes: the organization etcd (client/pkg/transport/listener.go of etcd).
_AUTO_TLS = bytes.fromhex("300f310d300b060355040a1304") + b"etcd"
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s(.*?)-----END CERTIFICATE-----", re.DOTALL)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Certificate:
    """The content of a certificate.

    subject, issuer: in DER, to compare. common_name: of the subject. usages: None where
    it is not limited to any.
    """

    subject: bytes
    common_name: str | None
    issuer: bytes
    issuer_name: str
    not_before: datetime
    not_after: datetime
    usages: frozenset[str] | None
    names: tuple[str, ...]
    addresses: tuple[Address, ...]

    def may(self, usage: str) -> bool:
        """Whether it may be used for serverAuth or clientAuth."""
        return self.usages is None or bool(self.usages & {usage, ANY})

    def carries(self, host: str) -> bool:
        """Whether it is valid for the host by Go's rules: never by the common name."""
        try:
            return ipaddress.ip_address(host) in self.addresses
        except ValueError:
            return any(matches(name, host) for name in self.names)

    @property
    def is_auto_tls(self) -> bool:
        """Whether etcd made it for itself, by auto-tls."""
        return self.subject == self.issuer == _AUTO_TLS

    @property
    def hosts(self) -> str:
        """The names and addresses that it contains, as text."""
        return ", ".join([*self.names, *map(str, self.addresses)]) or "none"


def parse(data: bytes) -> Certificate:
    """A certificate in DER. Raises NotDer."""
    signed, _algorithm, signature = _exactly(3, der.elements(der.only(data, der.SEQUENCE)))
    der.content(signature, der.BIT_STRING)
    fields = der.elements(der.content(signed, der.SEQUENCE))
    # Version 1 has no version, and no extensions.
    if fields and fields[0].tag == 0xA0:
        fields = fields[1:]
    if len(fields) < 6:
        raise NotDer("a certificate with fewer than six fields")
    _serial, _algorithm, issuer, validity, subject, _key, *optional = fields
    begin, end = _exactly(2, der.elements(der.content(validity, der.SEQUENCE)))
    extensions = _extensions(optional)
    alternatives = der.elements(der.only(extensions.get(_ALTERNATIVE_NAMES, b"\x30\x00"), der.SEQUENCE))
    usages = extensions.get(_EXTENDED_USAGES)
    return Certificate(
        subject=subject.whole,
        common_name=_parts(subject).get(_COMMON_NAME),
        issuer=issuer.whole,
        issuer_name=_shown(issuer),
        not_before=der.time(begin),
        not_after=der.time(end),
        usages=None if usages is None else _usages(usages),
        names=tuple(_ascii(one.content) for one in alternatives if one.tag == _DNS_NAME),
        addresses=tuple(_address(one.content) for one in alternatives if one.tag == _IP_ADDRESS),
    )


def parse_pem(text: str) -> tuple[Certificate, ...]:
    """The certificates in a PEM file, in their order; text between them is ignored. Raises NotDer."""
    found = []
    for block in _PEM.findall(text):
        try:
            found.append(parse(base64.b64decode("".join(block.split()), validate=True)))
        except binascii.Error as error:
            raise NotDer("a block that is not base64") from error
    return tuple(found)


def _shown(name: der.Element) -> str:
    """As text: the common name, or else the first part."""
    parts = _parts(name)
    return parts.get(_COMMON_NAME) or next(iter(parts.values()), "without a name")


def _parts(name: der.Element) -> dict[str, str]:
    """The first value of each attribute, by its object identifier."""
    parts = dict[str, str]()
    for group in der.elements(der.content(name, der.SEQUENCE)):
        for pair in der.elements(der.content(group, der.SET)):
            kind, value = _exactly(2, der.elements(der.content(pair, der.SEQUENCE)))
            parts.setdefault(der.object_id(der.content(kind, der.OBJECT_ID)), der.text(value))
    return parts


def _extensions(optional: Iterable[der.Element]) -> dict[str, bytes]:
    found = dict[str, bytes]()
    for element in optional:
        if element.tag != 0xA3:
            continue
        for extension in der.elements(der.only(element.content, der.SEQUENCE)):
            parts = der.elements(der.content(extension, der.SEQUENCE))
            if len(parts) not in (2, 3):
                raise NotDer(f"an extension of {len(parts)} parts")
            key = der.object_id(der.content(parts[0], der.OBJECT_ID))
            if key in found:
                raise NotDer(f"two extensions {key}")
            found[key] = der.content(parts[-1], der.OCTET_STRING)
    return found


def _usages(value: bytes) -> frozenset[str]:
    names = [
        der.object_id(der.content(one, der.OBJECT_ID)) for one in der.elements(der.only(value, der.SEQUENCE))
    ]
    return frozenset(_USAGES.get(name, name) for name in names)


def _ascii(data: bytes) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError as error:
        raise NotDer("a host name that is not ASCII") from error


def _address(data: bytes) -> Address:
    try:
        return ipaddress.ip_address(data)
    except ValueError as error:
        raise NotDer("an address of neither 4 nor 16 bytes") from error


def _exactly(count: int, found: list[der.Element]) -> list[der.Element]:
    if len(found) != count:
        raise NotDer(f"{len(found)} elements where {count} are expected")
    return found


def matches(pattern: str, host: str) -> bool:
    """Whether a name of a certificate matches the host. A star is the whole first label (RFC 6125, 6.4.3)."""
    pattern, host = pattern.rstrip(".").lower(), host.rstrip(".").lower()
    first, _, rest = host.partition(".")
    return pattern == host or (pattern.startswith("*.") and bool(first) and pattern[2:] == rest != "")
