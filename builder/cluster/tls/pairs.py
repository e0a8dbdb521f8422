"""Which keys and certificates a cluster has, and where they are in its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.x509.oid import NameOID

from builder.cluster.folder import ETCD_FILES, KUBERNETES, PATRONI_FILES
from builder.cluster.model import Cluster, Role
from builder.cluster.tls.certificates import Subject

CA_FILE = "ca.crt"
# For a name of clients of etcd's gateway.
_NOT_COMMON = NameOID.ORGANIZATION_NAME


@dataclass(frozen=True, slots=True)
class Pair:
    """A key and its certificate. folder: below that of the cluster."""

    folder: Path
    stem: str
    subject: Subject

    @property
    def key(self) -> Path:
        return self.folder / f"{self.stem}.key"

    @property
    def certificate(self) -> Path:
        return self.folder / f"{self.stem}.crt"

    @property
    def request(self) -> Path:
        return self.folder / f"{self.stem}.csr"

    @property
    def authority(self) -> Path:
        """What it is trusted by, beside it."""
        return self.folder / CA_FILE


def pairs(cluster: Cluster) -> tuple[Pair, ...]:
    """In the order of the nodes. None without TLS."""
    if not cluster.has_tls:
        return ()
    found = []
    for node in cluster.nodes:
        etcd, patroni = Path(node.name, ETCD_FILES), Path(node.name, PATRONI_FILES)
        if node.role is Role.MEMBER:
            names = node.certificate_names
            # etcd-ha, a client of the gateway, presents the server's on its own node.
            found.append(Pair(etcd, "server", Subject(node.name, names, _NOT_COMMON)))
            found.append(Pair(etcd, "peer", Subject(node.name, names)))
        found.append(Pair(etcd, "root", Subject("root", attribute=_NOT_COMMON)))
        if cluster.runs_patroni(node):
            found.append(Pair(patroni, "client", Subject("patroni", attribute=_NOT_COMMON)))
    if cluster.kubernetes:
        # kubeadm's name, of the file and of the subject.
        name = "apiserver-etcd-client"
        found.append(Pair(Path(KUBERNETES), name, Subject(f"kube-{name}")))
    return tuple(found)
