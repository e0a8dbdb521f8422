"""Remotes of a repository: a bucket of moto's server, and a module of an rsync daemon. Both on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3

from tests.support.wait import wait_for

if TYPE_CHECKING:
    from types_boto3_s3.service_resource import Bucket

MODULE = "apt"
PREFIX = "debian"
REGION: Final = "eu-central-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "somebody",
    "AWS_SECRET_ACCESS_KEY": "something",
    "AWS_DEFAULT_REGION": REGION,
}


@dataclass(frozen=True)
class RemoteStore:
    """What --to names. url: where clients read it. variables: what etcd-deb needs in its environment."""

    target: str
    url: str
    options: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    def files(self) -> dict[str, bytes]:
        """All that is there, by name."""
        raise NotImplementedError

    def put(self, name: str, content: bytes) -> None:
        """As another program would."""
        raise NotImplementedError

    def pass_time(self, seconds: int) -> None:
        """What is there becomes older by so much."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class BucketOfMoto(RemoteStore):
    """clock: how far the server's time is ahead, which libfaketime reads."""

    bucket: Bucket
    clock: Path

    def files(self) -> dict[str, bytes]:
        objects = self.bucket.objects.filter(Prefix=f"{PREFIX}/")
        return {entry.key.removeprefix(f"{PREFIX}/"): entry.get()["Body"].read() for entry in objects}

    def put(self, name: str, content: bytes) -> None:
        self.bucket.put_object(Key=f"{PREFIX}/{name}", Body=content)

    def pass_time(self, seconds: int) -> None:
        self.clock.write_text(f"{int(self.clock.read_text()) + seconds:+d}")


@dataclass(frozen=True, kw_only=True)
class ModuleOfRsync(RemoteStore):
    """folder: what the daemon writes and a web server reads. daemon: its process."""

    folder: Path
    daemon: int

    def files(self) -> dict[str, bytes]:
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}

    def put(self, name: str, content: bytes) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(content)

    def pass_time(self, seconds: int) -> None:
        for path in self.folder.rglob("InRelease"):
            before = path.stat().st_mtime - seconds
            os.utime(path, (before, before))


@dataclass(frozen=True)
class Moto:
    """A server of S3."""

    endpoint: str
    clock: Path

    def bucket(self, name: str) -> BucketOfMoto:
        """A new one, which anybody may read, as apt does."""
        session = boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        bucket = session.resource("s3", endpoint_url=self.endpoint).Bucket(name)
        bucket.create(CreateBucketConfiguration={"LocationConstraint": REGION})
        public = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{name}/*",
        }
        bucket.Policy().put(Policy=json.dumps({"Version": "2012-10-17", "Statement": [public]}))
        return BucketOfMoto(
            target=f"s3://{name}/{PREFIX}",
            url=f"{self.endpoint}/{name}/{PREFIX}",
            options=("--endpoint-url", self.endpoint),
            variables=CREDENTIALS,
            bucket=bucket,
            clock=self.clock,
        )


@contextlib.contextmanager
def moto_server(folder: Path) -> Iterator[Moto]:
    """A server without a bucket."""
    clock = folder / "clock"
    clock.write_text("+0")
    port = free_port()
    # -P: its folder has modules of common names.
    server = [sys.executable, "-P", str(Path(__file__).with_name("moto_s3.py"))]
    # FAKETIME, which faketime sets, would overrule the file.
    clocked = ["faketime", "-f", "+0", "env", "-u", "FAKETIME", f"FAKETIME_TIMESTAMP_FILE={clock}"]
    kept = ["FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"]
    argv = [*clocked, *kept, *server, "--host", "127.0.0.1", "--port", str(port)]
    with _running(argv, folder / "moto.log", port):
        yield Moto(f"http://127.0.0.1:{port}", clock)


@contextlib.contextmanager
def module_of_rsync(folder: Path) -> Iterator[ModuleOfRsync]:
    """A daemon with one module that anybody may write, and a web server over its folder."""
    shared = folder / "shared"
    shared.mkdir(parents=True)
    port = free_port()
    settings = folder / "rsyncd.conf"
    settings.write_text(
        f"use chroot = no\nreverse lookup = no\nlog file = {folder}/rsyncd.log\n"
        f"[{MODULE}]\npath = {shared}\nread only = no\n"
        # A daemon of root's would otherwise become nobody.
        f"uid = {os.getuid()}\ngid = {os.getgid()}\n"
    )
    argv = [
        "rsync",
        "--daemon",
        "--no-detach",
        "--address=127.0.0.1",
        f"--port={port}",
        f"--config={settings}",
    ]
    with _running(argv, folder / "rsync.log", port) as daemon, web_server(shared) as url:
        target = f"rsync://127.0.0.1:{port}/{MODULE}"
        yield ModuleOfRsync(target=target, url=url, folder=shared, daemon=daemon)


@contextlib.contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """The URL of a static web server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Silent(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Requests of tests interest nobody."""


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _running(argv: Sequence[str], log: Path, port: int) -> Iterator[int]:
    """The process of a server that listens."""
    with log.open("wb") as out:
        server = subprocess.Popen(argv, stdout=out, stderr=out, start_new_session=True)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_for(f"{argv[0]} to listen; see {log}", listens, within=30)
        yield server.pid
    finally:
        # faketime waits for the program that it runs, and passes no signal on.
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(10)


def children(process: int) -> list[int]:
    """The processes that it has started."""
    listed = Path(f"/proc/{process}/task/{process}/children")
    return [int(pid) for pid in listed.read_text().split()]
