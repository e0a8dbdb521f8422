"""`etcd-deb cluster check` in a network of its own: three members, certificates by `cluster certs`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.package.node.check.authority import Pair
from tests.package.node.check.clusters import NEWEST, Loopback, unpack
from tests.package.repository.test_json_output import check
from tests.support.account import ETCD_DEB
from tests.support.command import run
from tests.support.wait import wait_for

CHECK = ("check", "cluster.yaml")
ADDRESSES = ("192.168.6.10", "192.168.6.11", "192.168.6.12")


@dataclass(frozen=True)
class Machine:
    """Runs commands where the members' addresses are, in the folder that has what `cluster certs` made."""

    inside: tuple[str, ...]
    folder: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """etcd-deb cluster WORDS."""
        return subprocess.run(
            [*self.inside, str(ETCD_DEB), "cluster", *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def writes(self, name: str, *nodes: str) -> None:
        """A description of the addresses of the example, as nodes of these names."""
        # Members judge each other by the address that a connection comes from, here any of the three.
        lines = [
            f"  - {{name: {node}, address: {host}, alternative-names: [{', '.join({*ADDRESSES} - {host})}]}}"
            for node, host in zip(nodes, ADDRESSES, strict=True)
        ]
        text = ["token: patroni_cluster", "tls: {authority: own}", "nodes:", *lines, ""]
        (self.folder / name).write_text("\n".join(text))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("cluster")
    unpack(folder, NEWEST)
    addresses = " ".join(f"ip address add {address}/32 dev lo;" for address in ADDRESSES)
    network = subprocess.Popen(
        ["unshare", "--net", "sh", "-ec", f"ip link set lo up; {addresses} echo up; exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    members: list[Loopback] = []
    try:
        assert network.stdout is not None
        assert network.stdout.readline() == b"up\n"
        made = Machine(("nsenter", f"--net=/proc/{network.pid}/ns/net"), folder)
        made.writes("cluster.yaml", "pg1", "pg2", "pg3")
        assert made.run("certs", "cluster.yaml").returncode == 0
        for number, host in enumerate(ADDRESSES):
            name = f"pg{number + 1}"
            files = folder / "cluster" / name / "etcd-tls"
            tls = (files / "ca.crt", Pair(files / "server.crt", files / "server.key"))
            members.append(Loopback(name, 2379, 2380, folder, host=host, tls=tls, before=made.inside))
        for one in members:
            one.start(",".join(f"{one.name}={one.peer_url}" for one in members))
        wait_for("the cluster to be fine", lambda: not made.run(*CHECK).returncode, within=60)
        yield made
    finally:
        for one in members:
            one.stop()
        network.kill()
        network.communicate()


def test_a_cluster_with_the_certificates_of_cluster_certs_is_as_its_file_says(machine: Machine) -> None:
    done = machine.run(*CHECK)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[:3] for line in done.stdout.splitlines()[1:4]] == [
        [f"pg{number + 1}", f"https://{host}:2379", "healthy"] for number, host in enumerate(ADDRESSES)
    ]
    assert done.stdout.endswith("\nAll is well.\n")
    said = machine.run(*CHECK, "--json").stdout
    check("cluster-check", said)
    assert json.loads(said)["result"] == "fine"


def test_faults_are_printed_with_status_1_and_what_mends_them(machine: Machine) -> None:
    machine.writes("other.yaml", "pg1", "pg2", "db3")
    done = machine.run("check", "other.yaml")
    assert done.returncode == 1, done.stderr
    assert "member-missing: db3" in done.stdout
    assert "member-extra: pg3" in done.stdout
    said = machine.run("check", "other.yaml", "--json").stdout
    check("cluster-check", said)
    assert json.loads(said)["result"] == "faulty"


def test_without_a_certificate_the_command_that_presents_one_works_as_printed(machine: Machine) -> None:
    files = machine.folder / "cluster/pg1/etcd-tls"
    done = machine.run(*CHECK, "--output", "elsewhere", "--cacert", str(files / "ca.crt"))
    assert (done.returncode, "client-certificate-missing" in done.stdout) == (2, True)
    check("cluster-check", machine.run(*CHECK, "--output", "elsewhere", "--json").stdout)
    (printed,) = {line.partition(": ")[2] for line in done.stdout.splitlines() if "--cacert FILE" in line}
    for name, file in (("--cacert", "ca.crt"), ("--cert", "root.crt"), ("--key", "root.key")):
        printed = printed.replace(f"{name} FILE", f"{name} {files / file}")
    typed = f"cd {machine.folder}; PATH={ETCD_DEB.parent}:$PATH {printed}"
    assert "All is well." in run([*machine.inside, "sh", "-ec", typed]).stdout


def test_a_file_that_is_no_certificate_is_an_error_with_status_2(machine: Machine) -> None:
    done = machine.run(*CHECK, "--cacert", str(machine.folder / "cluster.yaml"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("etcd-deb: error: CA can't be used")
    assert "\nhint: " in done.stderr


def test_a_certificate_without_its_key_is_wrong_usage(machine: Machine) -> None:
    done = machine.run(*CHECK, "--cert", str(machine.folder / "cluster/pg1/etcd-tls/root.crt"))
    assert (done.returncode, "--cert and --key must be given together" in done.stderr) == (2, True)
