"""Files and users that are not the repository's: it deletes nothing of theirs, and gets nothing of theirs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from builder.repository.state.layout import open_repository
from builder.repository.state.lock import locked
from builder.repository.state.sweep import GRACE, KEPT_GENERATIONS
from builder.system import lock
from builder.system.lock import StillLocked
from builder.system.progress import Progress
from tests.package.repository.test_upkeep import age
from tests.support.archives.publisher import SUITE, Publisher
from tests.support.command import run

STRANGERS = (
    "pool/3.6/other-tool_1_amd64.deb",
    "pool/3.6/etcd-ha_3.6.99-1_amd64.deb",
    "pool/3.6/.htaccess",
    "pool/extra/etcd-ha_1_all.deb",
    "by-hash/SHA256/README",
    "by-hash/SHA256/.README",
    "generations/trixie/.note/README",
    "generations/trixie/note/README",
    "dists/.htaccess",
    ".index.html.swp",
    "robots.txt",
)


def lay(publisher: Publisher) -> dict[Path, bytes]:
    """Files of somebody else, everywhere."""
    files = {publisher.repository / name: f"not yours: {name}".encode() for name in STRANGERS}
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return files


@pytest.mark.parametrize("with_ledger", [True, False])
def test_what_the_repository_did_not_write_it_does_not_delete(
    publisher: Publisher, with_ledger: bool
) -> None:
    for patch in range(KEPT_GENERATIONS + 1):
        assert publisher.publish(publisher.deb(f"3.6.{patch}-1")).status == 0
    files = lay(publisher)
    if not with_ledger:
        # As an etcd-deb of before left it.
        (publisher.repository / ".etcd-deb/pool-files").unlink()
    (publisher.repository / ".etcd-deb/unfinished").touch()
    assert publisher.publish(publisher.deb("3.6.50-1")).status == 0
    assert publisher.repo("remove", SUITE, "3.6.0-1").status == 0
    assert publisher.repo("prune", SUITE, "--keep", "1").status == 0
    for _ in range(KEPT_GENERATIONS):
        age(publisher, GRACE)
        assert publisher.repo("resign").status == 0
    assert {path: path.read_bytes() for path in files if path.exists()} == files
    ours = {path.name for path in publisher.repository.glob("pool/3.6/etcd-ha_*")}
    assert ours == {"etcd-ha_3.6.50-1_amd64.deb", "etcd-ha_3.6.99-1_amd64.deb"}


def test_file_that_took_the_place_of_one_of_ours_stays(publisher: Publisher) -> None:
    assert publisher.publish(publisher.deb("3.6.7-1"), publisher.deb("3.6.8-1")).status == 0
    assert publisher.repo("remove", SUITE, "3.6.7-1").status == 0
    taken = publisher.repository / "pool/3.6/etcd-ha_3.6.7-1_amd64.deb"
    taken.write_bytes(b"not yours")
    for _ in range(KEPT_GENERATIONS + 1):
        age(publisher, GRACE)
        assert publisher.repo("resign").status == 0
    assert taken.read_bytes() == b"not yours"


def test_another_user_is_refused_before_anything_changes(publisher: Publisher) -> None:
    for path in (publisher.repository, *publisher.repository.rglob("*")):
        os.chown(path, 12345, 12345, follow_symlinks=False)
    before = {path: path.lstat().st_mtime_ns for path in publisher.repository.rglob("*")}
    command = ""
    for words in (
        publisher.publish_words(publisher.deb("3.6.7-1")),
        publisher.init_words(),
        ["repo", "resign", publisher.repository],
        ["repo", "push", publisher.repository, "--to", publisher.folder / "www"],
    ):
        result = publisher.run(*words)
        assert result.status == 1, words
        assert "belongs to 12345" in result.err, result.err
        (command,) = re.findall("permanently: (.*)", result.err)
    assert {path: path.lstat().st_mtime_ns for path in publisher.repository.rglob("*")} == before
    assert not (publisher.folder / "www").exists()
    run(command.split())
    assert publisher.publish(publisher.deb("3.6.7-1")).status == 0
    assert publisher.problems() == []


def test_wait_for_another_publisher_has_an_end(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = open_repository(publisher.repository)
    monkeypatch.setattr(lock, "WAIT_FOR_OTHER", 0.2)
    with (
        locked(repository, Progress()),
        pytest.raises(StillLocked, match=r"another publisher of .* has not finished") as refused,
        locked(repository, Progress()),
    ):
        pass
    assert f"held by   process {os.getpid()} (" in refused.value.render()
