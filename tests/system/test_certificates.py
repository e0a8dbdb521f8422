"""Certificates that do not fit are named before the start, at the installation and by status."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.faults import planted
from tests.support.faults.certificates import ANSWERS, FOLDER
from tests.support.faults.planted import SERVER, Authority, Issued, key_pem
from tests.support.machines.cluster import is_healthy, is_serving, preseed
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.advice import follow
from tests.system.service import service
from tests.system.test_status import screen, status

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

CONFIG = "/etc/etcd/etcd.yaml"
CANT_HEAL = 78
NEWEST = "3.7.3"


def put_files(node: Machine, cert: str, key: str, ca: str) -> None:
    """As the account etcd may read them, whether it is there already or not."""
    node.run("mkdir", "-p", FOLDER)
    for name, content in (("node.pem", cert), ("node.key", key), ("ca.pem", ca)):
        node.put(f"{FOLDER}/{name}", content)


def put(node: Machine, issued: Issued, root: Authority) -> None:
    """The files of a certificate and its CA."""
    put_files(node, issued.pem, issued.key_pem, root.pem)


def issue(node: Machine, root: Authority) -> Issued:
    """A certificate as the node needs it."""
    return root.issue(node.address, node.name, "127.0.0.1")


def spaced(text: str) -> str:
    """Names as openssl before 3.2 writes them."""
    return text.replace("=", " = ").replace("  ", " ")


def start_says(node: Machine, words: str) -> str:
    """What preflight writes into the journal at a new start of the service, in its sandbox."""
    begun = node.run("date", "+%s").stdout.strip()
    node.run("systemctl", "restart", "--no-block", "etcd")

    def said() -> str:
        text = spaced(node.run("journalctl", "-u", "etcd", "-o", "cat", f"--since=@{begun}").stdout)
        return text if words in text else ""

    return wait_for(f"preflight to say {words}", said, within=20)


def stopped(node: Machine) -> str:
    """etcd.service fails for good; what preflight says by hand."""
    wait_for("etcd.service to fail", lambda: service(node).active == "failed", within=20)
    assert service(node).status == CANT_HEAL
    done = node.run("etcd-ha", "preflight", check=False)
    assert done.returncode == CANT_HEAL
    return done.stdout


def knows_no_quorum(node: Machine) -> bool:
    """Whether both forms of status say that the member could not be asked, and not that it has no quorum."""
    return "quorum unknown: could not ask n1 (" in screen(node) and status(node)[0]["quorum"] is None


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_faults_are_named_at_the_installation_before_the_start_and_by_status_until_they_are_mended(
    nodes: Nodes, package: Package
) -> None:
    (node,) = nodes(1)
    root = Authority()
    put(node, root.issue(node.address, "127.0.0.1", usages=(SERVER,)), root)
    preseed(node, {"setup": "single", "address": node.address, **ANSWERS})
    said = node.install(package(NEWEST)).stdout
    assert f"etcd-ha: warning: {FOLDER}/node.pem (peer-transport-security.cert-file" in said
    assert "expected the extended key usage clientAuth, found TLS Web Server Authentication" in said
    put(node, issue(node, root), root)
    wait_for("the member to serve", partial(is_serving, node), within=30)
    assert node.run("etcd-ha", "config", "lint").stdout == ""
    assert node.run("etcd-ha", "preflight").stdout == ""

    good = issue(node, root)
    here = node.address
    # Files, preflight's status by hand, and what each place says.
    wrong = {
        "clientAuth": (root.issue(here, "127.0.0.1", usages=(SERVER,)), 0, "extended key usage clientAuth"),
        "host": (root.issue("192.0.2.1"), 0, f"alternative name {here}, found IP Address:192.0.2.1"),
        "expired": (root.issue(here, "127.0.0.1", days=(-5, -1)), 0, "valid now, found it expired on"),
        "authority": (Authority("Other").issue(here, "127.0.0.1"), 0, "found issuer CN = Other"),
        "key": (Issued(good.certificate, planted.new_key()), 1, "found another key"),
    }
    for title, (issued, code, words) in wrong.items():
        put(node, issued, root)
        by_hand = node.run("etcd-ha", "preflight", check=False)
        lint = node.run("etcd-ha", "config", "lint", check=False)
        at_start = start_says(node, words)
        assert (by_hand.returncode, lint.returncode) == (code, 1), title
        for text in (by_hand.stdout, lint.stdout, at_start):
            assert words in spaced(text), (title, text)
            assert f"{FOLDER}/node." in text
        wait_for(
            "etcd to run or to wait", lambda: service(node).active in {"active", "activating"}, within=20
        )
        if not code:
            wait_for("etcd to be up", lambda: service(node).active == "active", within=20)
        shown = node.run("etcd-ha", "status", check=False)
        assert shown.returncode == 1
        assert words in spaced(shown.stdout)
        if not code:
            # It has a quorum; it could not be asked.
            assert knows_no_quorum(node)
        put(node, good, root)
        # Without anybody's doing: etcd reads certificates anew, and preflight looks again.
        wait_for(f"the member to serve after {title}", partial(is_serving, node), within=30)


def test_files_that_etcd_can_never_use_stop_the_service_and_the_advice_mends_it(
    nodes: Nodes, package: Package
) -> None:
    (node,) = nodes(1)
    root = Authority()
    good = issue(node, root)
    put_files(node, good.pem, key_pem(good.key, planted.PASSPHRASE), root.pem)
    preseed(node, {"setup": "single", "address": node.address, **ANSWERS})
    said = node.install(package(NEWEST)).stdout
    assert "expected a private key without a passphrase, found one with a passphrase" in said
    follow(stopped(node), node, "openssl pkey", "systemctl start etcd", answer=f"{planted.PASSPHRASE}\n")
    wait_for("the member to serve", partial(is_serving, node), within=30)
    assert node.run("ls", FOLDER).stdout.split() == ["ca.pem", "node.key", "node.pem"]
    binary = ("openssl", "x509", "-in", f"{FOLDER}/node.pem", "-outform", "DER", "-out", f"{FOLDER}/node.pem")
    node.run(*binary)
    node.run("systemctl", "restart", "--no-block", "etcd")
    follow(stopped(node), node, " -inform DER", "systemctl start etcd")
    wait_for("the member to serve", partial(is_serving, node), within=30)
    node.run("chmod", "0600", f"{FOLDER}/node.key")
    node.run("systemctl", "restart", "--no-block", "etcd")
    follow(stopped(node), node, "chgrp etcd", "systemctl start etcd")
    wait_for("the member to serve", partial(is_serving, node), within=30)


@pytest.mark.alone
def test_preflight_of_a_member_with_tls_takes_less_than_a_second(nodes: Nodes, package: Package) -> None:
    (node,) = nodes(1)
    root = Authority()
    put(node, issue(node, root), root)
    preseed(node, {"setup": "single", "address": node.address, **ANSWERS})
    node.install(package(NEWEST))
    begin = time.monotonic()
    assert node.run("etcd-ha", "preflight").stdout == ""
    assert time.monotonic() - begin < 1


def test_changed_authority_makes_a_restart_due(nodes: Nodes, package: Package) -> None:
    (node,) = nodes(1)
    root = Authority()
    put(node, issue(node, root), root)
    preseed(node, {"setup": "single", "address": node.address, **ANSWERS})
    node.install(package(NEWEST))
    wait_for("the member to serve", partial(is_serving, node), within=30)
    assert "restart     not pending" in node.run("etcd-ha", "status").stdout
    put(node, issue(node, root), root)
    assert "restart     not pending" in node.run("etcd-ha", "status").stdout
    node.put(f"{FOLDER}/ca.pem", Authority("Next").pem + root.pem)
    assert f"{FOLDER}/ca.pem was changed since the start" in node.run("etcd-ha", "status").stdout
    assert f"{FOLDER}/ca.pem" in node.run("etcd-ha", "restart", "--pending").stdout
    node.run("etcd-ha", "restart")
    assert "restart     not pending" in node.run("etcd-ha", "status").stdout
    assert node.run("etcd-ha", "restart", "--pending", check=False).returncode == 1


def test_member_is_not_restarted_into_a_start_that_preflight_refuses(nodes: Nodes, package: Package) -> None:
    (node,) = nodes(1)
    root = Authority()
    good = issue(node, root)
    put(node, good, root)
    preseed(node, {"setup": "single", "address": node.address, **ANSWERS})
    node.install(package(NEWEST))
    wait_for("the member to serve", partial(is_serving, node), within=30)
    pid = service(node).pid
    put_files(node, good.pem, key_pem(good.key, planted.PASSPHRASE), root.pem)
    done = node.run("etcd-ha", "restart", check=False)
    assert done.returncode == 1
    assert f"etcd was not restarted: it could not start again: {FOLDER}/node.key" in done.stdout
    assert (service(node).active, service(node).pid) == ("active", pid)


def reconfigure(node: Machine, answers: dict[str, str]) -> str:
    """dpkg-reconfigure with other answers."""
    preseed(node, answers)
    return node.run("dpkg-reconfigure", "etcd-ha", env={"DEBIAN_FRONTEND": "noninteractive"}).stdout


@pytest.mark.soak
def test_answers_of_tls_change_a_member_that_exists_all_together_or_not_at_all(
    nodes: Nodes, package: Package
) -> None:
    plain, secure = nodes(2)
    root = Authority()
    for node, answers in ((plain, {}), (secure, ANSWERS)):
        put(node, issue(node, root), root)
        preseed(node, {"setup": "single", "address": node.address, **answers})
        node.install(package(NEWEST))
    wait_for("the member to be healthy", partial(is_healthy, plain), within=30)
    wait_for("the member to serve", partial(is_serving, secure), within=30)
    before, pid = plain.get(CONFIG), service(plain).pid
    said = reconfigure(plain, ANSWERS)
    assert "these answers change nothing: tls tls-ca tls-cert tls-key" in said
    assert "TLS was not turned on: the other members and the clients use this member's current URLs" in said
    assert (plain.get(CONFIG), service(plain).pid) == (before, pid)
    follow(said, plain, "etcd-ha config set client-transport-security", "etcd-ha tls enable")
    assert f"https://{plain.address}:2379" in plain.get(CONFIG)
    assert f"cert-file: {FOLDER}/node.pem" in plain.get(CONFIG)
    plain.run("etcd-ha", "tls", "disable")
    # What is not of that group counts nonetheless, and its URLs keep their scheme.
    before, pid = secure.get(CONFIG), service(secure).pid
    said = reconfigure(secure, {"tls": "false", "heartbeat-interval": "150"})
    assert secure.get(CONFIG).replace("interval: 150", "interval: 100") == before
    # New paths alone are for both sections.
    secure.run("cp", "-a", FOLDER, f"{FOLDER}-new")
    moved = {name: value.replace(FOLDER, f"{FOLDER}-new") for name, value in ANSWERS.items()}
    reconfigure(secure, moved)
    assert secure.get(CONFIG).count(f"{FOLDER}-new/") == 6
    assert f"{FOLDER}/" not in secure.get(CONFIG)
    wait_for("the member to serve", partial(is_serving, secure), within=30)
    follow(said, secure, "etcd-ha tls disable")
    assert f"http://{secure.address}:2379" in secure.get(CONFIG)
