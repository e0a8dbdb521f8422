"""`etcd-deb cluster check` from a machine that reaches three members by the addresses of the example."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from builder import shipped
from tests.package.node.check.authority import authority
from tests.package.node.check.clusters import NEWEST, Loopback, unpack
from tests.package.repository.test_json_output import check
from tests.support.account import ETCD_DEB
from tests.support.command import run
from tests.support.wait import wait_for

EXAMPLE = shipped.CONF / "cluster.example.yaml"
ADDRESSES = ("192.168.6.10", "192.168.6.11", "192.168.6.12")


@dataclass(frozen=True)
class Machine:
    """Runs commands where the members' addresses are. presented: options of `cluster check`."""

    inside: tuple[str, ...]
    members: Sequence[Loopback]
    presented: tuple[str, ...]

    def check(self, *words: str, file: Path = EXAMPLE) -> subprocess.CompletedProcess[str]:
        """etcd-deb cluster check."""
        return subprocess.run(
            [*self.inside, str(ETCD_DEB), "cluster", "check", str(file), *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("cluster")
    unpack(folder, NEWEST)
    signer = authority(folder)
    client = signer.issue("client")
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
        inside = ("nsenter", f"--net=/proc/{network.pid}/ns/net")
        # Members judge each other by the address that a connection comes from, here any of the three.
        tls = (signer, signer.issue("server", *ADDRESSES))
        for number, host in enumerate(ADDRESSES):
            name = f"pg{number + 1}"
            members.append(Loopback(name, 2379, 2380, folder, host=host, tls=tls, before=inside))
        for one in members:
            one.start(",".join(f"{one.name}={one.peer_url}" for one in members))
        presented = (
            "--cacert",
            str(signer.file),
            "--cert",
            str(client.certificate),
            "--key",
            str(client.key),
        )
        made = Machine(inside, members, presented)
        wait_for("the cluster to be fine", lambda: not made.check(*presented).returncode, within=60)
        yield made
    finally:
        for one in members:
            one.stop()
        network.kill()
        network.communicate()


def test_the_cluster_of_the_example_is_found_to_be_as_its_file_says(machine: Machine) -> None:
    done = machine.check(*machine.presented)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[:3] for line in done.stdout.splitlines()[1:4]] == [
        [f"pg{number + 1}", f"https://{host}:2379", "healthy"] for number, host in enumerate(ADDRESSES)
    ]
    assert done.stdout.endswith("\nAll is well.\n")
    said = machine.check(*machine.presented, "--json").stdout
    check("cluster-check", said)
    assert json.loads(said)["result"] == "fine"


def test_faults_are_printed_with_status_1_and_what_mends_them(machine: Machine, tmp_path: Path) -> None:
    nodes = "\n".join(
        f"  - {{name: {name}, address: {host}}}"
        for name, host in zip(("pg1", "pg2", "db3"), ADDRESSES, strict=True)
    )
    file = tmp_path / "cluster.yaml"
    file.write_text(f"token: patroni_cluster\ntls: {{authority: own}}\nnodes:\n{nodes}\n")
    done = machine.check(*machine.presented, file=file)
    assert done.returncode == 1, done.stderr
    assert "member-missing: db3" in done.stdout
    assert "member-extra: pg3" in done.stdout
    said = machine.check(*machine.presented, "--json", file=file).stdout
    check("cluster-check", said)
    assert json.loads(said)["result"] == "faulty"


def test_without_a_certificate_the_command_that_presents_one_works_as_printed(machine: Machine) -> None:
    done = machine.check(*machine.presented[:2])
    assert (done.returncode, "client-certificate-missing" in done.stdout) == (2, True)
    check("cluster-check", machine.check("--json").stdout)
    (printed,) = {line.partition(": ")[2] for line in done.stdout.splitlines() if "--cacert FILE" in line}
    for name, value in zip(machine.presented[::2], machine.presented[1::2], strict=True):
        printed = printed.replace(f"{name} FILE", f"{name} {value}")
    program = f"PATH={Path(sys.executable).parent}:$PATH"
    assert "All is well." in run([*machine.inside, "sh", "-ec", f"{program} {printed}"]).stdout


def test_a_file_that_is_no_certificate_is_an_error_with_status_2(machine: Machine) -> None:
    done = machine.check("--cacert", str(EXAMPLE))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("etcd-deb: error: CA can't be used")
    assert "\nhint: " in done.stderr


def test_a_certificate_without_its_key_is_wrong_usage(machine: Machine) -> None:
    done = machine.check(*machine.presented[:4])
    assert (done.returncode, "--cert and --key belong together" in done.stderr) == (2, True)
