"""Real etcd for the keeper's commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.package.node.check.authority import Authority, authority
from tests.package.node.check.clusters import NEWEST, unpack
from tests.package.node.keeper.changing import hand_out_to_client

VERSIONS = ("3.5.35", "3.6.16", "3.7.3")


@pytest.fixture(scope="session", autouse=True)
def programs(tmp_path_factory: pytest.TempPathFactory) -> None:
    """etcd and etcdctl of the versions that these tests run."""
    unpack(tmp_path_factory.mktemp("programs"), NEWEST, *VERSIONS)


@pytest.fixture
def signer(tmp_path: Path) -> Authority:
    return authority(tmp_path / "authority")


@pytest.fixture
def client(signer: Authority) -> Path:
    """What a client presents."""
    return hand_out_to_client(signer)
