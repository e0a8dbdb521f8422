"""Clients of a remote that update and download without pause while it is published to."""

from __future__ import annotations

import pytest

from tests.package.repository.test_readers import assert_no_client_failed, publish_under_readers
from tests.support.archives.publisher import Publisher
from tests.support.archives.remotes import RemoteStore


def publish(publisher: Publisher, store: RemoteStore, publications: int, updates: int) -> None:
    options = ("--to", store.target, *store.options)
    assert_no_client_failed(publish_under_readers(publisher, publications, updates, options), updates)


def test_no_client_fails_while_the_remote_changes_sample(publisher: Publisher, store: RemoteStore) -> None:
    publish(publisher, store, 4, 10)


@pytest.mark.soak
def test_no_client_fails_while_the_remote_changes(publisher: Publisher, store: RemoteStore) -> None:
    publish(publisher, store, 100, 500)
