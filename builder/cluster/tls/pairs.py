"""Which keys and certificates a cluster has, and where they are in its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from builder.cluster.folder import ETCD_FILES, KUBERNETES, PATRONI_FILES
from builder.cluster.model import Cluster, Role
from builder.cluster.tls.certificates import Subject

CA_FILE = "ca.crt"


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
            subject = Subject(node.name, node.certificate_names)
            found += [Pair(etcd, "server", subject), Pair(etcd, "peer", subject)]
        # etcd takes the common name for a user where authentication is on.
        found.append(Pair(etcd, "root", Subject("root")))
        if cluster.runs_patroni(node):
            found.append(Pair(patroni, "client", Subject("patroni")))
    if cluster.kubernetes:
        # kubeadm's name, of the file and of the subject.
        name = "apiserver-etcd-client"
        found.append(Pair(Path(KUBERNETES), name, Subject(f"kube-{name}")))
    return tuple(found)
