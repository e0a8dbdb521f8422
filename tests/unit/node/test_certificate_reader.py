"""The reader of certificates of the node's Python, against those that cryptography makes and reads."""

from __future__ import annotations

import ipaddress
import random
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from etcd_ha import der
from etcd_ha.certificate import CLIENT, SERVER, Certificate, parse, parse_pem
from etcd_ha.der import NotDer
from hypothesis import given, settings
from hypothesis import strategies as st

KEY = ec.generate_private_key(ec.SECP256R1())
DAY = datetime(2026, 11, 27, 12, 30, 59, tzinfo=UTC)
USAGES = {SERVER: ExtendedKeyUsageOID.SERVER_AUTH, CLIENT: ExtendedKeyUsageOID.CLIENT_AUTH}


def made(
    *hosts: str,
    usages: tuple[str, ...] | None = None,
    begin: datetime = DAY,
    end: datetime = DAY + timedelta(days=365),
    issuer: str = "a CA",
) -> bytes:
    """A certificate in DER."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pg1")]))
        .issuer_name(
            x509.Name(
                [
                    x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Übung GmbH"),
                    x509.NameAttribute(NameOID.COMMON_NAME, issuer),
                ]
            )
        )
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(begin.replace(tzinfo=None))
        .not_valid_after(end.replace(tzinfo=None))
    )
    if hosts:
        names = x509.SubjectAlternativeName([general(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    if usages is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([USAGES[one] for one in usages]), critical=True)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def test_all_that_decides_is_read_as_it_was_written() -> None:
    read = parse(made("pg1", "pg1.example.org", "192.0.2.1", "2001:db8::1", usages=(SERVER, CLIENT)))
    assert read.names == ("pg1", "pg1.example.org")
    assert read.addresses == (ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("2001:db8::1"))
    assert read.usages == frozenset({SERVER, CLIENT})
    assert (read.not_before, read.not_after) == (DAY, DAY + timedelta(days=365))
    assert read.issuer_name == "a CA"
    assert read.common_name == "pg1"


@pytest.mark.parametrize("year", [1950, 1999, 2000, 2049, 2050, 9999])
def test_times_of_both_kinds_are_read(year: int) -> None:
    begin = datetime(1950, 1, 1, tzinfo=UTC)
    end = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert parse(made(begin=begin, end=end)).not_after == end


def test_a_certificate_without_a_list_of_usages_may_all() -> None:
    assert parse(made()).may(CLIENT)
    assert not parse(made(usages=(SERVER,))).may(CLIENT)


@pytest.mark.parametrize(
    ("names", "host", "carried"),
    [
        (("pg1.example.org",), "PG1.example.org", True),
        (("*.example.org",), "pg1.example.org", True),
        (("*.example.org",), "a.pg1.example.org", False),
        (("*.example.org",), "example.org", False),
        (("192.0.2.1",), "192.0.2.1", True),
        (("2001:db8::1",), "2001:db8:0::0:1", True),
        (("pg1",), "192.0.2.1", False),
        ((), "pg1", False),
    ],
)
def test_hosts_are_matched_as_gos_tls_does_and_the_common_name_never(
    names: tuple[str, ...], host: str, carried: bool
) -> None:
    assert parse(made(*names)).carries(host) is carried


def test_each_certificate_of_a_file_is_read_and_what_stands_between_them_is_not() -> None:
    first, second = (x509.load_der_x509_certificate(made(issuer=name)) for name in ("one", "two"))
    blocks = [one.public_bytes(serialization.Encoding.PEM).decode() for one in (first, second)]
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    read = parse_pem(f"subject=pg1\n{blocks[0]}{key.decode()}\n{blocks[1]}")
    assert [one.issuer_name for one in read] == ["one", "two"]
    with pytest.raises(NotDer):
        parse_pem(blocks[0].replace("MI", "*I", 1))


def test_what_is_cut_off_anywhere_is_no_certificate() -> None:
    whole = made("pg1", "192.0.2.1", usages=(SERVER,))
    for length in range(len(whole)):
        with pytest.raises(NotDer):
            parse(whole[:length])
    with pytest.raises(NotDer):
        parse(whole + b"\x00")


def test_a_byte_that_was_changed_raises_nothing_else() -> None:
    whole, chance = made("pg1", "192.0.2.1", usages=(SERVER, CLIENT)), random.Random(1)  # noqa: S311
    for _ in range(3000):
        at, changed = chance.randrange(len(whole)), bytearray(whole)
        changed[at] ^= 1 << chance.randrange(8)
        assert isinstance(parsed(bytes(changed)), Certificate | None)


def parsed(data: bytes) -> Certificate | None:
    try:
        return parse(data)
    except NotDer:
        return None


@settings(max_examples=300)
@given(st.binary(max_size=60))
def test_bytes_of_any_kind_are_read_whole_or_refused(data: bytes) -> None:
    try:
        found = der.elements(data)
    except NotDer:
        return
    assert b"".join(one.whole for one in found) == data


@pytest.mark.parametrize(
    "data",
    [
        b"\x30",
        b"\x30\x01",
        b"\x30\x80\x00\x00",
        b"\x30\x81\x01\x00",
        b"\x30\x82\x00\x81" + b"\x00" * 129,
        b"\x30\x85\x00\x00\x00\x00\x01\x00",
        b"\x3f\x81\x01\x00",
    ],
    ids=["tag", "too-short", "indefinite", "long-form", "leading-zero", "five-bytes", "long-tag"],
)
def test_what_is_ber_and_not_der_is_refused(data: bytes) -> None:
    with pytest.raises(NotDer):
        der.elements(data)
