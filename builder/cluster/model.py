"""A cluster as cluster.yaml describes it. Names no file and opens none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# The package etcd-ha listens for clients here and nowhere else.
CLIENT_PORT = 2379
# Members from which on each write waits for more acknowledgements than it gains safety (etcd's FAQ).
MANY_MEMBERS = 8


class Role(StrEnum):
    """What etcd is for a node."""

    MEMBER = "member"
    CLIENT = "client"


class State(StrEnum):
    """Whether a member forms the cluster together with the others, or joins one that runs."""

    NEW = "new"
    EXISTING = "existing"


class Authority(StrEnum):
    """Whose CA signs the certificates."""

    OWN = "own"
    COMPANY = "company"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine. name: its host name; alternative_names: other hosts and addresses that it is dialled by."""

    name: str
    address: Address
    role: Role
    state: State
    alternative_names: tuple[str, ...]

    @property
    def host(self) -> str:
        """The address as a URL has it."""
        return f"[{self.address}]" if self.address.version == 6 else str(self.address)

    @property
    def certificate_names(self) -> tuple[str, ...]:
        """Each name and address that a certificate of this node must have."""
        own = (self.name, str(self.address), *self.alternative_names)
        return tuple(dict.fromkeys((*own, "localhost", "127.0.0.1", "::1")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """days: validity of certificates; authority_days: of the CA."""

    authority: Authority
    days: int
    authority_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Where nodes get etcd-ha. keyring: file with the armoured public key."""

    url: str
    suite: str
    component: str
    keyring: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Patroni:
    """PostgreSQL under Patroni, as Debian packages both. nodes: where it runs."""

    postgresql: str
    cluster: str
    network: Network
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Answers that all members share; None leaves the question to the package.

    heartbeat_interval, election_timeout: in milliseconds.
    """

    heartbeat_interval: int | None
    election_timeout: int | None
    quota: str | None
    auto_compaction: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """All that cluster.yaml says. kubernetes: whether kube-apiserver is a client."""

    token: str
    data_dir: str
    nodes: tuple[Node, ...]
    peer_port: int
    metrics_port: int
    tls: Tls
    repository: Repository | None
    patroni: Patroni | None
    kubernetes: bool
    tuning: Tuning

    @property
    def members(self) -> tuple[Node, ...]:
        """The nodes that etcd's data is on, in the order of the file."""
        return tuple(node for node in self.nodes if node.role is Role.MEMBER)

    @property
    def has_tls(self) -> bool:
        """Whether clients and members speak https."""
        return self.tls.authority is not Authority.NONE

    @property
    def scheme(self) -> str:
        """http or https."""
        return "https" if self.has_tls else "http"

    def runs_patroni(self, node: Node) -> bool:
        """Whether Patroni and PostgreSQL are on a node."""
        return self.patroni is not None and node in self.patroni.nodes

    def client_url(self, node: Node) -> str:
        """What a member advertises to clients."""
        return f"{self.scheme}://{node.host}:{CLIENT_PORT}"

    def peer_url(self, node: Node) -> str:
        """What a member advertises to the others."""
        return f"{self.scheme}://{node.host}:{self.peer_port}"

    @property
    def initial_cluster(self) -> str:
        """The members in the syntax of etcd's initial-cluster."""
        return ",".join(f"{node.name}={self.peer_url(node)}" for node in self.members)


def doubts(cluster: Cluster) -> tuple[str, ...]:
    """What works, and is seldom meant."""
    count = len(cluster.members)
    majority = count // 2 + 1
    # How many may fail: what is left has to be a majority.
    may_fail = count - majority
    arithmetic = f"{_counted(count)}: a majority is {majority}, so {may_fail} may fail"
    found = []
    if count == 1:
        found.append(f"{arithmetic}; if it stops, etcd stops. 3 members survive the loss of one")
    elif count == 2:
        found.append(f"{arithmetic}; if either one stops, etcd stops. 3 members survive the loss of one")
    elif count % 2 == 0:
        found.append(
            f"{arithmetic}, as with {count - 1} members; {count + 1} survive the loss of {may_fail + 1}"
        )
    if count >= MANY_MEMBERS:
        found.append(
            f"{_counted(count)}: each write waits for {majority} of them; etcd's FAQ recommends at most 7"
        )
    return tuple(found)


def _counted(count: int) -> str:
    return f"{count} member{'s' * (count != 1)}"
