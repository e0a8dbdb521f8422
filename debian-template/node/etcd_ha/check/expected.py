"""The expected state of a cluster, and how to look at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from etcd_ha.certificate import SOON
from etcd_ha.check.finding import Command
from etcd_ha.identity import Identity


@dataclass(frozen=True, slots=True)
class ExpectedMember:
    """A member as the cluster's file describes it."""

    name: str
    client_urls: tuple[str, ...]
    peer_urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """What the member of this machine presents to others: paths of PEM files.

    authority: None for the system's. hosts: those of its own URLs. is_client: it presents the certificate as
    a client too. is_chained: the certificate has to lead to that CA; whom other clients trust is not known.
    """

    certificate: str
    key: str
    authority: str | None
    hosts: tuple[str, ...]
    is_client: bool
    is_chained: bool


@dataclass(frozen=True, slots=True)
class KnownFault:
    """A fault of a version of etcd. fixed: the version without it; empty if none is known."""

    what: str
    source: str
    fixed: str


@dataclass(frozen=True, slots=True)
class Expected:
    """members: None if no file lists the members of the cluster, and the cluster itself is asked.

    urls: client URLs that have to answer. listened: where the member of this machine answers beside them;
    entries: where other members may, asked where urls tell nothing.
    faults_of: of a version such as 3.6.7; None where nothing is known of it. renew, present, authenticate:
    what to type to renew certificates, to check with a client's certificate, and to check as a user.
    own: the name of the member of this machine. files: what it presents. peer_authority: the CA of the
    members among themselves; None for the system's.
    """

    urls: tuple[str, ...]
    identity: Identity
    members: tuple[ExpectedMember, ...] | None
    faults_of: Callable[[str], tuple[KnownFault, ...] | None]
    renew: Command
    present: Command
    authenticate: Command
    listened: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    own: str = ""
    files: tuple[ServerFiles, ...] = ()
    peer_authority: str | None = None
    # Seconds for a connection, and for each request.
    bound: float = 3.0
    # Certificates that expire within this number of days are reported.
    days: int = SOON

    @property
    def places(self) -> tuple[str, ...]:
        """All URLs at which the cluster may answer, this machine's first."""
        return (*self.urls, *self.listened, *self.entries)
