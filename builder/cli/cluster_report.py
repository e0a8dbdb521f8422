"""A cluster as text for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from builder.cli.terminal import as_json
from builder.cluster.folder import AUTHORITY, KUBERNETES, contents
from builder.cluster.model import Authority, Cluster, Role
from builder.cluster.tls.expiry import Listed
from builder.cluster.tls.issuing import Written


def _files(cluster: Cluster) -> list[tuple[str, str]]:
    """The command that writes each file, and the file."""
    files = [written for node in cluster.nodes for written in contents(cluster, node)]
    if cluster.tls.authority is Authority.OWN:
        files.append(("certs", f"{AUTHORITY}/"))
    if cluster.kubernetes:
        files.append(("certs", f"{KUBERNETES}/"))
    return [(f"cluster {command}", f"DIR/{path}") for command, path in sorted(files)]


def cluster_as_text(cluster: Cluster) -> str:
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
    return "\n".join(
        [
            f"token {cluster.token}, TLS {cluster.tls.authority}, data in {cluster.data_dir}",
            "",
            *_table(("NODE", "ROLE", "ADDRESS", "CLIENT URL", "PEER URL"), nodes),
            "",
            *_table(("WRITTEN BY", "FILE"), _files(cluster)),
        ]
    )


def cluster_as_json(cluster: Cluster) -> str:
    return as_json(
        {
            "token": cluster.token,
            "tls": str(cluster.tls.authority),
            "data_dir": cluster.data_dir,
            "nodes": [
                {
                    "name": node.name,
                    "role": str(node.role),
                    "address": str(node.address),
                    "client_url": cluster.client_url(node) if node.role is Role.MEMBER else None,
                    "peer_url": cluster.peer_url(node) if node.role is Role.MEMBER else None,
                }
                for node in cluster.nodes
            ],
            "files": [{"command": command, "file": file} for command, file in _files(cluster)],
        }
    )


def files_as_json(paths: Sequence[Path]) -> str:
    return as_json({"files": [str(path) for path in paths]})


def written_as_json(written: Sequence[Written]) -> str:
    return as_json({"files": [{"file": str(one.path), "why": one.why} for one in written]})


def patroni_as_text(paths: Sequence[Path], commands: Mapping[str, str]) -> str:
    """The files, and what to run on each node."""
    return "\n".join([*map(str, paths), *(f"on {node}: {command}" for node, command in commands.items())])


def patroni_as_json(paths: Sequence[Path], commands: Mapping[str, str]) -> str:
    return as_json({"files": [str(path) for path in paths], "commands": dict(commands)})


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [titles, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]


def certificates_as_text(rows: Sequence[Listed]) -> str:
    """What expires when, and what is wrong."""
    shown = [
        (
            str(row.path),
            row.subject or "-",
            f"{row.ends:%Y-%m-%d}" if row.ends else "-",
            "-" if row.days is None else str(row.days),
            row.fault or ("ok" if row.is_fine else "expires soon"),
        )
        for row in rows
    ]
    return "\n".join(_table(("FILE", "SUBJECT", "EXPIRES", "DAYS", "STATE"), shown))


def certificates_as_json(rows: Sequence[Listed]) -> str:
    return as_json(
        [
            {
                "file": str(row.path),
                "subject": row.subject,
                "expires": row.ends and row.ends.isoformat(),
                "days": row.days,
                "fault": row.fault or None,
                "fine": row.is_fine,
            }
            for row in rows
        ]
    )
