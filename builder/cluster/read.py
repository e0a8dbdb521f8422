"""From cluster.yaml to a Cluster. What etcd, its package or Patroni would refuse is refused here."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from pathlib import Path

from builder.cluster import values
from builder.cluster.document import MalformedCluster, Section, Text, read_document
from builder.cluster.keys import CLUSTER, NAME, PATRONI, TOKEN, TUNING
from builder.cluster.model import (
    CLIENT_PORT,
    Authority,
    Cluster,
    Node,
    Patroni,
    Repository,
    Role,
    State,
    Tls,
    Tuning,
)

# pg_createconfig_patroni gives Patroni's API 2576 + PostgreSQL's port.
POSTGRESQL_PORT = 5432
PATRONI_PORT = 2576 + POSTGRESQL_PORT
_APT_WORD = "[A-Za-z0-9][A-Za-z0-9.+_/-]*"
_PATTERNS = {key.name: key.pattern for key in (*PATRONI, *TUNING)}


def read_cluster(file: Path) -> Cluster:
    """Raises MalformedCluster, EtcdDebError for a file that can't be read."""
    top = read_document(file, CLUSTER)
    tls = _tls(top)
    nodes = _nodes(top)
    patroni = _patroni(top, nodes)
    peer_port, metrics_port = _ports(top, patroni)
    kubernetes = top.flag("kubernetes")
    if kubernetes and tls.authority is Authority.NONE:
        raise top.text("kubernetes").refused(
            "kube-apiserver has no certificate without TLS",
            expected="tls: {authority: own} or {authority: company}",
            hint="change tls, or remove kubernetes",
        )
    return Cluster(
        token=values.matching(top.text("token"), TOKEN, "token", "a word without spaces"),
        data_dir=values.data_dir(top.text("data-dir")),
        nodes=nodes,
        peer_port=peer_port,
        metrics_port=metrics_port,
        tls=tls,
        repository=_repository(top, file),
        patroni=patroni,
        kubernetes=kubernetes,
        tuning=_tuning(top),
    )


def _nodes(top: Section) -> tuple[Node, ...]:
    sections = top.sections("nodes")
    nodes = tuple(map(_node, sections))
    _refuse_double([section.text("name") for section in sections], lambda text: text.lower(), "name")
    _refuse_double([section.text("address") for section in sections], _same_address, "address")
    for section, node in zip(sections, nodes, strict=True):
        if node.role is Role.CLIENT and "state" in section:
            raise section.text("state").refused(
                f"{node.name} is not a member",
                expected="state only with role: member",
                hint="remove state, or make it role: member",
            )
    if not any(node.role is Role.MEMBER for node in nodes):
        raise MalformedCluster(
            top.place,
            "no node is a member",
            expected="at least one node with role: member, three for a cluster that survives a loss",
            found=f"{len(nodes)} nodes, {len(nodes)} of them clients" if nodes else "no nodes",
            hint="nodes: [{name: pg1, address: 192.168.6.10}]",
        )
    return nodes


def _refuse_double(given: Sequence[Text], same: Callable[[str], str], what: str) -> None:
    seen: dict[str, Text] = {}
    for value in given:
        before = seen.setdefault(same(value.text), value)
        if before is not value:
            raise value.refused(
                f"another node has the same {what}",
                expected=f"one {what} for each node",
                hint=f"change it here, or on line {before.place.line}",
            )


def _same_address(text: str) -> str:
    return str(ipaddress.ip_address(text))


def _node(section: Section) -> Node:
    return Node(
        name=values.matching(
            section.text("name"),
            NAME,
            "name",
            "the machine's host name without its domain: letters, digits and '-', at most 63",
        ),
        address=values.address(section.text("address")),
        role=Role(section.text("role").text),
        state=State(section.text("state").text),
        alternative_names=tuple(map(values.alternative_name, section.texts("alternative-names"))),
    )


def _tls(top: Section) -> Tls:
    section = top.section("tls")
    if section is None:
        raise AssertionError("the file has tls")
    authority = Authority(section.text("authority").text)
    days, authority_days = section.number("days"), section.number("authority-days")
    if days > authority_days:
        raise section.text("days").refused(
            "a certificate would outlive its CA",
            expected=f"at most {authority_days} days, as for the CA",
            hint="raise authority-days, or lower days",
        )
    if authority is not Authority.OWN and "authority-days" in section:
        raise section.text("authority-days").refused(
            f"authority: {authority} has no CA of its own",
            expected="authority-days only with authority: own",
            hint="remove authority-days",
        )
    return Tls(authority=authority, days=days, authority_days=authority_days)


def _ports(top: Section, patroni: Patroni | None) -> tuple[int, int]:
    section = top.section_or_empty("ports")
    used = {CLIENT_PORT: "etcd's clients"}
    if patroni is not None:
        used |= {POSTGRESQL_PORT: "PostgreSQL", PATRONI_PORT: "Patroni's REST API"}
    for name in ("peer", "metrics"):
        port = section.number(name)
        if port in used:
            value = section.text(name)
            raise value.refused(
                f"port {port} is used twice",
                expected=f"a port other than that of {used[port]}",
                hint="the defaults are peer: 2380 and metrics: 2381",
            )
        used[port] = name
    return section.number("peer"), section.number("metrics")


def _repository(top: Section, file: Path) -> Repository | None:
    section = top.section("repository")
    if section is None:
        return None
    words = {}
    for name in ("suite", "component"):
        words[name] = values.matching(section.text(name), _APT_WORD, name, "one word, as in sources.list(5)")
    return Repository(
        url=values.url(section.text("url")),
        suite=words["suite"],
        component=words["component"],
        keyring=file.parent / section.text("keyring").text,
    )


def _patroni(top: Section, nodes: Sequence[Node]) -> Patroni | None:
    section = top.section("patroni")
    if section is None:
        return None
    network = values.network(section.text("network"))
    chosen = _patroni_nodes(section, nodes)
    for node in chosen:
        if node.address not in network:
            raise section.text("network").refused(
                f"{node.name} is not in the network of Patroni",
                expected=f"a network that has {node.address}",
                hint="ip -brief address shows the networks of a node",
            )
    return Patroni(
        postgresql=_patterned(section, "postgresql", "a major version, such as 17"),
        cluster=_patterned(section, "cluster", "letters, digits and '_'"),
        network=network,
        nodes=chosen,
    )


def _patroni_nodes(section: Section, nodes: Sequence[Node]) -> tuple[Node, ...]:
    known = {node.name: node for node in nodes}
    names = section.texts("nodes")
    for name in names:
        if name.text not in known:
            raise name.refused("no node has this name", expected=f"one of {', '.join(known)}")
    _refuse_double(names, str, "entry in patroni's nodes")
    if not names and any(node.role is Role.CLIENT for node in nodes):
        raise MalformedCluster(
            section.place,
            "the nodes with PostgreSQL are not named",
            expected="nodes in patroni, since some nodes are clients and some members",
            found="no nodes",
            hint=f"nodes: [{', '.join(node.name for node in nodes if node.role is Role.CLIENT)}]",
        )
    return tuple(known[name.text] for name in names) or tuple(nodes)


def _patterned(section: Section, name: str, expected: str) -> str:
    return values.matching(section.text(name), _PATTERNS[name], name, expected)


def _tuning(top: Section) -> Tuning:
    section = top.section_or_empty("tuning")
    heartbeat, election = (
        section.number(name) if name in section else None
        for name in ("heartbeat-interval", "election-timeout")
    )
    # The package's defaults (etcd-ha.templates) where one of the two is absent.
    if 5 * (heartbeat or 100) > (election or 1000):
        name = "election-timeout" if election is not None else "heartbeat-interval"
        raise section.text(name).refused(
            f"election-timeout {election or 1000} is less than 5 times heartbeat-interval {heartbeat or 100}",
            expected=f"an election-timeout of at least {5 * (heartbeat or 100)}",
            hint=f"election-timeout: {10 * (heartbeat or 100)}",
        )
    return Tuning(
        heartbeat_interval=heartbeat,
        election_timeout=election,
        quota=_patterned(section, "quota", "bytes, or a number with M or G") if "quota" in section else None,
        auto_compaction=_patterned(section, "auto-compaction", "such as 1h, revision:1000 or off")
        if "auto-compaction" in section
        else None,
    )
