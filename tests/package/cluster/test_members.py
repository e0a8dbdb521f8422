"""Three members of real etcd with the certificates of `cluster certs`: clients, the gateway, a new CA."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.package.cluster.made import FULL, etcd_deb
from tests.package.cluster.members import NAMES, Members, serving
from tests.support.desk import Desk
from tests.support.documents import Followed, find_how_to
from tests.support.releases.releases import NEWEST
from tests.support.wait import wait_for
from tests.unit.cluster.test_import import Company


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


def files(members: Members, ending: str) -> dict[Path, bytes]:
    """Of the members' and clients' own, what the commands have made."""
    return {path: path.read_bytes() for path in members.made.glob(f"pg*/*/*{ending}") if path.stem != "ca"}


def serve_all(members: Members, step: str) -> None:
    """Each member serves, and takes Patroni's writes."""
    for name in NAMES:
        wait_for(f"{name} to serve after {step}", partial(members.serves, name), within=20)
        # A request that is under way while leadership moves gets no answer.
        written = partial(members.gateway_put, name, "step", step)
        wait_for(f"{name} to take Patroni's write after {step}", written, within=20)


def test_certificates_are_renewed_and_the_ca_replaced_by_the_how_to_and_no_write_is_lost(
    members: Members,
) -> None:
    steps, desk = Followed(find_how_to("tls.md"), str), Desk(members.folder)
    steps.leave("Make the certificates", "serving() has typed it")
    for word in steps.take("Install them on a node").split():
        if word.endswith((".crt", ".key")) and "/" not in word:
            assert desk.has(f"pg1/etcd-tls/{word}")
    listed = desk.types(steps.take("List what expires")).splitlines()
    assert listed[0].split() == ["FILE", "SUBJECT", "EXPIRES", "DAYS", "STATE"]
    before = {name: process.pid for name, process in members.running.items()}
    writer = Writer(members)
    writer.start()
    try:
        old, keys = files(members, ".crt"), files(members, ".key")
        desk.types(steps.take("Renew"))
        assert not set(old.items()) & set(files(members, ".crt").items())
        assert files(members, ".key") == keys
        for name in NAMES:
            members.copy(name)
            host, _, port = members.client_url(name).removeprefix("https://").partition(":")
            served = ssl.get_server_certificate((host, int(port)))
            assert served.split() == (members.made / name / "etcd-tls/server.crt").read_text().split()
        assert {name: process.pid for name, process in members.running.items()} == before
        serve_all(members, "renew")

        trust = members.folder / "pg1/etcd-tls/ca.crt"
        first = trust.read_text()
        for step, restarts in (("trust-both", True), ("replace", False), ("trust-new", True)):
            typed = steps.take("Replace the CA")
            assert step in typed
            desk.types(typed)
            for name in NAMES:
                members.copy(name)
            if restarts:
                members.restart_in_turn()
            serve_all(members, step)
            assert (first in trust.read_text()) == (step != "trust-new")
    finally:
        writer.end()
    assert len(writer.acknowledged) > 20
    read = members.etcdctl("pg1", "get", "--prefix", "w/", "--print-value-only")
    assert (read.returncode, read.stderr) == (0, "")
    assert sorted(set(writer.acknowledged) - set(read.stdout.split())) == []
    print(f"longest gap {writer.longest:.2f} s, {len(writer.acknowledged)} writes")  # noqa: T201

    # Other certificates, of a CA that the members don't know yet.
    desk.writes("company.yaml", FULL.replace("authority: own", "authority: company"))
    desk.types(steps.take("Certificates of a company's CA"))
    Company(members.folder / "signed").answers(members.folder / "company")
    desk.types(steps.take("Certificates of a company's CA"))
    steps.is_done()
    members.made = members.folder / "company"
    for name in NAMES:
        members.stop(name)
        members.copy(name)
    for name in NAMES:
        members.start(name)
    serve_all(members, "the company's certificates")
    assert members.etcdctl("pg2", "get", "step", "--print-value-only").stdout.startswith("the company's")
