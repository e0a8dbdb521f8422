"""Real etcd of each minor that can be had takes the files that the package has written."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import trustme

from tests.package.node.node_shell import NodeShell, node_shell
from tests.package.node.test_answers import ANSWERS
from tests.support.command import run
from tests.support.releases import releases
from tests.support.sample import sampled
from tests.support.wait import wait_for

VERSIONS = ("3.4.23", *releases.NEWEST.values())
SAMPLE = 12
# Names and tokens that YAML would take for something else; files that administrators begin with.
NAMES = (
    "pg1",
    "y",
    "no",
    "on",
    "101",
    "1e3",
    "0x1f",
    "010",
    "1.5",
    "null",
    "True",
    ".5",
    "1_000",
    "2001-01-01",
)
TOKENS = ("patroni", "a#b", "a:b", '"', "it's", "\\n", "{x}", "~", "ä€", "&a", "@b", "12:30")
BEGINNINGS = (
    b"",
    b"---\n# mine\n",
    b"# mine\r\nsnapshot-count: 5000\r\n",
    b"Name: old   # kept\nlog-outputs:\n- stderr\n",
    b"client-transport-security:\n  # none yet\nx-unknown: |\n  name: text\n",
    b"'name': 'old'\nmax-wals: 5\nlog-level: info",
    b"\xef\xbb\xbfenable-pprof: no\n\n\n",
)
TAKEN = re.compile(r"starting an etcd server|etcdserver: name = |starting member|serving (client|insecure)")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeShell]:
    """One process of the node's shell for all files."""
    with node_shell(tmp_path_factory.mktemp("shell")) as running:
        yield running


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The answers that name a certificate of a throw-away authority."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "pg1")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "node.key"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "node.pem"))
    return {
        "tls": "true",
        "tls-ca": str(folder / "ca.pem"),
        "tls-cert": str(folder / "node.pem"),
        "tls-key": str(folder / "node.key"),
    }


def some_answers(random: Random, certificates: dict[str, str], data: Path) -> dict[str, str]:
    """Right answers of many kinds, on addresses that every machine has."""
    address = random.choice(["127.0.0.1", "::1", "127.0.0.5"])
    name = random.choice(NAMES)
    return {
        **ANSWERS,
        **random.choice([{}, {}, certificates]),
        "setup": random.choice(["cluster", "single"]),
        "node-name": name,
        "address": address,
        "members": f"{name}={address},other=127.0.0.9",
        "cluster-token": random.choice(TOKENS),
        "data-dir": str(data),
        "metrics-address": random.choice(["", "127.0.0.1:2381"]),
        "heartbeat-interval": random.choice(["", "100", "150"]),
        "quota": random.choice(["", "2G", "512M", "0"]),
        "auto-compaction": random.choice(["off", "1h", "30m", "5", "revision:1000"]),
    }


def program_of(version: str, folder: Path) -> Path:
    """etcd out of a release of the lab."""
    name = f"etcd-v{version}-linux-amd64"
    tarball = releases.RELEASES / f"v{version}" / f"{name}.tar.gz"
    run(["tar", "-xf", tarball, "--no-same-owner", "-C", folder, f"{name}/etcd", f"{name}/etcdctl"])
    return folder / name / "etcd"


@contextlib.contextmanager
def started(program: Path, file: Path, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """etcd in a network of its own, so that its ports are free; killed at the end."""
    script = 'ip link set lo up && exec "$0" --config-file "$1"'
    command = ["unshare", "--net", "--kill-child", "sh", "-c", script, str(program), str(file)]
    with output.open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@pytest.mark.parametrize("files", sampled([SAMPLE, 50], SAMPLE))
# The oldest and the newest.
@pytest.mark.parametrize("version", sampled(VERSIONS, VERSIONS[0], releases.NEWEST["3.7"]))
def test_etcd_takes_what_was_written(
    shell: NodeShell, certificates: dict[str, str], tmp_path: Path, version: str, files: int
) -> None:
    releases.ensure(version)
    program = program_of(version, tmp_path)
    random = Random(version)  # noqa: S311
    for number in range(files):
        given = some_answers(random, certificates, tmp_path / f"data-{number}")
        outcome = shell.answer(random.choice(BEGINNINGS), given)
        assert outcome.status == 0, outcome.message
        file, log = tmp_path / "etcd.yaml", tmp_path / f"{number}.log"
        file.write_bytes(outcome.edited)
        with started(program, file, log) as process:

            def is_taken(
                log: Path = log, process: subprocess.Popen[bytes] = process, written: bytes = outcome.edited
            ) -> bool:
                said = log.read_text(errors="replace")
                assert process.poll() is None, f"{written.decode()}\n{said[-2000:]}"
                return TAKEN.search(said) is not None

            wait_for(f"etcd {version} to take file {number}", is_taken, within=20)
