"""`etcd-deb cluster` as users type it, and a description that uses all of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from builder.cluster.model import Cluster
from builder.cluster.read import read_cluster
from tests.unit.cluster.files import SMALL

FULL = SMALL.replace(
    "192.0.2.1\n", "192.0.2.1\n    alternative-names: [pg1.example.org, '2001:db8::1']\n"
) + ("patroni: {postgresql: 17, network: 192.0.2.0/24}\nkubernetes: true\n")


def cluster_of(file: Path) -> Cluster:
    return read_cluster(file)


def etcd_deb(*words: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
    """`etcd-deb cluster WORDS`, which ends with that status."""
    program = Path(sys.executable).with_name("etcd-deb")
    done = subprocess.run(
        [program, "-q", "cluster", *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    return done
