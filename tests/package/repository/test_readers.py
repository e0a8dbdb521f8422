"""Clients that update and download without pause while the repository changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support.archives.apt_client import AptClient
from tests.support.archives.publisher import Publisher, served

CLIENTS = 2


class Reader(threading.Thread):
    """One client: update, then download the newest version that it saw."""

    def __init__(self, folder: Path, sources: str, over: Callable[[], bool]) -> None:
        super().__init__()
        self.apt = AptClient(folder)
        self.apt.use(sources)
        self.over = over
        self.updates = 0
        self.failures: list[str] = []

    def run(self) -> None:
        while not self.over():
            updated = self.apt.update(check=False)
            self.updates += 1
            if updated.returncode:
                self.failures.append(updated.stdout)
                continue
            newest = max(self.apt.versions(), key=lambda version: int(version.split(".")[2].split("-")[0]))
            got = self.apt.download(newest, check=False)
            if got.returncode:
                self.failures.append(got.stdout)
            (self.apt.folder / f"etcd-ha_{newest}_amd64.deb").unlink(missing_ok=True)


def publish_under_readers(
    publisher: Publisher, publications: int, updates: int, options: Sequence[str] = ()
) -> list[Reader]:
    """Readers at work until both counts are reached. options: of publish."""
    assert publisher.publish(publisher.deb("3.6.0-1"), options=options).status == 0
    published = threading.Event()

    def over() -> bool:
        return published.is_set() and sum(reader.updates for reader in readers) >= updates

    readers = [
        Reader(publisher.folder / f"reader-{number}", publisher.sources, over) for number in range(CLIENTS)
    ]
    for reader in readers:
        reader.start()
    try:
        for patch in range(1, publications + 1):
            result = publisher.publish(publisher.deb(f"3.6.{patch}-1"), options=options)
            assert result.status == 0, result.err
            if patch % 10 == 0:
                assert publisher.repo("prune", "trixie", "--keep", "5").status == 0
    finally:
        published.set()
        for reader in readers:
            reader.join(1200)
    return readers


def assert_no_client_failed(readers: list[Reader], updates: int) -> None:
    failures = [failure for reader in readers for failure in reader.failures]
    assert not failures, f"{len(failures)} failures, the first:\n{failures[0]}"
    assert sum(reader.updates for reader in readers) >= updates


def test_no_client_fails_while_the_repository_changes_sample(publisher: Publisher) -> None:
    with served(publisher) as url:
        assert publisher.init("--url", url).status == 0
        assert_no_client_failed(publish_under_readers(publisher, 12, 20), 20)
    assert publisher.problems() == []


@pytest.mark.soak
def test_no_client_fails_while_the_repository_changes(publisher: Publisher) -> None:
    with served(publisher) as url:
        assert publisher.init("--url", url).status == 0
        assert_no_client_failed(publish_under_readers(publisher, 300, 1000), 1000)
    assert publisher.problems() == []
