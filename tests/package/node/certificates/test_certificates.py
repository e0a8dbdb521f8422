"""What is said of certificates is what real etcd makes of them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.package.node.certificates.cases import ADDRESS, CASES, ENDS, RUNS, SERVES, Case, Files, of
from tests.package.node.config.test_files_start import program_of
from tests.package.node.node_shell import LIBRARY
from tests.support.faults.planted import Authority
from tests.support.releases import releases
from tests.support.sample import sampled

VERSION = "3.7.3"
OTHER = "127.0.0.2"
JUDGE = 'for part in yaml file-access certificates; do . "$LIB/$part.sh"; done; certificate_faults "$1"'
# Seconds after which a member that does not serve is taken for one that never will.
PATIENCE = 5


def section(name: str, folder: Path) -> str:
    """A TLS section of etcd.yaml with the three files of a folder."""
    return (
        f"{name}-transport-security:\n  cert-file: {folder}/node.pem\n  key-file: {folder}/node.key\n"
        f"  trusted-ca-file: {folder}/ca.pem\n  client-cert-auth: true\n"
    )


def configuration(name: str, address: str, data: Path, *, peers: str, clients: str, members: str) -> str:
    """etcd.yaml of a member; `peers` and `clients` are schemes."""
    return (
        f"name: {name}\ndata-dir: {data}\nlog-level: warn\ninitial-cluster: {members}\n"
        f"initial-advertise-peer-urls: {peers}://{address}:2380\nlisten-peer-urls: {peers}://{address}:2380\n"
        f"listen-client-urls: {clients}://{address}:2379\nadvertise-client-urls: {clients}://{address}:2379\n"
    )


def faults(file: Path) -> list[list[str]]:
    """LEVEL KEYS PATH EXPECTED FOUND FOLLOWS of each fault that the node's shell names."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LIB": str(LIBRARY)}
    words = ["sh", "-euc", JUDGE, "sh", str(file)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    return [line.split("\t") for line in done.stdout.splitlines()]


def assert_said(found: list[list[str]], case: Case, key: str) -> None:
    """The level and the words of the table, and the path of a file; nothing where all is well."""
    if not case.level:
        assert found == []
        return
    assert found, "nothing was said"
    level, keys, path, *texts = found[0]
    assert level == case.level
    assert keys.startswith(f"{key}-transport-security.")
    assert Path(path).exists()
    text = " ".join((keys, *texts))
    assert all(word in text for word in case.said), text


@pytest.fixture(scope="module")
def root() -> Authority:
    """The CA that all trust."""
    return Authority()


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The newest etcd; etcdctl lies beside it."""
    releases.ensure(VERSION)
    return program_of(VERSION, tmp_path_factory.mktemp("etcd"))


class Loopback:
    """A network of its own, in which the same ports are free for each case."""

    def __init__(self) -> None:
        script = "ip link set lo up && echo up && exec sleep 300"
        words = ["unshare", "--net", "--kill-child", "sh", "-c", script]
        self._keeper = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert self._keeper.stdout is not None
        with self._keeper.stdout as said:
            said.readline()
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *command: object, log: Path) -> subprocess.Popen[bytes]:
        """A process in it, ended with it."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._inside(command), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        self._running.append(process)
        return process

    def succeeds(self, *command: object) -> bool:
        """Whether a command in it does."""
        return subprocess.run(self._inside(command), capture_output=True, timeout=30).returncode == 0

    def end(self) -> None:
        """All that was started."""
        for process in (*self._running, self._keeper):
            process.kill()
            process.wait()

    def _inside(self, command: Sequence[object]) -> list[str]:
        return ["nsenter", f"--net=/proc/{self._keeper.pid}/ns/net", *map(str, command)]


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    """Ended with the test."""
    network = Loopback()
    yield network
    network.end()


def watch(process: subprocess.Popen[bytes], serves: Callable[[], bool]) -> str:
    """ENDS, SERVES, or after a while without either RUNS."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            return ENDS
        if serves():
            return SERVES
        time.sleep(0.1)
    return RUNS


def other_side(root: Authority, case: Case, files: Files, *hosts: str) -> Files:
    """What another member or a client has; it trusts the CA of the case where that has to be enough."""
    good = of(root.issue(*hosts), root)
    return replace(good, ca=root.pem + files.ca) if case.does == SERVES else good


@pytest.mark.parametrize("title", sampled(CASES, *list(CASES)[::3]))
def test_what_is_said_of_a_members_files_is_what_members_do(
    etcd: Path, root: Authority, loopback: Loopback, tmp_path: Path, title: str
) -> None:
    case = CASES[title]
    members = f"faulty=https://{ADDRESS}:2380,good=https://{OTHER}:2380"
    faulty = case.files(root)
    good = other_side(root, case, faulty, OTHER)
    running = {}
    for name, address, files in (("good", OTHER, good), ("faulty", ADDRESS, faulty)):
        files.write(tmp_path / name)
        text = configuration(
            name, address, tmp_path / f"{name}.etcd", peers="https", clients="http", members=members
        )
        (tmp_path / f"{name}.yaml").write_text(text + section("peer", tmp_path / name))
        running[name] = loopback.start(
            etcd, "--config-file", tmp_path / f"{name}.yaml", log=tmp_path / f"{name}.log"
        )
    assert_said(faults(tmp_path / "faulty.yaml"), case, "peer")
    etcdctl = (etcd.with_name("etcdctl"), f"--endpoints=http://{OTHER}:2379", "--command-timeout=1s")
    does = watch(running["faulty"], lambda: loopback.succeeds(*etcdctl, "endpoint", "health"))
    log = (tmp_path / "faulty.log").read_text()
    assert does == (SERVES if case.one_way else case.does), log
    # Members complain of each other exactly where that is foretold.
    assert does == ENDS or ("tls: " in log) == (case.does == RUNS), log


@pytest.mark.parametrize("title", sampled(CASES, *list(CASES)[::3]))
def test_what_is_said_of_the_files_for_clients_is_what_clients_get(
    etcd: Path, root: Authority, loopback: Loopback, tmp_path: Path, title: str
) -> None:
    case = CASES[title]
    faulty = case.files(root)
    faulty.write(tmp_path / "faulty")
    client = tmp_path / "client"
    other_side(root, case, faulty).write(client)
    members = f"faulty=http://{ADDRESS}:2380"
    text = configuration(
        "faulty", ADDRESS, tmp_path / "faulty.etcd", peers="http", clients="https", members=members
    )
    file = tmp_path / "faulty.yaml"
    file.write_text(text + section("client", tmp_path / "faulty"))
    process = loopback.start(etcd, "--config-file", file, log=tmp_path / "log")
    assert_said(faults(file), case, "client")
    url = f"https://{ADDRESS}:2379"
    etcdctl = (
        *(etcd.with_name("etcdctl"), f"--endpoints={url}", "--command-timeout=1s"),
        *("--cacert", client / "ca.pem", "--cert", client / "node.pem", "--key", client / "node.key"),
    )
    # Through the gateway, which is a client of etcd with etcd's own certificate.
    gateway = (
        *("curl", "--silent", "--fail", "--insecure", "--max-time", "2", "--data", "{}"),
        *("--cert", client / "node.pem", "--key", client / "node.key", f"{url}/v3/maintenance/status"),
    )

    def serves() -> bool:
        return loopback.succeeds(*etcdctl, "endpoint", "health") and loopback.succeeds(*gateway)

    assert watch(process, serves) == case.does, (tmp_path / "log").read_text()
