"""Three members of real etcd with the certificates of `cluster certs`: clients, the gateway, a new CA."""

from __future__ import annotations

import json
import shutil
import signal
import ssl
import subprocess
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

import pytest

from tests.package.cluster.made import FULL, etcd_deb
from tests.support.releases.loopback_etcd import free_ports, programs
from tests.support.releases.releases import NEWEST
from tests.support.wait import wait_for

NAMES = ("pg1", "pg2", "pg3")
TRY = 1.0


@dataclass
class Members:
    """Three members on this machine's loopback, whose certificates lie in folders of their own."""

    folder: Path
    programs: Path
    made: Path
    ports: list[int] = field(default_factory=lambda: free_ports(6))
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def client_url(self, name: str) -> str:
        return f"https://127.0.0.1:{self.ports[NAMES.index(name)]}"

    def peer_url(self, name: str) -> str:
        return f"https://127.0.0.1:{self.ports[3 + NAMES.index(name)]}"

    def copy(self, name: str) -> None:
        """What an admin does after each step."""
        for part in ("etcd-tls", "patroni-tls"):
            (self.folder / name / part).mkdir(parents=True, exist_ok=True)
            for made in (self.made / name / part).iterdir():
                # Whoever reads it meanwhile, a member or the writing client, gets the old one or the new one.
                new = self.folder / name / f"{made.name}.new"
                shutil.copy(made, new)
                new.replace(self.folder / name / part / made.name)

    def start(self, name: str) -> None:
        tls = self.folder / name / "etcd-tls"
        words = {
            "name": name,
            "data-dir": f"{self.folder / name}/data",
            "initial-cluster": ",".join(f"{other}={self.peer_url(other)}" for other in NAMES),
            "listen-client-urls": self.client_url(name),
            "advertise-client-urls": self.client_url(name),
            "listen-peer-urls": self.peer_url(name),
            "initial-advertise-peer-urls": self.peer_url(name),
            "cert-file": f"{tls}/server.crt",
            "key-file": f"{tls}/server.key",
            "trusted-ca-file": f"{tls}/ca.crt",
            "peer-cert-file": f"{tls}/peer.crt",
            "peer-key-file": f"{tls}/peer.key",
            "peer-trusted-ca-file": f"{tls}/ca.crt",
        }
        options = [f"--{key}={value}" for key, value in words.items()]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [self.programs / "etcd", *options, "--client-cert-auth", "--peer-client-cert-auth"],
                stdout=log,
                stderr=log,
            )

    def stop(self, name: str) -> None:
        process = self.running.pop(name)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)

    def restart_in_turn(self) -> None:
        for name in NAMES:
            self.stop(name)
            self.start(name)
            wait_for(f"{name} to serve", partial(self.serves, name), within=40)

    def etcdctl(
        self, name: str, *words: str, client: str = "etcd-tls/root"
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(name, *words, client=client), capture_output=True, text=True, check=False
        )

    def command(self, name: str, *words: str, client: str) -> list[str]:
        """etcdctl with a client's files, which asks one member."""
        tls = self.folder / name / client
        return [
            *(f"{self.programs}/etcdctl", f"--endpoints={self.client_url(name)}", "--command-timeout=5s"),
            *(f"--cacert={tls.parent}/ca.crt", f"--cert={tls}.crt", f"--key={tls}.key", *words),
        ]

    def serves(self, name: str) -> bool:
        return self.etcdctl(name, "endpoint", "health").returncode == 0

    def gateway_put(self, name: str, key: str, value: str) -> bool:
        """As Patroni does it: JSON over HTTP with its certificate. False where it is not acknowledged."""
        tls = self.folder / name / "patroni-tls"
        context = ssl.create_default_context(cafile=str(tls / "ca.crt"))
        context.load_cert_chain(tls / "client.crt", tls / "client.key")
        said = {"key": b64encode(key.encode()).decode(), "value": b64encode(value.encode()).decode()}
        host, _, port = self.client_url(name).removeprefix("https://").partition(":")
        connection = HTTPSConnection(host, int(port), timeout=TRY, context=context)
        try:
            connection.request("POST", "/v3/kv/put", json.dumps(said))
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


@contextmanager
def serving(folder: Path, version: str) -> Iterator[Members]:
    (folder / "cluster.yaml").write_text(FULL)
    etcd_deb("certs", folder / "cluster.yaml", "--output", folder / "out")
    found = Members(folder, programs(folder / "bin", version), folder / "out")
    try:
        for name in NAMES:
            found.copy(name)
            found.start(name)
        for name in NAMES:
            wait_for(f"{name} to serve", partial(found.serves, name), within=60)
        yield found
    finally:
        for process in found.running.values():
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    with serving(tmp_path_factory.mktemp("members"), NEWEST["3.6"]) as found:
        yield found


@pytest.fixture(scope="module")
def members_of_3_7(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    with serving(tmp_path_factory.mktemp("members"), NEWEST["3.7"]) as found:
        yield found


def test_members_and_clients_with_certificates_write_and_read(members: Members) -> None:
    assert members.etcdctl("pg1", "put", "testkey", "Hello World").stdout == "OK\n"
    assert (
        members.etcdctl("pg2", "get", "testkey", client="patroni-tls/client").stdout
        == "testkey\nHello World\n"
    )
    assert members.etcdctl("pg3", "del", "testkey").stdout == "1\n"


def test_the_gateway_takes_patroni_since_the_servers_certificate_is_a_clients_too(members: Members) -> None:
    assert members.gateway_put("pg2", "gateway", "here")
    assert members.etcdctl("pg1", "get", "gateway", "--print-value-only").stdout == "here\n"


@pytest.mark.parametrize("which", ["members", "members_of_3_7"])
def test_kube_apiserver_reads_and_watches_its_prefix_with_its_certificate(
    request: pytest.FixtureRequest, which: str
) -> None:
    members: Members = request.getfixturevalue(which)
    shutil.copytree(members.made / "kube-apiserver.d", members.folder / "pg1" / "kube")
    kube = partial(members.etcdctl, "pg1", client="kube/apiserver-etcd-client")
    assert kube("put", "/registry/a", "1").stdout == "OK\n"
    read = json.loads(kube("get", "--prefix", "/registry/", "--write-out=json").stdout)
    assert [b64decode(entry["key"]) for entry in read["kvs"]] == [b"/registry/a"]
    # As kube-apiserver does it: from the revision after the one that was read.
    after = f"--rev={read['header']['revision'] + 1}"
    watch = ("watch", "--prefix", "--prev-kv", after, "/registry/")
    seen = members.folder / "watched"
    with seen.open("w") as out:
        watcher = subprocess.Popen(
            members.command("pg1", *watch, client="kube/apiserver-etcd-client"), stdout=out, stderr=out
        )
    try:
        # What others write is sent to it, from a member that they do not speak to; other keys are not.
        for words in (("put", "/registry/a", "2"), ("put", "/other", "3"), ("del", "/registry/a")):
            assert members.etcdctl("pg2", *words).returncode == 0
        events = ["PUT", "/registry/a", "1", "/registry/a", "2", "DELETE", "/registry/a", "2", "/registry/a"]
        wait_for("both changes to be watched", lambda: "DELETE" in seen.read_text(), within=20)
        wait_for("all of them", lambda: seen.read_text().split() == events, within=5)
    finally:
        watcher.kill()
        watcher.wait()


def test_nobody_without_a_certificate_of_the_ca_is_served(members: Members, tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text(FULL)
    etcd_deb("certs", tmp_path / "cluster.yaml", "--output", tmp_path / "out")
    other = members.folder / "pg1" / "other"
    shutil.copytree(tmp_path / "out/pg1/etcd-tls", other)
    # Its own certificate, and the CA that the members have: they refuse it, not it them.
    shutil.copy(members.made / "pg1/etcd-tls/ca.crt", other / "ca.crt")
    assert members.etcdctl("pg1", "get", "a", client="other/root").returncode != 0


class Writer(threading.Thread):
    """Writes without pause through whatever member answers. longest: seconds between acknowledged writes."""

    def __init__(self, members: Members) -> None:
        super().__init__()
        self._members = members
        self._over = threading.Event()
        self.acknowledged: list[str] = []
        self.longest = 0.0

    def run(self) -> None:
        last, number, at = time.monotonic(), 0, 0
        while not self._over.is_set():
            if self._members.gateway_put(NAMES[at], f"w/{number}", str(number)):
                now = time.monotonic()
                self.longest, last = max(self.longest, now - last), now
                self.acknowledged.append(str(number))
            else:
                at = (at + 1) % len(NAMES)
            number += 1

    def end(self) -> None:
        self._over.set()
        self.join(timeout=30)


def test_a_new_ca_in_three_steps_loses_no_write(members: Members) -> None:
    file, out = members.folder / "cluster.yaml", ("--output", members.made)
    old = (members.made / "pg1/etcd-tls/ca.crt").read_bytes()
    writer = Writer(members)
    writer.start()
    try:
        for step, restarts in (("trust-both", True), ("replace", False), ("trust-new", True)):
            etcd_deb("certs", "rotate-ca", file, step, *out)
            for name in NAMES:
                members.copy(name)
            if restarts:
                members.restart_in_turn()
            for name in NAMES:
                wait_for(f"{name} to serve after {step}", partial(members.serves, name), within=20)
                # A request that is under way while leadership moves gets no answer.
                written = partial(members.gateway_put, name, "step", step)
                wait_for(f"{name} to take Patroni's write after {step}", written, within=20)
    finally:
        writer.end()
    assert len(writer.acknowledged) > 20
    read = members.etcdctl("pg1", "get", "--prefix", "w/", "--print-value-only")
    assert (read.returncode, read.stderr) == (0, "")
    values = read.stdout.split()
    assert sorted(set(writer.acknowledged) - set(values)) == []
    # The old CA is good for nothing any more.
    assert old not in (members.folder / "pg1/etcd-tls/ca.crt").read_bytes()
    print(f"longest gap {writer.longest:.2f} s, {len(writer.acknowledged)} writes")  # noqa: T201


def test_renewed_certificates_are_served_without_a_restart(members: Members) -> None:
    before = {name: process.pid for name, process in members.running.items()}
    for name in NAMES:
        (members.made / name / "etcd-tls/server.crt").unlink()
    etcd_deb("certs", members.folder / "cluster.yaml", "--output", members.made)
    for name in NAMES:
        members.copy(name)
        host, _, port = members.client_url(name).removeprefix("https://").partition(":")
        served = ssl.get_server_certificate((host, int(port)))
        assert served.split() == (members.made / name / "etcd-tls/server.crt").read_text().split()
    assert {name: process.pid for name, process in members.running.items()} == before
