"""cluster.yaml is read as it was meant, or refused with the place and what to write instead."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from builder.cluster.document import MalformedCluster
from builder.cluster.model import Authority, Role, doubts
from builder.errors import EtcdDebError
from tests.unit.cluster.files import EXAMPLE, FIVE, SMALL, described


def test_the_example_is_the_article_with_tls() -> None:
    from builder.cluster.read import read_cluster

    found = read_cluster(EXAMPLE)
    assert [(node.name, str(node.address), node.role) for node in found.nodes] == [
        ("pg1", "192.168.6.10", Role.MEMBER),
        ("pg2", "192.168.6.11", Role.MEMBER),
        ("pg3", "192.168.6.12", Role.MEMBER),
    ]
    assert (found.token, found.tls.authority, doubts(found)) == ("patroni_cluster", Authority.OWN, ())


def test_clients_are_no_members(tmp_path: Path) -> None:
    found = described(tmp_path, FIVE)
    assert found.initial_cluster == (
        "etcd1=https://192.0.2.1:2380,etcd2=https://192.0.2.2:2380,etcd3=https://192.0.2.3:2380"
    )
    assert found.patroni
    assert [node.name for node in found.patroni.nodes] == ["pg1", "pg2"]


def test_an_address_of_ipv6_has_brackets_in_urls_alone(tmp_path: Path) -> None:
    found = described(tmp_path, SMALL.replace("192.0.2.1", "2001:db8:0::1"))
    assert found.nodes[0].address == ip_address("2001:db8::1")
    assert found.client_url(found.nodes[0]) == "https://[2001:db8::1]:2379"
    assert "2001:db8::1" in found.nodes[0].certificate_names


def test_a_number_is_taken_as_it_is_written(tmp_path: Path) -> None:
    text = SMALL + "repository: {url: http://a.example, suite: trixie, component: 3.10, keyring: key.asc}\n"
    repository = described(tmp_path, text).repository
    assert repository
    assert (repository.component, repository.keyring) == ("3.10", tmp_path / "key.asc")


# What is changed in SMALL; the place; what is said; what the hint has.
REFUSED = {
    "a key is misspelt": (
        "    address: 192.0.2.1\n",
        "    adress: 192.0.2.1\n",
        "4:5",
        "unknown key",
        "mean address?",
    ),
    "a key stands twice": ("token: t1\n", "token: t1\ntoken: t2\n", "2:1", "twice", "remove one"),
    "a key of the top is missing": ("token: t1\n", "", "1:1", "no token", ""),
    "a key of a node is missing": ("  - name: pg1\n    address", "  - address", "3:5", "no name", ""),
    "a name stands twice": ("name: pg2", "name: pg1", "5:11", "same name", "line 3"),
    "a name stands twice but for case": ("name: pg2", "name: PG1", "5:11", "same name", "line 3"),
    "an address stands twice": ("192.0.2.2", "192.0.2.1", "6:14", "same address", "line 4"),
    "an address stands twice in two spellings": (
        "192.0.2.1\n  - name: pg2\n    address: 192.0.2.2",
        "2001:db8::1\n  - name: pg2\n    address: 2001:DB8:0::1",
        *("6:14", "same address", "line 4"),
    ),
    "a host name as address": ("192.0.2.1", "pg1", "4:14", "not an IP address", "getent"),
    "an address with a port": ("192.0.2.1", "192.0.2.1:2379", "4:14", "not an IP address", ""),
    "an octet with a zero before it": ("192.0.2.1", "192.0.2.010", "4:14", "not an IP address", ""),
    "a loopback address": ("192.0.2.1", "127.0.1.1", "4:14", "loopback", ""),
    "the loopback address of IPv6": ("192.0.2.1", "::1", "4:14", "loopback", ""),
    "all addresses": ("192.0.2.1", "0.0.0.0", "4:14", "all interfaces", ""),  # noqa: S104
    "a link-local address": ("192.0.2.1", "fe80::1", "4:14", "link-local", ""),
    "a name that no host has": ("name: pg1", "name: pg_1", "3:11", "invalid name", ""),
    "a name with a domain": ("name: pg1", "name: pg1.example.org", "3:11", "invalid name", ""),
    "a name that YAML takes for true": ("name: pg1", "name: yes", "3:11", "not a string", ""),
    "an unknown authority": ("authority: own", "authority: self", "10:14", "unknown authority", ""),
    "a misspelt choice": ("authority: own", "authority: compani", "10:14", "unknown", "mean company?"),
    "a certificate that outlives its CA": (
        "authority: own",
        "authority: own\n  days: 9999",
        *("11:9", "outlive", "authority-days"),
    ),
    "a number with a zero before it": ("authority: own", "authority: own\n  days: 010", "11:9", "bounds", ""),
    "no number": ("authority: own", "authority: own\n  days: many", "11:9", "whole number", ""),
    "a token of two words": ("token: t1", "token: t 1", "1:8", "invalid token", ""),
    "a token of a list": ("token: t1", "token: [t1]", "1:8", "not a string", ""),
    "no value": ("token: t1", "token:", "1:7", "not a string", ""),
    "nodes that are no list": (
        "nodes:\n  - name: pg1",
        "nodes: pg1\nx:\n  - name: pg1",
        "3:1",
        "unknown key",
        "",
    ),
    "two documents": ("tls:", "---\ntls:", "9:1", "not YAML", ""),
    "a tab before a key": ("token: t1", "\ttoken: t1", "1:1", "not YAML", ""),
    "data where purging Debian's package deletes it": (
        "token: t1",
        "token: t1\ndata-dir: /var/lib/etcd/x",
        *("2:11", "unsuitable data directory", "/var/lib/etcd-ha"),
    ),
    "data in the system": (
        "token: t1",
        "token: t1\ndata-dir: /etc/etcd",
        "2:11",
        "unsuitable data directory",
        "",
    ),
    "data by a detour": (
        "token: t1",
        "token: t1\ndata-dir: /srv/../etc",
        "2:11",
        "unsuitable data directory",
        "",
    ),
    "a relative path": ("token: t1", "token: t1\ndata-dir: data", "2:11", "invalid data-dir", ""),
    "peers on the port of clients": ("tls:", "ports: {peer: 2379}\ntls:", "9:15", "used twice", ""),
    "peers on the port of metrics": (
        "tls:",
        "ports: {peer: 2381, metrics: 2381}\ntls:",
        *("9:30", "used twice", ""),
    ),
    "an election that is shorter than five heartbeats": (
        "tls:",
        "tuning: {heartbeat-interval: 300}\ntls:",
        *("9:30", "less than 5 times", "election-timeout: 3000"),
    ),
    "kube-apiserver without TLS": (
        "tls:\n  authority: own",
        "kubernetes: true\ntls:\n  authority: none",
        *("9:13", "no certificate", ""),
    ),
    "credentials in a URL": (
        "tls:",
        "repository: {url: 'http://u:geheim@a.example', suite: s, component: c, keyring: k}\ntls:",
        *("9:19", "credentials", "auth.conf"),
    ),
    "a URL of another scheme": (
        "tls:",
        "repository: {url: 'ftp://a.example', suite: s, component: c, keyring: k}\ntls:",
        *("9:19", "invalid URL", ""),
    ),
    "a state of a client": (
        "address: 192.0.2.1\n",
        "address: 192.0.2.1\n    role: client\n    state: new\n",
        *("6:12", "not a member", "remove state"),
    ),
    "PostgreSQL outside Patroni's network": (
        "tls:",
        "patroni: {postgresql: 17, network: 10.0.0.0/8}\ntls:",
        *("9:36", "not in the network", ""),
    ),
    "a network with host bits": (
        "tls:",
        "patroni: {postgresql: 17, network: 192.0.2.1/24}\ntls:",
        *("9:36", "not a network", ""),
    ),
    "Patroni on an unknown node": (
        "tls:",
        "patroni: {postgresql: 17, network: 192.0.2.0/24, nodes: [pg9]}\ntls:",
        *("9:58", "no node", ""),
    ),
    "metrics on the port of Patroni": (
        "tls:",
        "patroni: {postgresql: 17, network: 192.0.2.0/24}\nports: {metrics: 8008}\ntls:",
        *("10:18", "used twice", ""),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_not_work_is_refused_with_its_place(tmp_path: Path, case: str) -> None:
    old, new, place, said, hint = REFUSED[case]
    assert SMALL.count(old) >= 1
    with pytest.raises(MalformedCluster, match=said) as refusal:
        described(tmp_path, SMALL.replace(old, new, 1))
    assert refusal.value.summary.startswith(f"{tmp_path}/cluster.yaml:{place}: ")
    assert [line.split()[0] for line in refusal.value.details] == ["expected", "found"]
    assert refusal.value.hint
    assert hint in refusal.value.hint
    assert "geheim" not in refusal.value.render()


def test_which_nodes_have_postgresql_is_asked_where_some_are_clients(tmp_path: Path) -> None:
    with pytest.raises(MalformedCluster, match="not named") as refusal:
        described(tmp_path, FIVE.replace(", nodes: [pg1, pg2]", ""))
    assert refusal.value.hint == "nodes: [pg1, pg2]"


def test_a_cluster_of_clients_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedCluster, match="no node is a member"):
        described(tmp_path, SMALL.replace("    address", "    role: client\n    address"))


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"", "1:1"),
        (b"token: caf\xe9\n", "1:11"),
        (b"token: t\x07\n", "1:9"),
        (b"[" * 5000, "1:1"),
        (b"token: *secret\n", "1:8"),
        (b"# nothing\n", "1:1"),
        (b"- token\n", "1:1"),
    ],
)
def test_a_file_that_is_no_description_is_refused_with_its_place(
    tmp_path: Path, content: bytes, place: str
) -> None:
    from builder.cluster.read import read_cluster

    file = tmp_path / "cluster.yaml"
    file.write_bytes(content)
    with pytest.raises(MalformedCluster) as refusal:
        read_cluster(file)
    assert refusal.value.summary.startswith(f"{file}:{place}: ")
    assert "secret" not in refusal.value.render()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    from builder.cluster.read import read_cluster

    with pytest.raises(EtcdDebError, match=r"can't read .*nowhere"):
        read_cluster(tmp_path / "nowhere")


MEMBERS = "token: t\ntls: {authority: none}\nnodes:\n"


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, ["1 member: a majority is 1, so 0 may fail"]),
        (2, ["2 members: a majority is 2, so 0 may fail"]),
        (3, []),
        (4, ["4 members: a majority is 3, so 1 may fail, as with 3 members; 5 survive the loss of 2"]),
        (5, []),
        (6, ["6 members: a majority is 4, so 2 may fail, as with 5 members; 7 survive the loss of 3"]),
        (9, ["9 members: each write waits for 5 of them"]),
    ],
)
def test_a_doubtful_number_of_members_is_warned_of_with_the_arithmetic(
    tmp_path: Path, count: int, said: list[str]
) -> None:
    text = MEMBERS + "".join(f"- {{name: e{n}, address: 192.0.2.{n}}}\n" for n in range(1, count + 1))
    found = doubts(described(tmp_path, text))
    assert len(found) == len(said)
    assert all(doubt.startswith(begin) for doubt, begin in zip(found, said, strict=True))
