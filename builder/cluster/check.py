"""Whether a running cluster matches cluster.yaml: the check of etcd_ha, with the file's expectations."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path

from etcd_ha.check.check import Report, check
from etcd_ha.check.expected import Expected, ExpectedMember, KnownFault
from etcd_ha.check.finding import Command
from etcd_ha.errors import EtcdHaError
from etcd_ha.identity import Identity, read_user

from builder.cluster.model import Cluster
from builder.cluster.tls.pairs import pairs
from builder.errors import USAGE, EtcdDebError, UsageError
from builder.known_faults import Faults, full_version

HERE = "this machine"
# The subject of what is presented by root.
ROOT = "root"


class CannotLook(EtcdDebError):
    """Nobody was asked: a file that is needed can't be used."""

    # As where no member answered.
    exit_status = USAGE


@dataclass(frozen=True, slots=True)
class Presented:
    """What a client shows. credentials: a file with USER:PASSWORD in its first line; user: the same."""

    authority: Path | None
    certificate: Path | None
    key: Path | None
    credentials: Path | None
    user: str | None = field(repr=False)

    def completed(self, cluster: Cluster, folder: Path) -> Presented:
        """With what `cluster certs` has left in its folder, in the place of what was not named."""
        root = next((pair for pair in pairs(cluster) if pair.subject.name == ROOT), None)
        if root is None:
            return self
        authority, certificate, key = self.authority, self.certificate, self.key
        if authority is None and (folder / root.authority).is_file():
            authority = folder / root.authority
        if certificate is None and (folder / root.certificate).is_file() and (folder / root.key).is_file():
            certificate, key = folder / root.certificate, folder / root.key
        return Presented(authority, certificate, key, self.credentials, self.user)

    def identity(self) -> Identity:
        """Raises EtcdHaError for credentials that can't be read."""
        return Identity(
            authority=_text(self.authority),
            certificate=_text(self.certificate),
            key=_text(self.key),
            user=read_user(str(self.credentials)) if self.credentials else self.user,
        )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def check_cluster(cluster: Cluster, file: Path, presented: Presented, faults: Faults) -> Report:
    """Look at each member, and judge what was seen. file: that describes the cluster. Raises CannotLook."""
    try:
        return check(expected_of(cluster, file, presented.identity(), faults))
    except EtcdHaError as error:
        raise CannotLook(error.summary, details=error.details, hint=error.hint or None) from error


def expected_of(cluster: Cluster, file: Path, identity: Identity, faults: Faults) -> Expected:
    """What the file says about the members, and the commands that fix a fault from here."""

    def faults_of(version: str) -> tuple[KnownFault, ...] | None:
        try:
            found = faults.warnings(full_version(version))
        except UsageError:
            return None
        return tuple(KnownFault(one.what, one.source, one.fixed) for one in found)

    below = f"etcd-deb cluster {{}} {shlex.quote(str(file))}"
    members = [
        ExpectedMember(node.name, (cluster.client_url(node),), (cluster.peer_url(node),))
        for node in cluster.members
    ]
    return Expected(
        urls=tuple(url for one in members for url in one.client_urls),
        identity=identity,
        members=tuple(members),
        faults_of=faults_of,
        renew=Command(f"{below.format('certs')} --renew", HERE),
        present=Command(f"{below.format('check')} --cacert FILE --cert FILE --key FILE", HERE),
        authenticate=Command(f"{below.format('check')} --credentials FILE", HERE),
        peer_authority=identity.authority,
    )
