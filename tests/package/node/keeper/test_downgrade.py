"""A cluster goes back by one minor version; real etcd on loopback."""

from __future__ import annotations

import fcntl
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from etcd_ha.identity import Identity
from etcd_ha.keeper.lock import FILE

from tests.package.node.check.authority import authority
from tests.package.node.check.clusters import HOST, Loopback, program
from tests.package.node.check.clusters import planned as members_planned
from tests.package.node.check.clusters import running as members_running
from tests.package.node.keeper.nodes import Node, lost, planned, running, writing
from tests.package.node.node_shell import TEMPLATE
from tests.support.wait import wait_for

PACKAGES = {"3.5": "3.5.35-1", "3.6": "3.6.16-1", "3.7": "3.7.3-1"}
# In the place of apt's: what it knows, the newest first.
APT_CACHE = "#!/bin/sh\ncat <<'END'\n{}END\n"


def know_packages(nodes: Sequence[Node], *minors: str) -> None:
    """Have apt know the packages of these minor versions."""
    rows = "".join(
        f"   etcd-ha | {PACKAGES[minor]} | file:/repository ./ Packages\n"
        for minor in sorted(minors, reverse=True)
    )
    for node in nodes:
        script = node.folder / "bin/apt-cache"
        script.write_text(APT_CACHE.format(rows))
        script.chmod(0o755)


def install(node: Node, nodes: Sequence[Node], version: str) -> None:
    """What the package does: the member runs that version from now on."""
    node.stop()
    node.version = version
    node.write(nodes)
    know_packages([node], *PACKAGES)
    node.start()
    node.serves()


def storage(node: Node) -> str:
    (row,) = json.loads(node.etcdctl("endpoint", "status", "-w", "json"))
    return str(row["Status"].get("storageVersion", ""))


def under_way(node: Node) -> tuple[bool | None, str | None]:
    """What status has of it."""
    said = json.loads(node.tool("status", "--json").stdout)
    return said["downgrade"], said["downgrade_target"]


def begin(node: Node, minor: str) -> str:
    done = node.tool("downgrade", minor, "--yes")
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_a_cluster_goes_back_by_one_minor_version_and_by_another_and_loses_nothing(tmp_path: Path) -> None:
    with running(planned(tmp_path, "3.7.3", 3), 3) as nodes:
        know_packages(nodes, *PACKAGES)
        first, second, third = nodes
        wait_for("data of 3.7", lambda: storage(first) == "3.7.0", within=20)
        with writing(nodes) as acknowledged:
            for newer, older in (("3.7.3", "3.6.16"), ("3.6.16", "3.5.35")):
                minor, before = older.rpartition(".")[0], storage(first)
                plan = first.tool("downgrade", minor, "--dry-run")
                assert (plan.returncode, "to do: letting" in plan.stdout) == (0, True), plan.stdout
                assert (storage(first), under_way(first)) == (before, (False, None))
                said = begin(first, minor)
                assert f"in any order: apt install -y --allow-downgrades etcd-ha={PACKAGES[minor]}" in said
                assert {storage(node) for node in nodes} == {f"{minor}.0"}
                assert under_way(second) == (True, minor)
                install(second, nodes, older)
                left = f"pg1 ({newer}), pg3 ({newer})"
                again = third.tool("downgrade", minor)
                assert f"These members do not run {minor} yet: {left}" in again.stdout, again.stdout
                line = f"downgrade   to {minor} is under way; not there yet: {left}"
                assert line in first.tool("status").stdout
                install(third, nodes, older)
                install(first, nodes, older)
                done = second.tool("downgrade", minor)
                assert done.returncode == 0, done.stdout
                wait_for("the end", lambda: under_way(first) == (False, None), within=20)
                nothing = first.tool("downgrade", minor)
                assert f"nothing is left to do, all members run {minor}" in nothing.stdout, nothing.stdout
        assert lost(acknowledged, third) == []


@pytest.mark.timeout(180)
def test_a_downgrade_that_is_cancelled_half_way_leaves_both_ways_open(tmp_path: Path) -> None:
    with running(planned(tmp_path, "3.7.3", 3), 3) as nodes:
        know_packages(nodes, *PACKAGES)
        first, second, third = nodes
        assert "no downgrade is under way" in first.tool("downgrade", "--cancel").stdout
        begin(first, "3.6")
        install(third, nodes, "3.6.16")
        elsewhere = second.tool("downgrade", "3.5", "--yes")
        assert elsewhere.returncode == 1
        assert "a downgrade to 3.6 is under way, and not to 3.5" in elsewhere.stdout
        plan = third.tool("downgrade", "--cancel", "--dry-run")
        assert "to do: cancelling the downgrade to 3.6" in plan.stdout
        assert under_way(third) == (True, "3.6")
        cancelled = second.tool("downgrade", "--cancel")
        assert cancelled.returncode == 0, cancelled.stdout
        assert "the downgrade to 3.6 is cancelled" in cancelled.stdout
        assert "do not run 3.7 yet: pg3 (3.6.16)" in cancelled.stdout
        assert "apt install -y --allow-downgrades etcd-ha=3.7.3-1" in cancelled.stdout
        wait_for("the end", lambda: {under_way(node) for node in nodes} == {(False, None)}, within=10)
        mixed = first.tool("downgrade", "3.6", "--yes")
        assert mixed.returncode == 1
        assert "found     pg1 (3.7.3), pg2 (3.7.3), pg3 (3.6.16)" in mixed.stdout
        # Each may be restarted as it is.
        for node in nodes:
            install(node, nodes, node.version)
        install(third, nodes, "3.7.3")
        wait_for("data of 3.7", lambda: {storage(node) for node in nodes} == {"3.7.0"}, within=20)
        begin(second, "3.6")
        assert all(node.takes_writes() for node in nodes)


def test_what_is_no_step_of_a_healthy_cluster_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    with running(planned(tmp_path, "3.6.16", 3), 3) as nodes:
        know_packages(nodes, "3.6")
        first, second, third = nodes
        wait_for("data of 3.6", lambda: storage(first) == "3.6.0", within=20)
        for minor in ("3.4", "3.7", "4.5"):
            done = first.tool("downgrade", minor, "--yes")
            assert done.returncode == 1
            assert f"etcd 3.6 can't be downgraded to {minor}" in done.stdout
            assert "expected  3.5" in done.stdout
        assert "nothing is left to do" in first.tool("downgrade", "3.6").stdout
        asked = first.tool("downgrade", "3.5")
        assert (asked.returncode, "standard input is not a terminal" in asked.stdout) == (1, True), (
            asked.stdout
        )
        unknown = first.tool("downgrade", "3.5", "--dry-run").stdout
        assert "apt knows no etcd-ha 3.5 here; add that component" in unknown
        with (first.folder / FILE).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            busy = first.tool("downgrade", "3.5", "--yes")
        assert (busy.returncode, "is running on this node" in busy.stdout) == (1, True), busy.stdout
        assert "etcd-ha downgrade 3.5 --yes" in busy.stdout
        third.stop()
        ill = first.tool("downgrade", "3.5", "--yes")
        assert (ill.returncode, "pg3 is not healthy" in ill.stdout) == (1, True), ill.stdout
        assert f"pg3: {third.url}: connection refused" in ill.stdout
        assert (storage(first), under_way(first)) == ("3.6.0", (False, None))
        second.stop()
        alone = first.tool("downgrade", "3.5", "--yes")
        assert (alone.returncode, "the cluster has no quorum" in alone.stdout) == (1, True), alone.stdout


@pytest.mark.parametrize(
    "words", [(), ("3.6", "--cancel"), ("3.6.1",), ("3",), ("3.",), ("old",), ("3.6", "3.5")]
)
def test_other_words_are_wrong_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    (node,) = planned(tmp_path, "3.6.16", 1)
    node.write([node])
    done = node.tool("downgrade", *words)
    assert (done.returncode, "hint: " in done.stdout) == (2, True), done.stdout


def test_etcd_3_5_has_no_downgrade_and_a_backup_is_named(tmp_path: Path) -> None:
    with running(planned(tmp_path, "3.5.35", 1), 1) as (only,):
        done = only.tool("downgrade", "3.4", "--yes")
        assert done.returncode == 1
        assert "expected  3.6 or later on all members" in done.stdout
        assert "etcd-ha backup list" in done.stdout
        cancelled = only.tool("downgrade", "--cancel")
        assert (cancelled.returncode, cancelled.stdout) == (0, "no downgrade is under way\n")


def with_tls(folder: Path) -> tuple[Loopback, dict[str, str]]:
    """A member of 3.7 that wants certificates, and the environment of a node with its etcd.yaml."""
    ca = authority(folder / "tls")
    pair = ca.issue("member", HOST)
    (member,) = members_planned(folder, 1, (ca.file, pair))
    member.version = "3.7.3"
    # The gateway takes no user from a client whose certificate has a common name, where that is set.
    member.changed = {"client-cert-auth": "false"}
    (folder / "etcd.yaml").write_text(
        f"name: {member.name}\nadvertise-client-urls: {member.url}\n"
        f"initial-cluster: {member.name}={member.peer_url}\n"
        f"client-transport-security:\n  trusted-ca-file: {ca.file}\n"
        f"  cert-file: {pair.certificate}\n  key-file: {pair.key}\n"
    )
    (node,) = planned(folder, "3.7.3", 1)
    return member, {
        **node.environment,
        "CONFIG": str(folder / "etcd.yaml"),
        "CREDENTIALS": str(folder / "credentials"),
        "ETCD_HA_RUN": str(folder),
        "PATH": f"{folder}:/usr/bin:/bin",
    }


def test_tls_and_authentication_are_served(tmp_path: Path) -> None:
    member, environment = with_tls(tmp_path)
    script = tmp_path / "apt-cache"
    script.write_text(APT_CACHE.format(""))
    script.chmod(0o755)

    def downgrade(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", str(TEMPLATE / "node/commands/downgrade"), *words],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=120, check=False,
        )  # fmt: skip

    assert member.tls is not None
    ca, pair = member.tls
    etcdctl = [
        str(program("3.7.3", "etcdctl")), f"--endpoints={member.url}", f"--cacert={ca}",
        f"--cert={pair.certificate}", f"--key={pair.key}",
    ]  # fmt: skip
    with members_running([member], Identity(str(ca), str(pair.certificate), str(pair.key))):
        for words in ("user add root:secret", "user grant-role root root", "auth enable"):
            subprocess.run([*etcdctl, *words.split()], check=True, capture_output=True)
        without = downgrade("3.6", "--yes")
        assert without.returncode == 1, without.stdout
        (tmp_path / "credentials").write_text("root:secret\n")
        done = downgrade("3.6", "--yes")
        assert done.returncode == 0, done.stdout
        assert "the downgrade to 3.6 has begun" in done.stdout
        cancelled = downgrade("--cancel")
        assert (cancelled.returncode, cancelled.stdout) == (0, "the downgrade to 3.6 is cancelled\n")
