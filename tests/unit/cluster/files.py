"""Descriptions of clusters for tests."""

from __future__ import annotations

from pathlib import Path

from builder import shipped
from builder.cluster.model import Cluster
from builder.cluster.read import read_cluster

EXAMPLE = shipped.CONF / "cluster.example.yaml"

# The smallest that is right, on lines that tests count.
SMALL = """\
token: t1
nodes:
  - name: pg1
    address: 192.0.2.1
  - name: pg2
    address: 192.0.2.2
  - name: pg3
    address: 192.0.2.3
tls:
  authority: own
"""
FIVE = """\
token: t1
nodes:
  - {name: etcd1, address: 192.0.2.1}
  - {name: etcd2, address: 192.0.2.2}
  - {name: etcd3, address: 192.0.2.3}
  - {name: pg1, address: 192.0.2.11, role: client}
  - {name: pg2, address: 192.0.2.12, role: client}
tls: {authority: own}
patroni: {postgresql: 17, network: 192.0.2.0/24, nodes: [pg1, pg2]}
"""


def described(folder: Path, text: str) -> Cluster:
    """What the text describes."""
    file = folder / "cluster.yaml"
    file.write_text(text, encoding="utf-8")
    return read_cluster(file)
