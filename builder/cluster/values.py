"""Values of cluster.yaml that are more than text. Each raises MalformedCluster."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from builder.cluster.document import MalformedCluster, Text
from builder.cluster.keys import NAME, PATH
from builder.cluster.model import Address, Network

# As the package has them: the system's own, what the unit's sandbox hides, and what the purge of Debian's
# etcd-server deletes.
_NO_DATA = (
    *(
        "bin",
        "boot",
        "dev",
        "etc",
        "home",
        "lib",
        "lib64",
        "proc",
        "root",
        "run",
        "sbin",
        "sys",
        "tmp",
        "usr",
    ),
    *("var/lib/etcd", "var/run", "var/tmp"),
)
_LABEL = NAME.strip("^$")
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")


def matching(value: Text, pattern: str, name: str, expected: str) -> str:
    if not re.fullmatch(pattern, value.text, re.ASCII):
        raise value.refused(f"invalid {name}", expected=expected)
    return value.text


def address(value: Text) -> Address:
    expected = "an IPv4 or IPv6 address of this node"
    try:
        address = ipaddress.ip_address(value.text)
    except ValueError as error:
        raise value.refused(
            "not an IP address",
            expected=f"{expected}; etcd does not listen on host names",
            hint="getent ahosts NAME shows the addresses of a name",
        ) from error
    reasons = {
        "a loopback address, which other nodes can't reach": address.is_loopback,
        "the address of all interfaces, not of one node": address.is_unspecified,
        "a multicast address": address.is_multicast,
        "a link-local address, which needs an interface name to be reached": address.is_link_local,
        "an IPv4-mapped IPv6 address": isinstance(address, ipaddress.IPv6Address)
        and (address.ipv4_mapped is not None or address.scope_id is not None),
        "the broadcast address": str(address) == "255.255.255.255",
    }
    for reason, holds in reasons.items():
        if holds:
            raise value.refused(reason, expected=expected, hint="ip -brief address shows those of a node")
    return address


def alternative_name(value: Text) -> str:
    try:
        return str(ipaddress.ip_address(value.text))
    except ValueError:
        # What is digits and dots alone would be a name that no certificate is checked for.
        if _HOST.fullmatch(value.text) and not re.fullmatch("[0-9.]+", value.text):
            return value.text
    raise value.refused("neither a host name nor an address", expected="such as pg1.example.org or 192.0.2.1")


def data_dir(value: Text) -> str:
    path = matching(value, PATH, "data-dir", "an absolute path of letters, digits and . / _ + @ : -")
    inside = any(f"{path}/".startswith(f"/{folder}/") for folder in _NO_DATA)
    if inside or path in ("/var", "/var/lib") or "/./" in f"{path}/" or "/../" in f"{path}/":
        raise value.refused(
            "unsuitable data directory",
            expected="a dedicated directory, outside system directories and /var/lib/etcd",
            hint="data-dir: /var/lib/etcd-ha",
        )
    return path


def url(value: Text) -> str:
    if "@" in value.text:
        raise MalformedCluster(
            value.place,
            "the URL has credentials",
            expected="a URL that anyone may read",
            found="a user or password before '@', which is not shown",
            hint="put them in /etc/apt/auth.conf.d on each node: apt_auth.conf(5)",
        )
    try:
        parts = urlsplit(value.text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not re.fullmatch(r"[!-~]+", value.text) or "?" in value.text or "#" in value.text:
        raise value.refused("invalid URL", expected="http:// or https://, a host, and a path if there is one")
    return value.text.rstrip("/")


def network(value: Text) -> Network:
    try:
        if "/" not in value.text:
            raise ValueError("no prefix length")
        return ipaddress.ip_network(value.text)
    except ValueError as error:
        raise value.refused(
            "not a network", expected="an address and a prefix length, without host bits: 192.168.6.0/24"
        ) from error
