"""`etcdctl` on a node: it finds this node's member, unless the caller says another."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.package.node.check.authority import Authority
from tests.package.node.check.clusters import HOST, NEWEST, Cluster, identity_of, planned, program, running
from tests.package.node.node_shell import LIBRARY, TEMPLATE

FILE = """\
name: pg1
listen-client-urls: {url}
advertise-client-urls: {url}
client-transport-security:
  trusted-ca-file: {ca}
  cert-file: {certificate}
  key-file: {key}
"""
GET = ("get", "greeting", "--print-value-only")


class Node:
    """A node with a member that wants certificates."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder
        self.file = folder / "etcd.yaml"
        self.options = {
            "--endpoints": cluster.members[0].url,
            "--cacert": str(cluster.identity.authority),
            "--cert": str(cluster.identity.certificate),
            "--key": str(cluster.identity.key),
        }

    def etcdctl(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """What root types."""
        return subprocess.run(
            [TEMPLATE / "node/client/etcdctl", *words],
            env={
                "PATH": os.environ["PATH"],
                "ETCD_HA_LIB": str(LIBRARY),
                "ETCD_HA_CONFIG": str(self.file),
                "ETCD_HA_CREDENTIALS": str(self.folder / "credentials"),
                "ETCD_HA_BIN": str(program(NEWEST, "etcdctl").parent),
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, signer: Authority) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("etcdctl")
    pair = signer.issue("etcdctl", HOST)
    with running(planned(folder, 1, (signer.file, pair)), identity_of(signer, pair)) as cluster:
        cluster.etcdctl("put", "greeting", "hello")
        made = Node(cluster, folder)
        (member,) = cluster.members
        made.file.write_text(
            FILE.format(url=member.url, ca=signer.file, certificate=pair.certificate, key=pair.key)
        )
        yield made


def test_no_variable_and_no_option_is_needed_under_tls(node: Node) -> None:
    done = node.etcdctl(*GET)
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")


@pytest.mark.parametrize("names", [("--endpoints",), ("--endpoints", "--cacert", "--cert", "--key")])
def test_an_option_of_the_caller_never_meets_its_variable(node: Node, names: tuple[str, ...]) -> None:
    """etcdctl ends over both together."""
    for words in (
        [word for name in names for word in (name, node.options[name])],
        [f"{name}={node.options[name]}" for name in names],
    ):
        done = node.etcdctl(*words, *GET)
        assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr


def test_variables_of_the_caller_win(node: Node) -> None:
    nowhere = node.etcdctl("--command-timeout=1s", *GET, ETCDCTL_ENDPOINTS=f"https://{HOST}:1")
    assert nowhere.returncode != 0
    absent = node.etcdctl(*GET, ETCDCTL_CERT="/nonexistent.pem", ETCDCTL_KEY="/nonexistent.key")
    assert "/nonexistent.pem" in absent.stderr
    names = ("ENDPOINTS", "CACERT", "CERT", "KEY")
    variables = {f"ETCDCTL_{name}": value for name, value in zip(names, node.options.values(), strict=True)}
    assert node.etcdctl(*GET, **variables).stdout == "hello\n"


def test_a_variable_config_of_the_callers_shell_is_no_matter(node: Node) -> None:
    assert node.etcdctl(*GET, CONFIG="/etc/hosts", LIB="/tmp").stdout == "hello\n"  # noqa: S108


def test_what_can_not_be_read_is_said_and_nothing_is_presented(node: Node) -> None:
    whole = node.file.read_text()
    try:
        node.file.write_text(
            whole.replace("listen-client-urls: ", "Listen-Client-Urls: x\nlisten-client-urls: ")
        )
        done = node.etcdctl("--command-timeout=1s", *GET)
        assert "etcd-ha: warning: listen-client-urls can't be read" in done.stderr
        assert done.returncode != 0
        node.file.unlink()
        assert "warning" not in node.etcdctl("--command-timeout=1s", *GET).stderr
    finally:
        node.file.write_text(whole)


def test_a_cluster_with_authentication_takes_the_user_of_the_credentials(node: Node) -> None:
    (node.folder / "credentials").write_text("root:secret\n")
    node.etcdctl("user", "add", "root:secret")
    node.etcdctl("user", "grant-role", "root", "root")
    assert node.etcdctl("auth", "enable").returncode == 0
    assert node.etcdctl(*GET).stdout == "hello\n"
    assert node.etcdctl("--user=root:secret", *GET).stdout == "hello\n"
    assert "authentication failed" in node.etcdctl(*GET, ETCDCTL_USER="root:guess").stderr
    assert node.etcdctl("auth", "disable").returncode == 0
