"""Clusters that tests share which only look at them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.package.node.check.authority import Authority, Pair, authority
from tests.package.node.check.clusters import HOST, NEWEST, Cluster, identity_of, planned, running, unpack


@pytest.fixture(scope="session", autouse=True)
def programs(tmp_path_factory: pytest.TempPathFactory) -> None:
    """etcd and etcdctl of the versions that these tests run."""
    unpack(tmp_path_factory.mktemp("programs"), NEWEST, "3.6.7")


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The CA of the clusters with TLS."""
    return authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def client(signer: Authority) -> Pair:
    """What a client presents."""
    return signer.issue("client")


@pytest.fixture(scope="package")
def three(tmp_path_factory: pytest.TempPathFactory, signer: Authority, client: Pair) -> Iterator[Cluster]:
    """Three members with TLS, for those who only look."""
    tls = (signer.file, signer.issue("three", HOST))
    with running(planned(tmp_path_factory.mktemp("three"), 3, tls), identity_of(signer, client)) as cluster:
        yield cluster
