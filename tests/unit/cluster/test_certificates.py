"""What `cluster certs` makes, and that it keeps what it must."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from builder.cluster.tls.certificates import ends, new_key, public_bytes, read_certificates, read_key
from builder.cluster.tls.expiry import listed
from builder.cluster.tls.issuing import make
from builder.cluster.tls.pairs import pairs
from builder.cluster.tls.rotation import Step, done, rotate
from builder.errors import EtcdDebError, UsageError
from tests.unit.cluster.files import FIVE, SMALL, described

NOW = datetime(2026, 11, 27, tzinfo=UTC)
DAY = timedelta(days=1)
FULL = SMALL + "patroni: {postgresql: 17, network: 192.0.2.0/24}\nkubernetes: true\n"


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def keys(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in files(folder).items() if name.endswith(".key")}


def certificate(folder: Path, name: str) -> x509.Certificate:
    return read_certificates((folder / name).read_bytes(), name)[0]


def test_each_node_has_what_it_needs_and_no_key_of_another(tmp_path: Path) -> None:
    make(described(tmp_path, FULL), tmp_path / "out", NOW, renew=False)
    found = files(tmp_path / "out")
    etcd = {f"{stem}.{kind}" for stem in ("server", "peer", "root") for kind in ("crt", "key")} | {"ca.crt"}
    for node in ("pg1", "pg2", "pg3"):
        below = {name for name in found if name.startswith(f"{node}/")}
        assert below == {f"{node}/etcd-tls/{name}" for name in etcd} | {
            f"{node}/patroni-tls/{name}" for name in ("ca.crt", "client.crt", "client.key")
        }
    assert {name for name in found if name.startswith("kube")} == {
        f"kube-apiserver.d/{name}"
        for name in ("ca.crt", "apiserver-etcd-client.crt", "apiserver-etcd-client.key")
    }
    assert len(set(keys(tmp_path / "out").values())) == len(keys(tmp_path / "out"))


def test_a_client_has_no_certificate_of_a_server(tmp_path: Path) -> None:
    make(described(tmp_path, FIVE), tmp_path / "out", NOW, renew=False)
    assert {name for name in files(tmp_path / "out") if name.startswith("pg1/")} == {
        *(f"pg1/etcd-tls/{name}" for name in ("ca.crt", "root.crt", "root.key")),
        *(f"pg1/patroni-tls/{name}" for name in ("ca.crt", "client.crt", "client.key")),
    }


@pytest.mark.parametrize("stem", ["server", "peer"])
def test_a_member_is_server_and_client_under_each_of_its_names(tmp_path: Path, stem: str) -> None:
    text = SMALL.replace("192.0.2.1\n", "192.0.2.1\n    alternative-names: [pg1.example.org, 2001:db8::1]\n")
    make(described(tmp_path, text), tmp_path / "out", NOW, renew=False)
    found = certificate(tmp_path / "out", f"pg1/etcd-tls/{stem}.crt").extensions
    names = found.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["pg1", "pg1.example.org", "localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [
        ip_address(text) for text in ("192.0.2.1", "2001:db8::1", "127.0.0.1", "::1")
    ]
    assert list(found.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
    ]
    assert not found.get_extension_for_class(x509.BasicConstraints).value.ca


def test_validity_is_what_the_file_says(tmp_path: Path) -> None:
    text = SMALL.replace("own\n", "own\n  days: 90\n  authority-days: 400\n")
    make(described(tmp_path, text), tmp_path / "out", NOW, renew=False)
    assert ends(certificate(tmp_path / "out", "pg1/etcd-tls/server.crt")) == NOW + 90 * DAY
    assert ends(certificate(tmp_path / "out", "ca.d/ca-1.crt")) == NOW + 400 * DAY


def test_no_certificate_outlives_its_ca(tmp_path: Path) -> None:
    cluster = described(tmp_path, SMALL.replace("own\n", "own\n  days: 365\n  authority-days: 400\n"))
    make(cluster, tmp_path / "out", NOW, renew=False)
    make(cluster, tmp_path / "out", NOW + 300 * DAY, renew=True)
    assert ends(certificate(tmp_path / "out", "pg1/etcd-tls/server.crt")) == NOW + 400 * DAY


def test_keys_are_for_their_owner_alone_and_so_are_folders(tmp_path: Path) -> None:
    make(described(tmp_path, FULL), tmp_path / "out", NOW, renew=False)
    for path in (tmp_path / "out", *(tmp_path / "out").rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600 if path.suffix == ".key" else 0o644), path


def test_what_serves_is_not_made_again(tmp_path: Path) -> None:
    cluster = described(tmp_path, FULL)
    make(cluster, tmp_path / "out", NOW, renew=False)
    before = files(tmp_path / "out")
    assert make(cluster, tmp_path / "out", NOW + DAY, renew=False) == ()
    assert files(tmp_path / "out") == before


def test_another_address_gives_another_certificate_to_the_same_key(tmp_path: Path) -> None:
    out = tmp_path / "out"
    make(described(tmp_path, SMALL), out, NOW, renew=False)
    before = keys(out)
    written = make(described(tmp_path, SMALL.replace("192.0.2.1\n", "192.0.2.9\n")), out, NOW, renew=False)
    assert {str(one.path.relative_to(out)) for one in written} == {
        "pg1/etcd-tls/server.crt",
        "pg1/etcd-tls/peer.crt",
    }
    assert keys(out) == before


@pytest.mark.parametrize(("after", "renewed"), [(243, False), (245, True)])
def test_renewal_is_due_with_a_third_of_the_life_left(tmp_path: Path, after: int, renewed: bool) -> None:
    cluster = described(tmp_path, SMALL)
    make(cluster, tmp_path / "out", NOW, renew=False)
    before = files(tmp_path / "out")
    written = make(cluster, tmp_path / "out", NOW + after * DAY, renew=True)
    assert bool(written) is renewed
    now = files(tmp_path / "out")
    assert {name for name in now if now[name] != before[name]} == {
        str(pair.certificate) for pair in pairs(cluster) if renewed
    }


def test_a_key_that_is_there_is_used_and_never_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    own = out / "pg1/etcd-tls/server.key"
    own.parent.mkdir(parents=True)
    key = new_key()
    own.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    before = own.read_bytes()
    make(described(tmp_path, SMALL), out, NOW, renew=False)
    assert own.read_bytes() == before
    assert public_bytes(certificate(out, "pg1/etcd-tls/server.crt")) == public_bytes(key)


def test_a_key_with_a_passphrase_is_refused() -> None:
    pem = new_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"geheim"))
    with pytest.raises(EtcdDebError, match="passphrase") as refusal:
        read_key(pem, "server.key")
    assert refusal.value.hint
    assert "openssl pkey -in server.key" in refusal.value.hint


def test_a_ca_without_its_key_is_said_and_replaced_by_nothing(tmp_path: Path) -> None:
    out, cluster = tmp_path / "out", described(tmp_path, SMALL)
    make(cluster, out, NOW, renew=False)
    (out / "ca.d/ca-1.key").unlink()
    before = files(out)
    with pytest.raises(EtcdDebError, match=r"ca-1\.key is missing"):
        make(cluster, out, NOW, renew=True)
    assert files(out) == before


def test_a_ca_that_broke_off_after_its_key_is_made_for_that_key(tmp_path: Path) -> None:
    out, cluster = tmp_path / "out", described(tmp_path, SMALL)
    make(cluster, out, NOW, renew=False)
    before = keys(out)
    (out / "ca.d/ca-1.crt").unlink()
    make(cluster, out, NOW, renew=False)
    assert keys(out) == before
    assert all(row.is_fine for row in listed(cluster, out, NOW))


@pytest.mark.parametrize("authority", ["company", "none"])
def test_a_cluster_without_a_ca_of_its_own_gets_none(tmp_path: Path, authority: str) -> None:
    with pytest.raises(UsageError, match=authority):
        make(described(tmp_path, SMALL.replace("own", authority)), tmp_path / "out", NOW, renew=False)
    assert not (tmp_path / "out").exists()


def test_the_list_says_what_expires_what_is_missing_and_what_can_not_serve(tmp_path: Path) -> None:
    out, cluster = tmp_path / "out", described(tmp_path, SMALL)
    assert {row.fault for row in listed(cluster, out, NOW)} == {"missing"}
    make(cluster, out, NOW, renew=False)
    assert all(row.is_fine for row in listed(cluster, out, NOW + 335 * DAY))
    late = {str(row.path): row for row in listed(cluster, out, NOW + 336 * DAY)}
    assert not late["pg1/etcd-tls/server.crt"].is_fine
    assert late["ca.d/ca-1.crt"].is_fine
    over = {str(row.path): row.fault for row in listed(cluster, out, NOW + 366 * DAY)}
    assert over["pg1/etcd-tls/server.crt"] == "expired on 2027-11-27"
    (out / "pg2/etcd-tls/server.key").write_bytes((out / "pg1/etcd-tls/server.key").read_bytes())
    (out / "pg3/etcd-tls/server.crt").write_text("nothing")
    wrong = {str(row.path): row.fault for row in listed(cluster, out, NOW)}
    assert wrong["pg2/etcd-tls/server.crt"] == "the key beside it does not match"
    assert "no certificate" in wrong["pg3/etcd-tls/server.crt"]


def test_a_cluster_without_tls_has_no_list_that_is_fine(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no certificates"):
        listed(described(tmp_path, SMALL.replace("own", "none")), tmp_path / "out", NOW)


def test_a_new_ca_comes_in_three_steps_and_all_keys_stay(tmp_path: Path) -> None:
    out, cluster = tmp_path / "out", described(tmp_path, SMALL)
    make(cluster, out, NOW, renew=False)
    before = files(out)
    rotate(cluster, out, Step.TRUST_BOTH, NOW)
    both = files(out)
    assert {name for name in before if both[name] != before[name]} == {
        str(pair.authority) for pair in pairs(cluster)
    }
    assert both["pg1/etcd-tls/ca.crt"] == both["ca.d/ca-1.crt"] + both["ca.d/ca-2.crt"]
    rotate(cluster, out, Step.REPLACE, NOW)
    replaced = files(out)
    assert {name for name in both if replaced[name] != both[name]} == {
        "ca.d/state.json",
        *(str(pair.certificate) for pair in pairs(cluster)),
    }
    rotate(cluster, out, Step.TRUST_NEW, NOW)
    after = files(out)
    assert after["pg1/etcd-tls/ca.crt"] == after["ca.d/ca-2.crt"]
    assert all(row.is_fine for row in listed(cluster, out, NOW))
    assert keys(out).items() >= {name: both[name] for name in both if name.endswith(".key")}.items()


@pytest.mark.parametrize("taken", range(4))
def test_a_step_out_of_order_is_refused_and_names_the_one_that_comes(tmp_path: Path, taken: int) -> None:
    out, cluster, steps = tmp_path / "out", described(tmp_path, SMALL), list(Step)
    make(cluster, out, NOW, renew=False)
    for step in steps[:taken]:
        rotate(cluster, out, step, NOW)
    before = files(out)
    may = {steps[taken % 3]} | ({steps[taken - 1]} if taken else set())
    for step in set(steps) - may:
        with pytest.raises(UsageError) as refusal:
            rotate(cluster, out, step, NOW)
        assert refusal.value.hint == f"etcd-deb cluster certs rotate-ca FILE {steps[taken % 3]}"
    assert files(out) == before


@pytest.mark.parametrize("step", list(Step))
def test_a_step_that_was_taken_may_be_taken_again(tmp_path: Path, step: Step) -> None:
    out, cluster = tmp_path / "out", described(tmp_path, SMALL)
    make(cluster, out, NOW, renew=False)
    for one in list(Step)[: list(Step).index(step) + 1]:
        rotate(cluster, out, one, NOW)
    before = files(out)
    # As if it had been broken off after its state was written.
    (out / "pg2/etcd-tls/ca.crt").unlink()
    rotate(cluster, out, step, NOW)
    assert files(out) == before


def test_an_expired_ca_is_replaced_by_the_three_steps(tmp_path: Path) -> None:
    out, cluster, late = tmp_path / "out", described(tmp_path, SMALL), NOW + 4000 * DAY
    make(cluster, out, NOW, renew=False)
    with pytest.raises(EtcdDebError, match="expired") as refusal:
        make(cluster, out, late, renew=True)
    assert refusal.value.hint
    assert "rotate-ca FILE trust-both" in refusal.value.hint
    for step in Step:
        rotate(cluster, out, step, late)
    assert all(row.is_fine for row in listed(cluster, out, late))


def test_a_state_that_can_not_be_read_is_no_first_state(tmp_path: Path) -> None:
    out, cluster = tmp_path / "out", described(tmp_path, SMALL)
    make(cluster, out, NOW, renew=False)
    for text in (
        "",
        "[]",
        '{"signer": 1}',
        '{"signer": 3, "trusted": [1, 2]}',
        '{"signer": 1, "trusted": [1, 2, 3]}',
    ):
        (out / "ca.d/state.json").write_text(text)
        with pytest.raises(EtcdDebError, match="does not say which CA signs"):
            rotate(cluster, out, Step.TRUST_BOTH, NOW)


def test_no_step_is_done_before_the_first(tmp_path: Path) -> None:
    from builder.cluster.tls.authorities import FIRST

    assert done(FIRST) is None
    with pytest.raises(UsageError, match="no CA to replace"):
        rotate(described(tmp_path, SMALL), tmp_path / "out", Step.TRUST_BOTH, NOW)
