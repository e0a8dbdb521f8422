"""Certificates of `cluster certs`, and the judge of `--import`, against Go, OpenSSL and GnuTLS."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from builder.cluster.tls.certificates import as_pem
from builder.cluster.tls.pairs import Pair, pairs
from tests.package.cluster.go_judge import ask
from tests.package.cluster.made import FULL, cluster_of, etcd_deb
from tests.unit.cluster.planted_certificates import CLIENT, Made, cases


def pem(folder: Path, name: str, certificates: Sequence[Made]) -> Path:
    path = folder / name
    path.write_bytes(b"".join(as_pem(made.certificate) for made in certificates))
    return path


def test_go_refuses_what_the_judge_refuses_and_takes_what_it_takes(tmp_path: Path) -> None:
    questions: list[tuple[Path, Path, str, str]] = []
    of: list[str] = []
    known = cases()
    for number, (name, case) in enumerate(known.items()):
        chain = pem(tmp_path, f"{number}.crt", case.chain)
        roots = pem(tmp_path, f"{number}.ca", case.trusted)
        asked = [(chain, roots, "client", "-")]
        if case.subject is not CLIENT:
            asked += [(chain, roots, "server", host) for host in case.subject.hosts]
        questions += asked
        of += [name] * len(asked)
    answers = ask(questions)
    assert len(answers) == len(questions)
    refused = {name for name, said in zip(of, answers, strict=True) if said != "ok"}
    assert refused == {name for name, case in known.items() if case.fault}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "cluster.yaml").write_text(FULL)
    etcd_deb("certs", folder / "cluster.yaml", "--output", folder / "out")
    return folder / "out"


def all_pairs(made: Path) -> tuple[Pair, ...]:
    return pairs(cluster_of(made.parent / "cluster.yaml"))


def test_go_takes_every_certificate_for_each_of_its_uses_and_names(made: Path) -> None:
    questions = []
    for pair in all_pairs(made):
        files = (made / pair.certificate, made / pair.authority)
        questions += [(*files, "client", "-")] + [(*files, "server", host) for host in pair.subject.hosts]
    assert set(ask(questions)) == {"ok"}


def test_no_client_of_etcds_gateway_has_a_common_name(made: Path) -> None:
    named = set[str]()
    for pair in all_pairs(made):
        certificate = x509.load_pem_x509_certificate((made / pair.certificate).read_bytes())
        if certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
            named.add(pair.stem)
    # Members among themselves, and one that speaks gRPC.
    assert named == {"peer", "apiserver-etcd-client"}


def test_go_takes_no_client_for_a_server(made: Path) -> None:
    pair = next(pair for pair in all_pairs(made) if pair.stem == "client")
    (said,) = ask([(made / pair.certificate, made / pair.authority, "server", "-")])
    assert "incompatible key usage" in said


def test_openssl_takes_every_certificate_strictly(made: Path) -> None:
    for pair in all_pairs(made):
        files = ("-CAfile", made / pair.authority, made / pair.certificate)
        for purpose in ("sslserver", "sslclient") if pair.subject.hosts else ("sslclient",):
            verify = ("openssl", "verify", "-x509_strict", "-purpose", purpose)
            done = subprocess.run([*verify, *files], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, ""), done.stdout
        for host in pair.subject.hosts:
            option = "-verify_ip" if ":" in host or host[0].isdigit() else "-verify_hostname"
            subprocess.run(["openssl", "verify", option, host, *files], check=True, capture_output=True)


def test_gnutls_takes_every_certificate(made: Path) -> None:
    for pair in all_pairs(made):
        files = ("--load-ca-certificate", made / pair.authority, "--infile", made / pair.certificate)
        host = ("--verify-hostname", pair.subject.name) if pair.subject.hosts else ()
        done = subprocess.run(
            ["certtool", "--verify", "--verify-profile", "high", *files, *host],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Verified. The certificate is trusted." in done.stdout


def test_a_linter_for_rfc_5280_finds_nothing_but_names_without_a_domain(made: Path) -> None:
    linter = Path(sys.executable).with_name("lint_pkix_cert")
    files = {made / path for pair in all_pairs(made) for path in (pair.authority, pair.certificate)}
    assert len(files) > len(all_pairs(made))
    # Nodes are called by their host names, and a local client by localhost: names without a domain.
    hosts = {host for pair in all_pairs(made) for host in pair.subject.hosts if not {".", ":"} & {*host}}
    known = {
        f'pkix.invalid_domain_name_syntax (ERROR): Invalid domain name syntax: "{host}"' for host in hosts
    }
    found = set[str]()
    for file in files:
        done = subprocess.run(
            [linter, "lint", "--severity", "NOTICE", file], capture_output=True, text=True, check=False
        )
        assert done.stderr == ""
        found |= {line.strip() for line in done.stdout.splitlines() if line.startswith(" ")}
    assert found == known
