"""The files and words that the check of a cluster is given, and can't use."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from etcd_ha.connection import Place, place_of
from etcd_ha.errors import EtcdHaError
from etcd_ha.identity import Identity, context_of, read_user


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    made = trustme.CA().issue_cert("client")
    certificate, key = tmp_path / "client.pem", tmp_path / "client.key"
    made.cert_chain_pems[0].write_to_path(str(certificate))
    made.private_key_pem.write_to_path(str(key))
    return certificate, key


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(pair: tuple[Path, Path]) -> None:
    certificate, key = pair
    plain = serialization.load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(
        plain.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(EtcdHaError) as refused:
        context_of(Identity(None, str(certificate), str(key)))
    assert "the key has a passphrase" in refused.value.render()
    assert "openssl" in refused.value.hint


def test_files_that_are_none_or_hold_something_else_are_named(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    certificate, key = pair
    for identity in (
        Identity(str(tmp_path / "absent.pem")),
        Identity(str(key)),
        Identity(None, str(certificate), str(certificate)),
        Identity(None, str(certificate), str(tmp_path / "absent.key")),
    ):
        with pytest.raises(EtcdHaError) as refused:
            context_of(identity)
        named = [path for path in (identity.authority, identity.key) if path]
        assert named[0] in refused.value.summary


@pytest.mark.parametrize("text", ["", "root", "root:\n", ":secret\n"])
def test_credentials_are_a_user_and_a_password(tmp_path: Path, text: str) -> None:
    file = tmp_path / "credentials"
    file.write_text(text)
    with pytest.raises(EtcdHaError) as refused:
        read_user(str(file))
    assert "secret" not in refused.value.render()
    file.write_text("root:a:b\nmore\n")
    assert read_user(str(file)) == "root:a:b"
    assert "a:b" not in repr(Identity(user="root:a:b"))


@pytest.mark.parametrize(
    "url",
    ["", "pg1:2379", "http://pg1", "https://:2379", "unix:///run/etcd", "http://pg1:x", "http://[::1:2379"],
)
def test_a_url_without_scheme_host_or_port_is_none(url: str) -> None:
    with pytest.raises(EtcdHaError):
        place_of(url)


def test_an_address_of_ipv6_has_no_brackets() -> None:
    assert place_of(" https://[2001:db8::1]:2379 ") == Place("https", "2001:db8::1", 2379)
