"""A cluster as text for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from builder.cluster.folder import AUTHORITY, KUBERNETES, contents
from builder.cluster.model import Authority, Cluster, Role


def shown(cluster: Cluster) -> str:
    """The nodes, and the files of each command."""
    nodes = [
        (
            node.name,
            str(node.role),
            str(node.address),
            *((cluster.client_url(node), cluster.peer_url(node)) if node.role is Role.MEMBER else ("-", "-")),
        )
        for node in cluster.nodes
    ]
    files = [written for node in cluster.nodes for written in contents(cluster, node)]
    if cluster.tls.authority is Authority.OWN:
        files.append(("certs", f"{AUTHORITY}/"))
    if cluster.kubernetes:
        files.append(("certs", f"{KUBERNETES}/"))
    commands = [(f"cluster {command}", f"DIR/{path}") for command, path in sorted(files)]
    return "\n".join(
        [
            f"token {cluster.token}, TLS {cluster.tls.authority}, data in {cluster.data_dir}",
            "",
            *_table(("NODE", "ROLE", "ADDRESS", "CLIENT URL", "PEER URL"), nodes),
            "",
            *_table(("WRITTEN BY", "FILE"), commands),
        ]
    )


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [titles, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
