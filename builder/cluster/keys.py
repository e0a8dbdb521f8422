"""The keys of cluster.yaml: what the reader accepts, the JSON Schema says and the reference lists."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from builder.cluster.model import Authority, Role, State

# Days: a century.
LONGEST_DAYS = 36500


class Kind(StrEnum):
    """What the value of a key is. WORD: a string that YAML may read as a number, such as 3.10."""

    TEXT = "string"
    WORD = "string or number"
    NUMBER = "whole number"
    FLAG = "true or false"
    LIST = "list of strings"
    SECTION = "section"
    SECTIONS = "list of sections"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key. default: as it would be written; pattern: a regular expression of the whole value."""

    name: str
    kind: Kind
    meaning: str
    example: str = ""
    default: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 0
    pattern: str = ""
    keys: tuple[Key, ...] = ()


NAME = r"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"
TOKEN = r"^[!-~]+$"  # noqa: S105  # the pattern of etcd's cluster token, which is no secret
PATH = r"^(/[A-Za-z0-9._+@:-]+)+$"

NODE = (
    Key(
        name="name",
        kind=Kind.WORD,
        required=True,
        example="pg1",
        pattern=NAME,
        meaning="Host name of the machine, without its domain; also the name of the member.",
    ),
    Key(
        name="address",
        kind=Kind.TEXT,
        required=True,
        example="192.168.6.10",
        meaning="IP address at which the other nodes reach it. etcd does not listen on host names.",
    ),
    Key(
        name="role",
        kind=Kind.TEXT,
        default=Role.MEMBER,
        example=Role.CLIENT,
        choices=tuple(Role),
        meaning="`member` stores etcd's data; `client` gets only certificates and etcdctl.",
    ),
    Key(
        name="state",
        kind=Kind.TEXT,
        default=State.NEW,
        example=State.EXISTING,
        choices=tuple(State),
        meaning="`existing` for a member that joins a running cluster.",
    ),
    Key(
        name="alternative-names",
        kind=Kind.LIST,
        example="pg1.example.org",
        meaning="Additional host names and addresses for its certificates.",
    ),
)
TLS = (
    Key(
        name="authority",
        kind=Kind.TEXT,
        required=True,
        example=Authority.OWN,
        choices=tuple(Authority),
        meaning="`own`: `cluster certs` makes a CA; `company`: it writes signing requests; `none`: http.",
    ),
    Key(
        name="days",
        kind=Kind.NUMBER,
        default="365",
        example="365",
        least=1,
        most=LONGEST_DAYS,
        meaning="Validity of certificates, in days.",
    ),
    Key(
        name="authority-days",
        kind=Kind.NUMBER,
        default="3650",
        example="3650",
        least=1,
        most=LONGEST_DAYS,
        meaning="Validity of the CA's certificate, in days.",
    ),
)
REPOSITORY = (
    Key(
        name="url",
        kind=Kind.TEXT,
        required=True,
        example="http://apt.example.org",
        pattern="^https?://",
        meaning="URL of the apt repository. Credentials belong in apt_auth.conf(5).",
    ),
    Key(name="suite", kind=Kind.TEXT, required=True, example="trixie", meaning="Suite of the repository."),
    Key(
        name="component",
        kind=Kind.WORD,
        required=True,
        example="3.6",
        meaning="Component, one for each minor version of etcd.",
    ),
    Key(
        name="keyring",
        kind=Kind.TEXT,
        required=True,
        example="archive-key.asc",
        meaning="File with its public key, in ASCII armor; relative to cluster.yaml.",
    ),
)
PATRONI = (
    Key(
        name="postgresql",
        kind=Kind.WORD,
        required=True,
        example="17",
        pattern=r"^[1-9][0-9]$",
        meaning="Major version of PostgreSQL: 17 on Debian 13, 15 on Debian 12.",
    ),
    Key(
        name="network",
        kind=Kind.TEXT,
        required=True,
        example="192.168.6.0/24",
        meaning="Network from which replicas and clients of PostgreSQL connect.",
    ),
    Key(
        name="cluster",
        kind=Kind.TEXT,
        default="main",
        example="main",
        pattern=r"^[A-Za-z0-9_]+$",
        meaning="Name of the PostgreSQL cluster, as pg_lsclusters(1) shows it.",
    ),
    Key(
        name="nodes",
        kind=Kind.LIST,
        example="pg1",
        meaning="Names of the nodes with PostgreSQL. Default: all nodes; required if some are clients.",
    ),
)
PORTS = (
    Key(
        name="peer",
        kind=Kind.NUMBER,
        default="2380",
        example="2380",
        least=1,
        most=65535,
        meaning="Port for the other members.",
    ),
    Key(
        name="metrics",
        kind=Kind.NUMBER,
        default="2381",
        example="2381",
        least=1,
        most=65535,
        meaning="Port for metrics and health, on 127.0.0.1, without TLS.",
    ),
)
TUNING = (
    Key(
        name="heartbeat-interval",
        kind=Kind.NUMBER,
        example="100",
        least=1,
        most=10000,
        meaning="Milliseconds; about the round-trip time between members.",
    ),
    Key(
        name="election-timeout",
        kind=Kind.NUMBER,
        example="1000",
        least=5,
        most=50000,
        meaning="Milliseconds; at least five times the heartbeat interval.",
    ),
    Key(
        name="quota",
        kind=Kind.WORD,
        example="2G",
        pattern="^[1-9][0-9]*[MG]?$",
        meaning="Largest size of the database: bytes, or a number with M or G.",
    ),
    Key(
        name="auto-compaction",
        kind=Kind.WORD,
        example="1h",
        pattern="^(off|revision:[0-9]+|([0-9]+[hms])+)$",
        meaning="History that etcd keeps: a duration, `revision:1000`, or `off`.",
    ),
)
CLUSTER = (
    Key(
        name="token",
        kind=Kind.WORD,
        required=True,
        example="patroni_cluster",
        pattern=TOKEN,
        meaning="Distinguishes this cluster from others with the same names; etcd's initial-cluster-token.",
    ),
    Key(
        name="nodes",
        kind=Kind.SECTIONS,
        required=True,
        keys=NODE,
        example="name: pg1",
        meaning="The machines.",
    ),
    Key(
        name="tls",
        kind=Kind.SECTION,
        required=True,
        keys=TLS,
        example="{authority: own}",
        meaning="Certificates.",
    ),
    Key(
        name="data-dir",
        kind=Kind.TEXT,
        default="/var/lib/etcd-ha",
        example="/var/lib/etcd-ha",
        pattern=PATH,
        meaning="Directory of the member's data; on a fast disk, not with PostgreSQL's.",
    ),
    Key(
        name="ports", kind=Kind.SECTION, keys=PORTS, meaning="Ports that differ from the package's defaults."
    ),
    Key(
        name="tuning",
        kind=Kind.SECTION,
        keys=TUNING,
        meaning="Settings that all members share. Absent ones keep the package's defaults.",
    ),
    Key(
        name="repository",
        kind=Kind.SECTION,
        keys=REPOSITORY,
        meaning="Repository that nodes install etcd-ha from; `cluster cloud-init` needs it.",
    ),
    Key(
        name="patroni",
        kind=Kind.SECTION,
        keys=PATRONI,
        meaning="PostgreSQL with Patroni. Don't put secrets here.",
    ),
    Key(
        name="kubernetes",
        kind=Kind.FLAG,
        default="false",
        example="true",
        choices=("true", "false"),
        meaning="Whether `cluster certs` makes a client certificate for kube-apiserver.",
    ),
)
