"""Authentication with a user per Patroni cluster; real etcd on loopback."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import trustme

from tests.package.node.check.authority import Authority
from tests.package.node.check.clusters import program
from tests.package.node.keeper.changing import hand_out
from tests.package.node.keeper.conftest import VERSIONS
from tests.package.node.keeper.nodes import Node, planned, running
from tests.package.node.keeper.runs import done, killed, refused
from tests.support.sample import sampled

NAMESPACE = "/postgresql-common/17-main/"
ADD = ("add-user", "17-main", NAMESPACE)
GOOD = "4.1.1"


@pytest.fixture(params=sampled(VERSIONS, "3.6.16"))
def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sequence[Node]]:
    with running(planned(tmp_path, request.param, 3), 3) as found:
        yield found


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A cluster of one, for what the others do not change."""
    with running(planned(tmp_path, "3.6.16", 1), 1) as (only,):
        yield only


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """The same, which no test changes."""
    with running(planned(tmp_path_factory.mktemp("unchanged"), "3.6.16", 1), 1) as (only,):
        yield only


def etcdctl(node: Node, user: str, *words: str) -> subprocess.CompletedProcess[str]:
    """As a user; NAME:PASSWORD, or nobody."""
    command = [str(program(node.version, "etcdctl")), f"--endpoints={node.url}", *words]
    given = [f"--user={user}"] if user else []
    return subprocess.run([*command, *given], capture_output=True, text=True, timeout=60, check=False)


def password_of(said: str) -> str:
    """As it is printed for Patroni's file."""
    found = re.search(r"^  username: 17-main\n  password: ([A-Za-z0-9_-]{32})$", said, re.MULTILINE)
    assert found, said
    return found[1]


def patroni(node: Node, version: str | None = GOOD) -> None:
    """A process of Patroni that lives, as it writes its key."""
    said = {"conn_url": "postgres://192.0.2.1:5432/postgres", "state": "running"}
    node.etcdctl(
        "put", f"{NAMESPACE}members/pg1", json.dumps({**said, **({"version": version} if version else {})})
    )


def test_a_user_reads_and_writes_its_prefix_alone_and_nobody_else_writes(nodes: Sequence[Node]) -> None:
    first, second, _ = nodes
    patroni(first)
    user = "17-main:" + password_of(done(first, "auth", *ADD))
    said = done(first, "auth", "enable", "--yes")
    assert f"Copy {first.folder}/credentials to the same place on pg2, pg3" in said
    credentials = first.folder / "credentials"
    assert (credentials.stat().st_mode & 0o777, credentials.stat().st_uid) == (0o600, 0)
    assert "OK" in etcdctl(second, user, "put", f"{NAMESPACE}leader", "pg1").stdout
    assert "pg1" in etcdctl(second, user, "get", f"{NAMESPACE}leader").stdout
    # As Patroni does.
    assert "pg3" in etcdctl(second, user, "member", "list").stdout
    for key in ("/postgresql-common/17-other/leader", "/service/x"):
        assert "permission denied" in etcdctl(second, user, "put", key, "x").stderr
    assert "user name is empty" in etcdctl(second, "", "get", f"{NAMESPACE}leader").stderr
    # The commands of the package work where the file is, and say what is missing where it is not.
    assert "Authentication is on" in done(first, "auth", "enable")
    assert f"authentication is on, and this node has no {second.folder}/credentials" in refused(
        second, "auth", "enable"
    )
    shutil.copy(credentials, second.folder / "credentials")
    assert "Authentication is on" in done(second, "auth", "enable")
    for node in (second, first):
        ended = node.tool("restart")
        assert ended.returncode == 0, ended.stdout


def test_a_password_is_printed_once_and_another_one_on_demand(node: Node) -> None:
    old = password_of(done(node, "auth", *ADD))
    said = done(node, "auth", *ADD)
    assert "keeps its password" in said
    assert "password:" not in said
    assert "for another: etcd-ha auth add-user 17-main /postgresql-common/17-main/ --new-password" in said
    new = password_of(done(node, "auth", *ADD, "--new-password"))
    assert new != old
    done(node, "auth", "enable", "--yes")
    assert etcdctl(node, f"17-main:{new}", "get", NAMESPACE).returncode == 0
    assert etcdctl(node, f"17-main:{old}", "get", NAMESPACE).returncode != 0
    # With authentication on as well.
    assert "username: 17-other" in done(node, "auth", "add-user", "17-other", "/postgresql-common/17-other/")


@pytest.mark.parametrize(
    ("version", "got"), [("4.0.7", "Patroni 4.0.7"), (None, "it does not report its version")]
)
def test_a_patroni_that_would_fail_or_does_not_say_is_named_and_nothing_is_changed(
    node: Node, version: str | None, got: str
) -> None:
    done(node, "auth", *ADD)
    patroni(node, version)
    said = refused(node, "auth", "enable", "--yes")
    assert "Patroni would fail with authentication; nothing was changed" in said
    assert f"found     pg1 of {NAMESPACE}: {got}" in said
    assert not (node.folder / "credentials").exists()
    assert etcdctl(node, "", "put", "key", "value").returncode == 0


def test_a_patroni_cluster_without_a_user_keeps_authentication_off_and_the_command_adds_one(
    node: Node,
) -> None:
    patroni(node)
    said = refused(node, "auth", "enable", "--yes")
    assert f"no user may write the keys of Patroni below {NAMESPACE}" in said
    (command,) = re.findall(r"^hint: etcd-ha auth (.*)$", said, re.MULTILINE)
    done(node, "auth", *command.split())
    assert "Authentication is on." in done(node, "auth", "enable", "--yes")


def test_what_would_be_done_is_shown_and_every_client_is_asked_for(unchanged: Node) -> None:
    node = unchanged
    assert "to do: adding the user 17-main" in done(node, "auth", *ADD[:1], "--dry-run", *ADD[1:])
    assert "to do: turning authentication on" in done(node, "auth", "enable", "--dry-run")
    assert "From then on, every client needs a user. These have one: none." in refused(node, "auth", "enable")
    assert not (node.folder / "credentials").exists()
    assert etcdctl(node, "", "user", "list").stdout == ""


@pytest.mark.parametrize(
    "step", sampled(("writing", "the role root", "the user root", "its role", "turning"), "the user root")
)
def test_a_run_that_was_killed_goes_on_when_it_is_run_again(node: Node, step: str) -> None:
    assert step in killed(node, step, 0, "auth", "enable", "--yes")
    done(node, "auth", "enable", "--yes")
    user = (node.folder / "credentials").read_text().strip()
    assert etcdctl(node, user, "put", "key", "value").returncode == 0
    assert "user name is empty" in etcdctl(node, "", "put", "key", "value").stderr


def test_a_certificate_that_the_gateway_would_refuse_keeps_authentication_off(tmp_path: Path) -> None:
    (only,) = planned(tmp_path, "3.6.16", 1)
    authority, files = trustme.CA(), {name: tmp_path / f"{name}.pem" for name in ("ca", "cert", "key")}
    issued = authority.issue_cert(only.address, common_name="pg1")
    authority.cert_pem.write_to_path(str(files["ca"]))
    issued.cert_chain_pems[0].write_to_path(str(files["cert"]))
    issued.private_key_pem.write_to_path(str(files["key"]))
    only.settings = {
        "listen-client-urls": f"{only.url},https://{only.address}:2378",
        "client-transport-security": f"\n  cert-file: {files['cert']}\n  key-file: {files['key']}"
        f"\n  trusted-ca-file: {files['ca']}\n  client-cert-auth: true",
    }
    with running([only], 1):
        said = refused(only, "auth", "enable", "--yes")
        assert f"{files['cert']} has a common name; nothing was changed" in said
        assert "found     CN=pg1" in said
        assert "etcd-deb cluster certs FILE --renew" in said
        assert "Authentication Status: false" in etcdctl(only, "", "auth", "status").stdout


def test_with_authentication_on_such_a_certificate_keeps_tls_off(node: Node, signer: Authority) -> None:
    done(node, "auth", "enable", "--yes")
    hand_out(signer, node)
    before = (node.folder / "etcd.yaml").read_text()
    ended = node.tool("tls", "enable", "--yes")
    assert ended.returncode == 1
    assert f"{node.tls}/server.crt has a common name; nothing was changed" in ended.stdout
    assert (node.folder / "etcd.yaml").read_text() == before


def test_while_a_member_is_down_authentication_stays_off(tmp_path: Path) -> None:
    with running(planned(tmp_path, "3.6.16", 3), 3) as (first, _, third):
        third.stop()
        assert "pg3 is not healthy; nothing was changed" in refused(first, "auth", "enable", "--yes")


@pytest.mark.parametrize(
    "words",
    [
        ("add-user", "root", NAMESPACE),
        ("add-user", "a b", NAMESPACE),
        ("add-user", "17-main", "/postgresql-common/17-main"),
        ("add-user", "17-main", "/"),
        ("add-user", "17-main", "/etcd-ha/"),
        ("add-user", "17-main"),
        ("disable",),
    ],
)
def test_other_names_prefixes_and_words_are_refused(unchanged: Node, words: Sequence[str]) -> None:
    assert unchanged.tool("auth", *words).returncode == 2
