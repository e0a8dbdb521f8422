"""The etcd3: section of Patroni, for Debian's pg_createconfig_patroni and for a file made by hand."""

from __future__ import annotations

import json

from builder.cluster.model import CLIENT_PORT, Cluster, Node, Patroni

# Not in /etc/etcd: a path with etcd in it misleads pg_createconfig_patroni --vip.
PATRONI_TLS = "/etc/patroni/tls"


def section(cluster: Cluster) -> str:
    """For a hand-made file of Patroni: etcd3:, since the v2 API behind etcd: is gone since etcd 3.6."""
    return _section(cluster, escaped=False)


def dcs(cluster: Cluster) -> str:
    r"""/etc/patroni/dcs.yml, which pg_createconfig_patroni pastes into a sed script.

    A bare / ends the script's expression there: the file of Patroni is then left empty, with status 0. In
    double quotes YAML and sed both read \/ as / (patroni issue 1574).
    """
    return _section(cluster, escaped=True)


def _section(cluster: Cluster, *, escaped: bool) -> str:
    # JSON's text is YAML's in double quotes.
    hosts = [json.dumps(f"{node.host}:{CLIENT_PORT}") for node in cluster.members]
    lines = ["etcd3:", "  hosts:", *(f"  - {host}" for host in hosts), f"  protocol: {cluster.scheme}"]
    if cluster.has_tls:
        for key, name in (("cacert", "ca.crt"), ("cert", "client.crt"), ("key", "client.key")):
            path = json.dumps(f"{PATRONI_TLS}/{name}")
            lines.append(f"  {key}: {path.replace('/', chr(92) + '/') if escaped else path}")
    return "\n".join([*lines, ""])


def command(patroni: Patroni, node: Node) -> str:
    """What makes the node's file of Patroni; without the addresses it asks for a route to a public one."""
    return (
        f"pg_createconfig_patroni --hostip={node.address} --network={patroni.network} "
        f"{patroni.postgresql} {patroni.cluster}"
    )
