"""Nodes that are processes of this machine: etcd on loopback addresses, the package's commands beside it."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path

from builder.package.source_tree import config_keys
from builder.version import Series
from tests.package.node.check.clusters import program
from tests.package.node.node_shell import LIBRARY, TEMPLATE
from tests.support.clients.gateway import Gateway
from tests.support.wait import wait_for

# In the place of systemd's: the service is a process of this machine.
SYSTEMCTL = """\
#!/bin/sh
cd '{folder}' || exit
pid=$(cat pid 2>/dev/null) && kill -0 "$pid" 2>/dev/null || pid=0
case "$*" in
    *show*MainPID*) echo "$pid" ;;
    *show*ActiveState*) if [ "$pid" = 0 ]; then echo inactive; else echo active; fi ;;
    *show*NRestarts*) echo 0 ;;
    *show* | *reset-failed* | *enable* | *disable*) ;;
    *is-active*) [ "$pid" != 0 ] ;;
    *restart*) "$0" stop; "$0" start ;;
    stop*) if [ "$pid" != 0 ]; then kill "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done; fi ;;
    *start*)
        if [ "$pid" = 0 ]; then
            setsid {etcd} --config-file '{folder}/etcd.yaml' </dev/null >>log 2>&1 9>&- &
            echo $! >pid
        fi
        ;;
    *) echo "systemctl $*" >&2; exit 1 ;;
esac
"""
_NETWORKS = itertools.count()
# Options of etcdctl, and files in the folder of a node's certificates.
PRESENTED = {"cacert": "ca.crt", "cert": "server.crt", "key": "server.key"}


@dataclass
class Node:
    """A node: its name, its address, its folder with etcd.yaml, and the version of its etcd."""

    name: str
    address: str
    folder: Path
    version: str
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{self.address}:2379"

    @property
    def secure_url(self) -> str:
        """The same with TLS."""
        return f"https://{self.address}:2379"

    @property
    def peer_url(self) -> str:
        return f"http://{self.address}:2380"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def tls(self) -> Path:
        """Certificates, if it has any."""
        return self.folder / "tls"

    @property
    def pid(self) -> int:
        """The process of its member; 0 when there is none."""
        said = subprocess.run(
            [self.folder / "bin/systemctl", "show", "MainPID"], capture_output=True, check=True
        )
        return int(said.stdout)

    def write(self, members: Sequence[Node], state: str = "new") -> None:
        """Its etcd.yaml and its programs."""
        (self.folder / "bin").mkdir(parents=True, exist_ok=True)
        settings = {
            "name": self.name,
            "data-dir": str(self.data),
            # As the package has it, its own clients have a URL that it does not advertise.
            "listen-client-urls": f"{self.url},http://{self.address}:2378",
            "advertise-client-urls": self.url,
            **{"listen-peer-urls": self.peer_url, "initial-advertise-peer-urls": self.peer_url},
            "initial-cluster": ",".join(f"{one.name}={one.peer_url}" for one in members),
            "initial-cluster-state": state,
            **self.settings,
        }
        (self.folder / "etcd.yaml").write_text(
            "".join(f"{key}: {value}\n" for key, value in settings.items())
        )
        keys = config_keys(Series(*map(int, self.version.split(".")[:2])))
        (self.folder / "config-keys").write_text("".join(f"{key} {kind}\n" for key, kind in keys))
        script = self.folder / "bin/systemctl"
        script.write_text(SYSTEMCTL.format(folder=self.folder, etcd=program(self.version, "etcd")))
        script.chmod(0o755)
        front = self.folder / "bin/etcd-ha"
        front.write_text(f'#!/bin/sh\nname=$1\nshift\nexec sh {TEMPLATE}/node/commands/$name "$@"\n')
        front.chmod(0o755)

    def start(self) -> None:
        subprocess.run([self.folder / "bin/systemctl", "start"], check=True)

    def stop(self) -> None:
        subprocess.run([self.folder / "bin/systemctl", "stop"], check=True)

    @property
    def environment(self) -> dict[str, str]:
        """What the commands find in their environment on this node."""
        return {
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
            "ETCD_HA_LIB": str(LIBRARY),
            "ETCD_HA_PYTHON": str(TEMPLATE / "node"),
            "ETCD_HA_RUN": str(self.folder),
            "ETCD_HA_KEPT": str(self.folder / "begun"),
            "ETCD_BIN": str(program(self.version, "etcdctl").parent),
            "CONFIG": str(self.folder / "etcd.yaml"),
            "ETCD_HA_KEYS": str(self.folder / "config-keys"),
            "ETCD_HA_TLS": str(self.tls),
            "BACKUPS": str(self.folder / "backups"),
            "CREDENTIALS": str(self.folder / "credentials"),
        }

    def begin(self, name: str, *words: str) -> subprocess.Popen[str]:
        """`etcd-ha NAME`, without waiting; stderr comes with stdout, and nobody types."""
        return subprocess.Popen(
            ["sh", str(TEMPLATE / "node/commands" / name), *words],
            env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def tool(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """`etcd-ha NAME`, to its end."""
        with self.begin(name, *words) as process:
            said, _ = process.communicate(timeout=180)
        return subprocess.CompletedProcess([name, *words], process.returncode, said, "")

    def run(
        self, *argv: str, input: str | None = None, check: bool = True, within: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """A command as root's shell on the node finds it, etcd-ha among them."""
        return subprocess.run(
            argv, input=input, check=check, timeout=within, env=self.environment, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def etcdctl(self, *words: str) -> str:
        command = [str(program(self.version, "etcdctl")), *self._where(), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    def _where(self) -> list[str]:
        """Its endpoint, and what is presented there."""
        if self.url in (self.folder / "etcd.yaml").read_text():
            return [f"--endpoints={self.url}"]
        files = [f"--{one}={self.tls}/{file}" for one, file in PRESENTED.items()]
        return [f"--endpoints={self.secure_url}", *files]

    def members(self) -> dict[str, str]:
        """Names of the members by their ids; a learner's has a mark."""
        rows = [line.split(", ") for line in self.etcdctl("member", "list").splitlines()]
        return {row[0]: row[2] + (" (learner)" if row[5] == "true" else "") for row in rows}

    def takes_writes(self) -> bool:
        gateway = Gateway(self.url, 1)
        try:
            return gateway.put("first", "put")
        finally:
            gateway.close()

    def serves(self) -> None:
        """Wait until it does."""
        wait_for(f"{self.name} to serve", self.takes_writes, within=40)

    @property
    def leads(self) -> bool:
        status = self.etcdctl("endpoint", "status", "-w", "fields")
        found = dict(line.split(" : ") for line in status.splitlines() if " : " in line)
        return found['"Leader"'] == found['"MemberID"']


def planned(folder: Path, version: str, count: int, **settings: str) -> tuple[Node, ...]:
    """Nodes of one network, without files and without etcd."""
    network = f"127.{16 + os.getpid() % 200}.{next(_NETWORKS)}"
    return tuple(
        Node(f"pg{number}", f"{network}.{number}", folder / f"pg{number}", version, settings)
        for number in range(1, count + 1)
    )


@contextlib.contextmanager
def running(nodes: Sequence[Node], formed: int) -> Iterator[Sequence[Node]]:
    """The first of these nodes form a cluster, until the block ends; the others have no etcd yet."""
    try:
        for node in nodes:
            node.write(nodes[:formed])
        for node in nodes[:formed]:
            node.start()
        for node in nodes[:formed]:
            node.serves()
        yield nodes
    finally:
        for node in nodes:
            with contextlib.suppress(OSError):
                os.kill(node.pid or 2**22, 9)


def leader_of(nodes: Sequence[Node]) -> Node:
    """The one that leads."""

    def leading() -> list[Node]:
        return [node for node in nodes if node.leads]

    wait_for("a leader", lambda: bool(leading()), within=10)
    return leading()[0]


def make_leader(nodes: Sequence[Node], wanted: Node) -> None:
    """Have it lead."""
    rows = [line.split(", ") for line in wanted.etcdctl("member", "list").splitlines()]
    (id_,) = (row[0] for row in rows if row[2] == wanted.name)
    leader = leader_of(nodes)
    if leader is not wanted:
        leader.etcdctl("move-leader", id_)
        wait_for(f"{wanted.name} to lead", partial(getattr, wanted, "leads"), within=10)


@contextlib.contextmanager
def writing(nodes: Sequence[Node], certificates: Path | None = None) -> Iterator[list[float]]:
    """A client that never pauses, over these members; when its writes were acknowledged.

    With a folder of certificates it knows the https URLs as well.
    """
    urls = [node.url for node in nodes] + [node.secure_url for node in nodes if certificates]
    end, acknowledged = threading.Event(), list[float]()

    def write() -> None:
        gateways = [Gateway(url, 0.25, certificates) for url in urls]
        turn = 0
        while not end.wait(0.01):
            if gateways[turn].put(f"written/{len(acknowledged)}", "x"):
                acknowledged.append(time.monotonic())
            else:
                turn = (turn + 1) % len(gateways)
        for gateway in gateways:
            gateway.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield acknowledged
    finally:
        end.set()
        thread.join()


def longest_gap(acknowledged: Sequence[float]) -> float:
    return max(after - before for before, after in pairwise(acknowledged))


def lost(acknowledged: Sequence[float], node: Node) -> list[str]:
    """Keys of the writer that were acknowledged and are not there."""
    there = set(node.etcdctl("get", "--prefix", "written/", "--keys-only").split())
    return [key for number in range(len(acknowledged)) if (key := f"written/{number}") not in there]
