"""What a restore refuses, each with the way out, and a restore that was broken off."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest
from etcd_ha.commands import backup as backup_command
from etcd_ha.commands import restore as restore_command
from etcd_ha.errors import EtcdHaError

from tests.package.node.backup.keeper_nodes import KeeperNode, running, three
from tests.package.node.node_shell import TEMPLATE
from tests.package.node.real_members import NETWORK
from tests.support.releases.releases import NEWEST


@pytest.fixture(scope="module")
def lost(
    tmp_path_factory: pytest.TempPathFactory, programs_of: Callable[[str], Mapping[str, Path]]
) -> tuple[tuple[KeeperNode, ...], Path]:
    """Three nodes whose members have ended, with their data, and a backup."""
    nodes = three(tmp_path_factory.mktemp("lost"), programs_of(NEWEST["3.6"]))
    with running(nodes):
        nodes[0].etcdctl("put", "key", "saved")
        backup = Path(nodes[0].done("backup").strip())
        nodes[0].etcdctl("put", "key", "later")
    return nodes, backup


@pytest.fixture
def node(lost: tuple[tuple[KeeperNode, ...], Path], tmp_path: Path) -> Iterator[KeeperNode]:
    """The first of them, its data as it was at the loss."""
    first = lost[0][0]
    shutil.copytree(first.data, tmp_path / "data")
    yield first
    shutil.rmtree(first.data)
    shutil.copytree(tmp_path / "data", first.data)
    shutil.rmtree(first.folder / "state", ignore_errors=True)


@pytest.fixture
def backup(lost: tuple[tuple[KeeperNode, ...], Path]) -> str:
    return str(lost[1])


def test_a_dry_run_shows_the_plan_and_changes_nothing(node: KeeperNode, backup: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in node.data.rglob("*")}
    said = node.done("restore", "--dry-run", backup)
    assert f"into       {node.data}" in said
    assert f"no answer from http://{NETWORK}.2:23790, http://{NETWORK}.3:23790" in said
    assert {path: path.stat().st_mtime_ns for path in node.data.rglob("*")} == before
    assert not (node.folder / "state").exists()


def test_without_a_terminal_and_without_yes_nothing_is_done(node: KeeperNode, backup: str) -> None:
    said = node.refused("restore", backup)
    assert "not confirmed" in said
    assert f"hint: to do it: etcd-ha restore {backup} --yes" in said
    assert (node.data / "member").exists()


def test_the_data_before_lies_beside_the_new(node: KeeperNode, backup: str) -> None:
    node.done("restore", "--yes", backup)
    (aside,) = node.data.glob("member.before-restore-*")
    assert (aside / "snap/db").exists()
    assert (node.data / "member/snap/db").exists()
    # Once more is nothing more, and says how it would be.
    said = node.keeper("restore", "--yes", backup)
    assert said.returncode == 0
    assert "was already restored from this file" in said.stderr
    assert "--token NAME" in said.stderr
    assert len(list(node.data.glob("member.before-restore-*"))) == 1
    node.done("restore", "--yes", "--token", "again", "--bump-revision", "2000000000", backup)
    assert len(list(node.data.glob("member.before-restore-*"))) == 2


def test_a_living_cluster_is_refused_on_each_of_its_nodes_and_join_is_named(
    lost: tuple[tuple[KeeperNode, ...], Path], node: KeeperNode, backup: str
) -> None:
    nodes = lost[0]
    with running(nodes[1:]):
        for one in (node, nodes[1]):
            said = one.refused("restore", "--yes", backup)
            assert "the cluster is running" in said
            assert "etcd-ha join" in said
    assert (node.data / "member").exists()


def test_an_etcd_that_is_no_service_and_uses_the_data_is_refused(node: KeeperNode, backup: str) -> None:
    # Alone it has no quorum, and answers nobody.
    with node.runs():
        deadline = time.monotonic() + 20
        while "an etcd other than etcd.service" not in (
            said := node.keeper("restore", "--yes", backup).stderr
        ):
            assert time.monotonic() < deadline, said
    assert (node.data / "member").exists()


@pytest.mark.parametrize("name", ["snapshot.db.part", "db"])
def test_what_is_no_snapshot_is_named_for_what_it_is(
    node: KeeperNode, backup: str, tmp_path: Path, name: str
) -> None:
    content = (Path(backup) / "snapshot.db").read_bytes()[:-32]
    (tmp_path / name).write_bytes(content)
    said = node.refused("restore", "--yes", str(tmp_path / name))
    assert {"snapshot.db.part": "a .part file", "db": "a copy of a member's database"}[name] in said
    if name == "db":
        assert f"etcd-ha restore --yes {tmp_path}/db --skip-hash-check" in said
        node.done("restore", "--yes", str(tmp_path / "db"), "--skip-hash-check")
        assert (node.data / "member/snap/db").exists()


def test_a_file_of_no_member_of_this_node_is_refused(node: KeeperNode, backup: str) -> None:
    file = node.folder / "etcd.yaml"
    before = file.read_text()
    file.write_text(before.replace("name: pg1", "name: pg9"))
    try:
        assert "does not name this node" in node.refused("restore", "--yes", backup)
    finally:
        file.write_text(before)


def test_a_data_directory_that_is_not_there_is_not_made(node: KeeperNode, backup: str) -> None:
    file = node.folder / "etcd.yaml"
    before = file.read_text()
    file.write_text(before.replace(f"{node.folder}/data", f"{node.folder}/unmounted"))
    try:
        assert f"install -d -o etcd -g etcd -m 0700 {node.folder}/unmounted" in node.refused(
            "restore", "--yes", backup
        )
    finally:
        file.write_text(before)


@pytest.mark.parametrize(("program", "hint"), [("3.5", "etcd-ha=3.6.*"), ("3.7", ""), ("3.4", "")])
def test_another_version_is_refused_unless_it_is_the_next(
    node: KeeperNode,
    backup: str,
    programs_of: Callable[[str], Mapping[str, Path]],
    tmp_path: Path,
    program: str,
    hint: str,
) -> None:
    if program == "3.4":
        (tmp_path / "etcdctl").touch()
        said = node.keeper("restore", backup, ETCD_BIN=str(tmp_path)).stderr
        assert "can't restore with the programs of etcd 3.4" in said
        return
    folder = str(programs_of(NEWEST[program])["etcdutl"].parent)
    done = node.keeper("restore", "--dry-run", backup, ETCD_BIN=folder)
    assert done.returncode == bool(hint), done.stderr
    assert hint in done.stderr


@pytest.mark.parametrize("command", [backup_command, restore_command])
def test_nobody_but_root(
    node: KeeperNode, backup: str, monkeypatch: pytest.MonkeyPatch, command: ModuleType
) -> None:
    for name, value in node.variables().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ETCD_HA_COMMANDS", str(TEMPLATE / "node/commands"))
    monkeypatch.setattr("os.geteuid", lambda: 65534)
    with pytest.raises(EtcdHaError, match="only root can do this"):
        command.main([backup] if command is restore_command else [])


def test_two_commands_at_once_are_refused(node: KeeperNode, backup: str, tmp_path: Path) -> None:
    slow = tmp_path / "etcdutl"
    slow.write_text(f"#!/bin/sh\ntouch {tmp_path}/begun\nexec sleep 60\n")
    slow.chmod(0o755)
    variables = {**node.variables(), "ETCD_BIN": str(tmp_path)}
    words = ["sh", str(TEMPLATE / "node/commands/restore"), "--yes", backup]
    with subprocess.Popen(words, env=variables, stderr=subprocess.DEVNULL, start_new_session=True) as first:
        while not (tmp_path / "begun").exists():
            assert first.poll() is None
            time.sleep(0.05)
        said = node.refused("restore", "--yes", backup)
        subprocess.run(["kill", "-9", "--", f"-{first.pid}"], check=True)
    assert f"etcd-ha restore (process {first.pid}) is running on this node" in said


@pytest.mark.parametrize("undone", [False, True])
def test_a_restore_killed_while_etcdutl_works_is_undone_or_ends_well(
    node: KeeperNode, backup: str, tmp_path: Path, undone: bool
) -> None:
    real = node.programs["etcdutl"]
    slow = tmp_path / "etcdutl"
    slow.write_text(
        f'#!/bin/sh\n{real} "$@" || exit\ncase $2 in restore) [ "$3" = --help ] || kill -9 "$PPID" ;; esac\n'
    )
    slow.chmod(0o755)
    done = node.keeper("restore", "--yes", backup, ETCD_BIN=str(tmp_path))
    assert done.returncode in (-signal.SIGKILL, 137), done
    assert (node.folder / "state/begun/restore.json").exists()
    if undone:
        before = (node.data / "member/snap/db").read_bytes()
        assert "has the data from before the restore again" in node.keeper("restore", "undo", "--yes").stderr
        assert (node.data / "member/snap/db").read_bytes() == before
    else:
        node.done("restore", "--yes", backup)
        assert (node.data / "member/snap/db").exists()
        assert len(list(node.data.glob("member.before-restore-*"))) == 1
    assert not (node.folder / "state/begun/restore.json").exists()
    assert not (node.data / ".etcd-ha-restore.part").exists()


def test_a_restore_that_fails_leaves_the_data_as_it_was(
    node: KeeperNode, backup: str, tmp_path: Path
) -> None:
    real = node.programs["etcdutl"]
    failing = tmp_path / "etcdutl"
    failing.write_text(
        "#!/bin/sh\ncase $2:$3 in restore:--help) ;; restore:*) echo Error: disk full >&2; exit 1 ;; esac\n"
        f'exec {real} "$@"\n'
    )
    failing.chmod(0o755)
    before = (node.data / "member/snap/db").read_bytes()
    done = node.keeper("restore", "--yes", backup, ETCD_BIN=str(tmp_path))
    assert (done.returncode, "found     disk full" in done.stderr) == (1, True), done.stderr
    assert (node.data / "member/snap/db").read_bytes() == before
    assert {path.name for path in node.data.iterdir()} == {"member"}
    assert not (node.folder / "state/begun/restore.json").exists()
