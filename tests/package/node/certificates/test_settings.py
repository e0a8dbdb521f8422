"""Which files of etcd.yaml are judged, for which names and usages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.package.node.certificates.cases import of
from tests.package.node.certificates.test_certificates import faults
from tests.support.faults.planted import CLIENT, SERVER, Authority

PEERS = "listen-peer-urls: https://10.0.0.5:2380\ninitial-advertise-peer-urls: https://10.0.0.5:2380\n"
CLIENTS = "listen-client-urls: https://10.0.0.5:2379\nadvertise-client-urls: https://10.0.0.5:2379\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs of files for several uses: both, server, client, names (pg1, *.example.org, an IPv6 address)."""
    folder = tmp_path_factory.mktemp("tls")
    root = Authority()
    of(root.issue("10.0.0.5"), root).write(folder / "both")
    of(root.issue("10.0.0.5", usages=(SERVER,)), root).write(folder / "server")
    of(root.issue(usages=(CLIENT,)), root).write(folder / "client")
    of(root.issue("10.9.9.9", usages=(CLIENT,)), root).write(folder / "elsewhere")
    of(root.issue("pg1", "*.example.org", "fd00::10"), root).write(folder / "names")
    return folder


def section(name: str, folder: Path, *parts: str, own: str = "") -> str:
    """A TLS section with some of the three files; `own`: where the pair for its own connections lies."""
    files = {"cert-file": "node.pem", "key-file": "node.key", "trusted-ca-file": "ca.pem"}
    lines = [f"  {part}: {folder}/{files[part]}\n" for part in parts or files]
    if own:
        lines += [
            f"  client-{part}: {folder.parent}/{own}/{files[part]}\n" for part in ("cert-file", "key-file")
        ]
    return f"{name}-transport-security:\n{''.join(lines)}"


def judged(tmp_path: Path, document: str) -> list[tuple[str, str]]:
    """Level and keys of each fault."""
    file = tmp_path / "etcd.yaml"
    file.write_text(document)
    return [(level, keys) for level, keys, *_ in faults(file)]


def test_nothing_is_said_of_files_that_fit(tmp_path: Path, folder: Path) -> None:
    sections = section("peer", folder / "both") + section("client", folder / "both")
    assert judged(tmp_path, PEERS + CLIENTS + sections) == []


def test_same_fault_in_both_sections_is_said_once(tmp_path: Path, folder: Path) -> None:
    sections = section("peer", folder / "none") + section("client", folder / "none")
    keys = "peer-transport-security.{0} and client-transport-security.{0}"
    said = judged(tmp_path, PEERS + CLIENTS + sections)
    assert said == [("retries", keys.format(key)) for key in ("cert-file", "key-file", "trusted-ca-file")]


@pytest.mark.parametrize("parts", [("cert-file",), ("key-file",), ("trusted-ca-file",)])
def test_files_that_https_needs_besides_are_named(
    tmp_path: Path, folder: Path, parts: tuple[str, ...]
) -> None:
    said = judged(tmp_path, CLIENTS + section("client", folder / "both", *parts))
    assert {level for level, _ in said} == {"ends"}


def test_own_certificates_of_etcd_need_no_files(tmp_path: Path) -> None:
    assert judged(tmp_path, CLIENTS + "client-transport-security:\n  auto-tls: true\n") == []


def test_certificate_for_own_connections_is_judged_as_a_clients(tmp_path: Path, folder: Path) -> None:
    for block, urls in (("peer", PEERS), ("client", CLIENTS)):
        key = f"{block}-transport-security.client-cert-file"
        assert judged(tmp_path, urls + section(block, folder / "server", own="client")) == []
        assert judged(tmp_path, urls + section(block, folder / "server", own="server")) == [("starts", key)]
    # A member's has to carry the address it dials from, where it carries addresses alone.
    said = judged(tmp_path, PEERS + section("peer", folder / "server", own="elsewhere"))
    assert said == [("starts", "peer-transport-security.client-cert-file")]
    assert judged(tmp_path, CLIENTS + section("client", folder / "server", own="elsewhere")) == []


def test_without_the_gateway_the_servers_certificate_is_no_clients(tmp_path: Path, folder: Path) -> None:
    document = CLIENTS + section("client", folder / "server")
    assert judged(tmp_path, document) == [("starts", "client-transport-security.cert-file")]
    assert judged(tmp_path, document + "enable-grpc-gateway: false\n") == []


@pytest.mark.parametrize(
    ("host", "fits"),
    [
        ("pg1", True),
        ("PG1", True),
        ("pg1.example.org", True),
        ("a.b.example.org", False),
        ("example.org", False),
        ("[fd00::10]", True),
        ("[fd00:0:0::0010]", True),
        ("[fd00::1]", False),
        ("pg2", False),
        ("10.0.0.5", False),
    ],
)
def test_names_fit_as_for_go(tmp_path: Path, folder: Path, host: str, fits: bool) -> None:
    document = CLIENTS.replace(
        "advertise-client-urls: https://10.0.0.5", f"advertise-client-urls: https://{host}"
    )
    said = judged(tmp_path, document + section("client", folder / "names"))
    assert said == ([] if fits else [("starts", "client-transport-security.cert-file")])


def test_loopback_that_the_certificate_does_not_carry_is_a_note(tmp_path: Path, folder: Path) -> None:
    document = CLIENTS.replace(":2379\n", ":2379,https://127.0.0.1:2379\n", 1)
    said = judged(tmp_path, document + section("client", folder / "both"))
    assert said == [("note", "client-transport-security.cert-file")]


def test_path_that_cannot_be_read_is_not_judged_and_said(tmp_path: Path, folder: Path) -> None:
    document = CLIENTS + section("client", folder / "both") + "  cert-file: again\n"
    assert ("unknown", "client-transport-security.cert-file") in judged(tmp_path, document)
