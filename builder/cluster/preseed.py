"""The answers that debconf is given on each node (debian-template/etcd-ha.templates)."""

from __future__ import annotations

from builder.cluster.model import Cluster, Node, Role

# Where etcd and root find their certificates on a node; root:etcd, 0750.
ETCD_TLS = "/etc/etcd/tls"

# Questions that no cluster.yaml answers, and why.
LEFT = {
    "restart-policy": "members restart one after the other, which is why they are a cluster",
    "snapshot": "the package's default suits every cluster",
    "snapshots-kept": "the package's default suits every cluster",
    "backup": "the package's default suits every cluster",
    "restore-from": "a file of each node, for one installation",
    "purge-data": "data is deleted by whoever purges the package, not by a file of before",
    "read-file": "for internal use of the package",
    "set-backup": "for internal use of the package",
}


def answers(cluster: Cluster, node: Node) -> dict[str, tuple[str, str]]:
    """Type and value of each question that the node's answers have."""
    if node.role is Role.CLIENT:
        return {"setup": ("select", "later")}
    given = {
        "setup": ("select", "cluster"),
        "node-name": ("string", node.name),
        "address": ("string", str(node.address)),
        "members": ("string", cluster.initial_cluster),
        "cluster-state": ("select", str(node.state)),
        "cluster-token": ("string", cluster.token),
        "data-dir": ("string", cluster.data_dir),
        "metrics-address": ("string", f"127.0.0.1:{cluster.metrics_port}"),
        "tls": ("boolean", "true" if cluster.has_tls else "false"),
    }
    if cluster.has_tls:
        given |= {
            "tls-ca": ("string", f"{ETCD_TLS}/ca.crt"),
            "tls-cert": ("string", f"{ETCD_TLS}/server.crt"),
            "tls-key": ("string", f"{ETCD_TLS}/server.key"),
            "tls-peer-cert": ("string", f"{ETCD_TLS}/peer.crt"),
            "tls-peer-key": ("string", f"{ETCD_TLS}/peer.key"),
        }
    tuning = {
        "heartbeat-interval": cluster.tuning.heartbeat_interval,
        "election-timeout": cluster.tuning.election_timeout,
        "quota": cluster.tuning.quota,
        "auto-compaction": cluster.tuning.auto_compaction,
    }
    return given | {name: ("string", str(value)) for name, value in tuning.items() if value is not None}


def preseed(cluster: Cluster, node: Node) -> str:
    """The lines for debconf-set-selections(1)."""
    return "".join(
        f"etcd-ha etcd-ha/{name} {kind} {value}\n" for name, (kind, value) in answers(cluster, node).items()
    )
