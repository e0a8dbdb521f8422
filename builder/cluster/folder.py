"""The folder that the commands of a cluster write into: one folder for each node, and one for the CA.

Names that are not a node's have a dot, which no node's name has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from builder.cluster.model import Cluster, Node
from builder.errors import EtcdDebError
from builder.system.files import creating, disk_full_named, replacing

PRESEED = "etcd-ha.preseed"
USER_DATA = "user-data"
DCS = "dcs.yml"
ETCD3 = "etcd3.yml"
AUTHORITY = "ca.d"
KUBERNETES = "kube-apiserver.d"
ETCD_FILES = "etcd-tls"
PATRONI_FILES = "patroni-tls"

PRIVATE = 0o600
PUBLIC = 0o644


@dataclass(frozen=True, slots=True)
class Output:
    """A file to write. path: below the folder."""

    path: Path
    content: bytes = field(repr=False)
    mode: int = PUBLIC


def write(folder: Path, outputs: Sequence[Output]) -> tuple[Path, ...]:
    """Each file whole or as it was before, folders for their owner alone. Raises EtcdDebError, DiskFull."""
    for output in outputs:
        path, doing = folder / output.path, f"writing {output.path}"
        with _explained(folder, output), replacing(path, doing, mode=output.mode) as file:
            file.write(output.content)
    return tuple(folder / output.path for output in outputs)


def write_new(folder: Path, output: Output) -> None:
    """A file that must not be there yet, such as a key. Raises EtcdDebError, DiskFull."""
    path, doing = folder / output.path, f"writing {output.path}"
    with _explained(folder, output), creating(path, doing, mode=output.mode) as file:
        file.write(output.content)


@contextmanager
def _explained(folder: Path, output: Output) -> Iterator[None]:
    path = folder / output.path
    try:
        with disk_full_named(path, f"writing {output.path}"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in reversed(output.path.parents):
                (folder / part).mkdir(mode=0o700, exist_ok=True)
        yield
    except OSError as error:
        raise EtcdDebError(
            f"can't write {path}",
            details=(
                "expected  a writable folder",
                f"found     {error.strerror or error}",
            ),
            hint="name another folder with --output DIR",
        ) from error


def contents(cluster: Cluster, node: Node) -> tuple[tuple[str, str], ...]:
    """The command that writes each file of a node, and its path below the folder."""
    found = [("preseed", PRESEED)]
    if cluster.has_tls:
        found.append(("certs", f"{ETCD_FILES}/"))
    if cluster.runs_patroni(node) and cluster.has_tls:
        found.append(("certs", f"{PATRONI_FILES}/"))
    if cluster.runs_patroni(node):
        found.append(("patroni", DCS))
    if cluster.repository is not None:
        found.append(("cloud-init", USER_DATA))
    return tuple((command, f"{node.name}/{name}") for command, name in found)
