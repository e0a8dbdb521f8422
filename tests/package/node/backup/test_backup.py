"""Backups of a cluster that lives: what is in one, how it is verified, and what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.package.node.backup.keeper_nodes import KeeperNode, running, three
from tests.package.node.real_members import NETWORK
from tests.support.releases.releases import NEWEST


@pytest.fixture(scope="module")
def nodes(
    tmp_path_factory: pytest.TempPathFactory, programs_of: Callable[[str], Mapping[str, Path]]
) -> Iterator[tuple[KeeperNode, ...]]:
    """A cluster of three with a key; each test has backups of its own."""
    found = three(tmp_path_factory.mktemp("cluster"), programs_of(NEWEST["3.6"]))
    with running(found):
        found[0].etcdctl("put", "/service/main/leader", "pg1")
        yield found


@pytest.fixture
def node(nodes: tuple[KeeperNode, ...]) -> Iterator[KeeperNode]:
    """The second of them, without a backup."""
    yield nodes[1]
    for leftover in (nodes[1].backups, nodes[1].folder / "state", nodes[1].folder / "backup-hook.d"):
        shutil.rmtree(leftover, ignore_errors=True)


def manifest_of(backup: str) -> dict[str, object]:
    found = json.loads((Path(backup) / "manifest.json").read_text())
    assert isinstance(found, dict)
    return found


def test_a_backup_has_all_that_a_restore_needs_and_nobody_else_may_read_it(node: KeeperNode) -> None:
    backup = node.done("backup").strip()
    files = {path.name: path.stat().st_mode & 0o777 for path in Path(backup).iterdir()}
    assert files.keys() == {"snapshot.db", "etcd.yaml", "manifest.json"}
    assert (node.backups.stat().st_mode | Path(backup).stat().st_mode) & 0o077 == 0
    assert (Path(backup) / "etcd.yaml").read_bytes() == (node.folder / "etcd.yaml").read_bytes()
    manifest = manifest_of(backup)
    assert (manifest["node"], manifest["member"], manifest["etcd"]) == ("pg2", "pg2", NEWEST["3.6"])
    assert manifest["digest"] == hashlib.sha256((Path(backup) / "snapshot.db").read_bytes()).hexdigest()
    members = manifest["members"]
    assert isinstance(members, list)
    assert {one["name"]: one["peer_urls"] for one in members} == {
        f"pg{number}": [f"http://{NETWORK}.{number}:23800"] for number in (1, 2, 3)
    }


def test_list_has_each_and_json_says_the_same(node: KeeperNode) -> None:
    backup = node.done("backup").strip()
    assert node.done("backup", "list").startswith(f"{backup}  revision ")
    (row,) = json.loads(node.done("backup", "list", "--json"))
    assert (row["folder"], row["node"], row["revision"]) == (
        backup,
        "pg2",
        manifest_of(backup)["checked"]["revision"],  # type: ignore[index]
    )


def test_a_dry_run_says_which_member_and_leaves_nothing(node: KeeperNode) -> None:
    assert f"from pg2 (http://{NETWORK}.2:23790)" in node.done("backup", "--dry-run")
    assert not node.backups.exists()


@pytest.mark.parametrize("place", [0, 40000, -1])
def test_one_changed_byte_is_found_and_a_restore_of_it_refused(node: KeeperNode, place: int) -> None:
    backup = node.done("backup").strip()
    snapshot = Path(backup) / "snapshot.db"
    content = bytearray(snapshot.read_bytes())
    content[place % len(content)] ^= 1
    snapshot.write_bytes(content)
    done = node.keeper("backup", "verify")
    assert (done.returncode, done.stdout) == (
        1,
        f"{backup}: snapshot.db is a snapshot that does not match its checksum: "
        "at least one byte has changed\n",
    )
    assert "does not match its checksum" in node.refused("restore", "--yes", backup)
    assert "does not match its checksum" in node.refused("restore", "--skip-hash-check", "--yes", backup)


def test_another_whole_snapshot_is_not_the_one_of_the_manifest(node: KeeperNode) -> None:
    backup = Path(node.done("backup").strip())
    node.etcdctl("put", "other", "key")
    (backup / "snapshot.db").unlink()
    node.etcdctl("snapshot", "save", str(backup / "snapshot.db"))
    assert "is not the snapshot in the manifest" in node.keeper("backup", "verify").stdout
    assert "is not the snapshot that its manifest describes" in node.refused("restore", "--yes", str(backup))


def test_a_backup_of_which_a_file_is_missing_is_not_whole(node: KeeperNode) -> None:
    backup = Path(node.done("backup").strip())
    (backup / "manifest.json").unlink()
    assert "has no readable manifest.json" in node.keeper("backup", "verify").stdout
    assert "has no readable manifest.json" in node.done("backup", "list")


def test_what_a_killed_run_left_is_no_backup_and_goes_with_the_next(node: KeeperNode) -> None:
    (node.backups / ".backup.part").mkdir(parents=True)
    (node.backups / ".backup.part/snapshot.db.part").write_text("half")
    assert node.done("backup", "list") == ""
    node.done("backup")
    assert [path.name[:7] for path in node.backups.iterdir()] == ["backup-"]


def test_where_too_little_is_free_nothing_is_begun_and_the_numbers_are_said(
    node: KeeperNode, tmp_path: Path
) -> None:
    (tmp_path / "df").write_text(
        "#!/bin/sh\necho Filesystem 1024-blocks Used Available Capacity Mounted on\n"
        "echo /dev/sda1 1048576 983040 65536 94% /\n"
    )
    (tmp_path / "df").chmod(0o755)
    done = node.keeper("backup", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert "has too little space" in done.stderr
    assert "64.0 MiB in reserve" in done.stderr
    assert list(node.backups.iterdir()) == []


def test_prune_keeps_what_the_settings_say(node: KeeperNode) -> None:
    newest = Path(node.done("backup").strip())
    now = datetime.now(UTC)
    for days in range(1, 60):
        shutil.copytree(newest, newest.with_name(f"backup-{now - timedelta(days=days):%Y%m%dT%H%M%SZ}"))
    would = node.done("backup", "prune", "--dry-run").splitlines()
    assert len(list(node.backups.iterdir())) == 60
    deleted = node.done("backup", "prune").splitlines()
    assert [line.removeprefix("deleted") for line in deleted] == [
        line.removeprefix("would delete") for line in would
    ]
    # Seven days, and of four weeks those that are not among them.
    assert len(list(node.backups.iterdir())) in (9, 10)
    assert newest.exists()


def test_a_hook_has_the_folder_and_its_failure_fails_the_command(node: KeeperNode) -> None:
    hooks = node.folder / "backup-hook.d"
    hooks.mkdir()
    (hooks / "copy").write_text(f'#!/bin/sh\ncp -a "$1" {node.folder}/elsewhere\necho no bucket; exit 3\n')
    (hooks / "copy").chmod(0o755)
    said = node.refused("backup")
    assert f"{hooks}/copy: status 3 no bucket" in said
    (backup,) = node.backups.iterdir()
    copied = node.folder / "elsewhere"
    assert (copied / "snapshot.db").read_bytes() == (backup / "snapshot.db").read_bytes()
    shutil.rmtree(copied)


def test_certificates_are_named_and_only_with_keys_copied(node: KeeperNode, tmp_path: Path) -> None:
    for name in ("ca.crt", "pg2.crt", "pg2.key"):
        (tmp_path / name).write_text(name)
    file = node.folder / "etcd.yaml"
    before = file.read_text()
    file.write_text(
        f"{before}peer-transport-security:\n  trusted-ca-file: {tmp_path}/ca.crt\n"
        f"  cert-file: {tmp_path}/pg2.crt\n  key-file: {tmp_path}/pg2.key\n"
    )
    try:
        backup = Path(node.done("backup").strip())
        assert manifest_of(str(backup))["tls"] == [
            {"key": f"peer-transport-security.{key}", "path": f"{tmp_path}/{name}", "digest": digest}
            for key, name, digest in (
                ("trusted-ca-file", "ca.crt", hashlib.sha256(b"ca.crt").hexdigest()),
                ("cert-file", "pg2.crt", hashlib.sha256(b"pg2.crt").hexdigest()),
                ("key-file", "pg2.key", ""),
            )
        ]
        assert b"pg2.key" not in (backup / "snapshot.db").read_bytes()
        assert not (backup / "tls").exists()
        shutil.rmtree(backup)
        backup = Path(node.done("backup", "--with-keys").strip())
        copy = backup / "tls" / str(tmp_path / "pg2.key").lstrip("/")
        assert (copy.read_text(), copy.stat().st_mode & 0o777) == ("pg2.key", 0o600)
    finally:
        file.write_text(before)


@pytest.mark.parametrize(
    "words",
    [
        ("backup", "--all"),
        ("backup", "now"),
        ("backup", "list", "--yes"),
        ("restore",),
        ("restore", "a", "b"),
    ],
)
def test_other_words_are_wrong_usage(node: KeeperNode, words: tuple[str, ...]) -> None:
    assert "usage: etcd-ha" in node.refused(*words, status=2)


def test_settings_that_can_not_be_read_stop_each_of_them(node: KeeperNode) -> None:
    file = node.folder / "backup.toml"
    before = file.read_text()
    file.write_text("weekly = many")
    try:
        for words in (("backup",), ("backup", "prune"), ("backup", "list")):
            assert "backup.toml can't be used" in node.refused(*words)
    finally:
        file.write_text(before)
