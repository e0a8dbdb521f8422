"""Real etcd for the keeper's commands."""

from __future__ import annotations

import pytest

from tests.package.node.check.clusters import NEWEST, unpack

VERSIONS = ("3.5.35", "3.6.16", "3.7.3")


@pytest.fixture(scope="session", autouse=True)
def programs(tmp_path_factory: pytest.TempPathFactory) -> None:
    """etcd and etcdctl of the versions that these tests run."""
    unpack(tmp_path_factory.mktemp("programs"), NEWEST, *VERSIONS)
