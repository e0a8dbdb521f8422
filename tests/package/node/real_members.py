"""Real etcd processes on loopback addresses, and the package's tools beside them without systemd."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.package.node.node_shell import LIBRARY, TEMPLATE
from tests.support.wait import wait_for

FILE = """\
name: {name}
data-dir: {folder}/data
listen-client-urls: http://{address}:{port}
advertise-client-urls: http://{address}:{port}
listen-peer-urls: http://{address}:{peer_port}
initial-advertise-peer-urls: http://{address}:{peer_port}
initial-cluster: {cluster}
initial-cluster-state: {state}
"""
# Fixed, since the tool takes the client port of the others for its own; below those of outgoing connections.
PORT, PEER_PORT = 23790, 23800
# Addresses are of this worker of pytest-xdist alone: others run members at the same time.
NETWORK = f"127.0.{os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw')}"


@dataclass(frozen=True)
class Node:
    """A member's folder, and the tools as they would run beside it."""

    name: str
    address: str
    folder: Path
    programs: Mapping[str, Path]

    @property
    def peer_url(self) -> str:
        return f"http://{self.address}:{PEER_PORT}"

    @property
    def client_url(self) -> str:
        return f"http://{self.address}:{PORT}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def configure(self, *others: Node, state: str = "new") -> None:
        """Write its file, for a cluster of these nodes."""
        cluster = ",".join(f"{node.name}={node.peer_url}" for node in (self, *others))
        self.folder.mkdir(exist_ok=True)
        (self.folder / "etcd.yaml").write_text(
            FILE.format(
                name=self.name, folder=self.folder, address=self.address, port=PORT, peer_port=PEER_PORT,
                cluster=cluster, state=state,
            )
        )  # fmt: skip

    @contextlib.contextmanager
    def runs(self) -> Iterator[None]:
        """The member as a process, for as long as the block lasts."""
        command = [str(self.programs["etcd"]), "--config-file", str(self.folder / "etcd.yaml")]
        with (
            (self.folder / "log").open("ab") as log,
            subprocess.Popen(command, stdout=log, stderr=log) as process,
        ):
            try:
                yield
            finally:
                process.terminate()
                process.wait(timeout=30)

    def etcdctl(self, *arguments: str, check: bool = True) -> str:
        command = [str(self.programs["etcdctl"]), f"--endpoints={self.client_url}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=check).stdout

    def serves(self) -> None:
        """Wait until it does."""
        wait_for(
            f"{self.name} to serve",
            lambda: (
                "true"
                in self.etcdctl("endpoint", "health", "--command-timeout=1s", "--write-out=json", check=False)
            ),
            within=30,
        )

    def tool(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`etcd-ha NAME`; stderr comes with stdout, and nobody types."""
        return subprocess.run(
            ["sh", str(TEMPLATE / "node/commands" / name), *arguments],
            env={
                "PATH": os.environ["PATH"],
                "ETCD_HA_LIB": str(LIBRARY),
                "ETCD_BIN": str(self.programs["etcd"].parent),
                "CONFIG": str(self.folder / "etcd.yaml"),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
