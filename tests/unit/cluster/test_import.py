"""A company's CA: requests go out, and what comes back is taken in whole or not at all."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from builder.cluster.model import Cluster
from builder.cluster.tls.certificates import as_pem
from builder.cluster.tls.expiry import listed
from builder.cluster.tls.issuing import make_requests, take_in
from builder.cluster.tls.pairs import pairs
from builder.errors import EtcdDebError, UsageError
from tests.unit.cluster.files import SMALL, described
from tests.unit.cluster.planted_certificates import NOW, Made, made

COMPANY = SMALL.replace("own", "company") + "patroni: {postgresql: 17, network: 192.0.2.0/24}\n"
DAYS = timedelta(days=200)


def signed(asked: Path, by: Made, *, without: type[x509.ExtensionType] | None = None) -> bytes:
    """A request signed as it is, or without one of its extensions."""
    request = x509.load_pem_x509_csr(asked.read_bytes())
    assert request.is_signature_valid
    builder = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(by.certificate.subject)
        .public_key(request.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAYS)
        .not_valid_after(NOW + DAYS)
    )
    for extension in request.extensions:
        if without is None or not isinstance(extension.value, without):
            builder = builder.add_extension(extension.value, extension.critical)
    return as_pem(builder.sign(by.key, hashes.SHA256()))


class Company:
    """root -> intermediate, and the folder that it sends back."""

    def __init__(self, folder: Path) -> None:
        self.root = made("company root", end=NOW + 5 * DAYS)
        self.middle = made("company issuing", self.root, end=NOW + 5 * DAYS)
        self.folder = folder
        folder.mkdir()

    def answers(self, out: Path, *, without: type[x509.ExtensionType] | None = None) -> None:
        for number, asked in enumerate(sorted(out.rglob("*.csr"))):
            (self.folder / f"{number}.pem").write_bytes(signed(asked, self.middle, without=without))
        chain = as_pem(self.middle.certificate) + as_pem(self.root.certificate)
        (self.folder / "chain.pem").write_bytes(chain)


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path / "signed")


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return described(tmp_path, COMPANY)


def certificates(out: Path) -> list[Path]:
    return sorted(out.rglob("*.crt"))


def test_requests_have_names_and_uses_and_keys_stay_here(tmp_path: Path, cluster: Cluster) -> None:
    out = tmp_path / "out"
    make_requests(cluster, out, NOW, renew=False)
    assert {path.relative_to(out) for path in out.rglob("*.csr")} == {pair.request for pair in pairs(cluster)}
    assert not certificates(out)
    request = x509.load_pem_x509_csr((out / "pg1/etcd-tls/server.csr").read_bytes())
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["pg1", "localhost"]
    keys = {path: path.read_bytes() for path in out.rglob("*.key")}
    make_requests(cluster, out, NOW, renew=False)
    assert {path: path.read_bytes() for path in out.rglob("*.key")} == keys


def test_what_the_company_signed_is_taken_in_with_its_chain(
    tmp_path: Path, cluster: Cluster, company: Company
) -> None:
    out = tmp_path / "out"
    make_requests(cluster, out, NOW, renew=False)
    company.answers(out)
    take_in(cluster, out, company.folder, NOW)
    assert all(row.is_fine for row in listed(cluster, out, NOW))
    content = (out / "pg1/etcd-tls/server.crt").read_bytes()
    assert content.endswith(as_pem(company.middle.certificate))
    assert (out / "pg1/etcd-tls/ca.crt").read_bytes() == as_pem(company.root.certificate)
    assert make_requests(cluster, out, NOW, renew=False) == ()


def test_a_certificate_without_the_names_of_its_request_is_not_taken_in(
    tmp_path: Path, cluster: Cluster, company: Company
) -> None:
    out = tmp_path / "out"
    make_requests(cluster, out, NOW, renew=False)
    company.answers(out, without=x509.SubjectAlternativeName)
    with pytest.raises(EtcdDebError, match="nothing was imported") as refusal:
        take_in(cluster, out, company.folder, NOW)
    assert any("server.crt: the address 192.0.2.1 is not" in line for line in refusal.value.details)
    assert not certificates(out)


def test_a_certificate_below_a_ca_for_servers_alone_is_not_taken_in(
    tmp_path: Path, cluster: Cluster, company: Company
) -> None:
    out = tmp_path / "out"
    make_requests(cluster, out, NOW, renew=False)
    company.middle = made("company issuing", company.root, usages=[ExtendedKeyUsageOID.SERVER_AUTH])
    company.answers(out)
    with pytest.raises(EtcdDebError, match="nothing was imported") as refusal:
        take_in(cluster, out, company.folder, NOW)
    assert any("client.crt" in line and "clientAuth" in line for line in refusal.value.details)
    assert not certificates(out)


def test_nothing_is_taken_in_where_one_is_missing(tmp_path: Path, cluster: Cluster, company: Company) -> None:
    out = tmp_path / "out"
    make_requests(cluster, out, NOW, renew=False)
    company.answers(out)
    (company.folder / "0.pem").unlink()
    with pytest.raises(EtcdDebError, match="nothing was imported") as refusal:
        take_in(cluster, out, company.folder, NOW)
    assert len(refusal.value.details) == 2
    assert not certificates(out)


def test_a_ca_that_did_not_send_its_own_certificate_is_asked_for_it(
    tmp_path: Path, cluster: Cluster, company: Company
) -> None:
    out = tmp_path / "out"
    make_requests(cluster, out, NOW, renew=False)
    company.answers(out)
    (company.folder / "chain.pem").write_bytes(as_pem(company.middle.certificate))
    with pytest.raises(EtcdDebError, match="has no CA"):
        take_in(cluster, out, company.folder, NOW)


def test_a_request_is_made_again_when_a_third_of_the_life_is_left(
    tmp_path: Path, cluster: Cluster, company: Company
) -> None:
    out = tmp_path / "out"
    make_requests(cluster, out, NOW, renew=False)
    company.answers(out)
    take_in(cluster, out, company.folder, NOW)
    # 400 days in all, of which 200 are over.
    assert make_requests(cluster, out, NOW + timedelta(days=66), renew=True) == ()
    assert make_requests(cluster, out, NOW + timedelta(days=68), renew=False) == ()
    assert len(make_requests(cluster, out, NOW + timedelta(days=68), renew=True)) == len(pairs(cluster))


def test_a_cluster_with_its_own_ca_asks_nobody(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="authority: own"):
        make_requests(described(tmp_path, SMALL), tmp_path / "out", NOW, renew=False)
