"""Three members of real etcd on loopback, with the certificates of `cluster certs`."""

from __future__ import annotations

import json
import shutil
import signal
import ssl
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

from tests.package.cluster.made import FULL
from tests.support.desk import Desk
from tests.support.documents import Followed, find_how_to
from tests.support.releases.loopback_etcd import free_ports, programs
from tests.support.wait import wait_for

NAMES = ("pg1", "pg2", "pg3")
TRY = 1.0
# Days, of the 365 for which a certificate of a member is valid.
AGE = 300


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
    """With certificates that were made so long ago that the how-to has one renew them."""
    desk = Desk(folder, before=("faketime", "-f", f"-{AGE}d"))
    desk.writes("cluster.yaml", FULL)
    desk.types(Followed(find_how_to("tls.md"), str).take("Make the certificates"))
    found = Members(folder, programs(folder / "bin", version), folder / "cluster")
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
