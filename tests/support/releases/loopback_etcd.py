"""A real etcd on the loopback of this machine, without a node."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.support.clients.gateway import Gateway
from tests.support.releases import releases
from tests.support.wait import wait_for
from tests.system.article import binary_of


@dataclass(frozen=True)
class LoopbackEtcd:
    """A member that serves: its process, its client URL, and the folder with etcd and etcdctl."""

    pid: int
    url: str
    programs: Path


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on."""
    with contextlib.ExitStack() as listeners:
        sockets = [listeners.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def options_of(folder: Path, name: str, client_url: str, peer_url: str) -> dict[str, str]:
    """The settings of a cluster of one, its data in folder/data."""
    return {
        **{"name": name, "data-dir": f"{folder}/data", "initial-cluster": f"{name}={peer_url}"},
        **{"listen-client-urls": client_url, "advertise-client-urls": client_url},
        **{"listen-peer-urls": peer_url, "initial-advertise-peer-urls": peer_url},
    }


def programs(folder: Path, version: str) -> Path:
    """etcd and etcdctl of a version that the registries hold, in a folder of their own."""
    releases.ensure(version)
    where = folder / "programs"
    where.mkdir(parents=True)
    for name in ("etcd", "etcdctl"):
        (where / name).write_bytes(binary_of(version, name))
        (where / name).chmod(0o755)
    return where


def takes_writes(gateway: Gateway) -> bool:
    """What a learner never does."""
    return gateway.put("first", "put")


@contextlib.contextmanager
def loopback_etcd(
    programs: Path,
    folder: Path,
    url: str,
    arguments: Sequence[str],
    variables: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
    ready: Callable[[Gateway], bool] = takes_writes,
) -> Iterator[LoopbackEtcd]:
    """etcd with these arguments and variables in that working directory, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {"PATH": "/usr/bin:/bin", **(variables or {})}
    with (folder / "log").open("wb") as log:
        etcd = subprocess.Popen(
            [*before, programs / "etcd", *arguments], stdout=log, stderr=log, cwd=folder, env=environment
        )
    try:
        gateway = Gateway(url, 1)
        wait_for("etcd to serve", partial(ready, gateway), within=40)
        gateway.close()
        yield LoopbackEtcd(etcd.pid, url, programs)
    finally:
        etcd.kill()
        etcd.wait()
