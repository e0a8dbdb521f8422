"""The how-tos of docs/how-to/cluster that begin with cluster.yaml, their commands run as they stand there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from builder.cluster.model import Cluster
from tests.package.cluster.made import cluster_of
from tests.support.desk import Desk
from tests.support.documents import Followed, find_how_to
from tests.unit.cluster.files import EXAMPLE

KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nbWFkZSB1cA==\n=AAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.writes("archive-key.asc", KEY)
    desk.writes("cluster.yaml", EXAMPLE.read_text())
    return desk


def described(desk: Desk, text: str) -> Cluster:
    """The desk's cluster.yaml is that text."""
    return cluster_of(desk.writes("cluster.yaml", text))


def followed(name: str) -> Followed:
    return Followed(find_how_to(name), lambda text: text)


def test_three_machines_from_one_file(desk: Desk) -> None:
    steps = followed("three-machines.md")
    cluster = described(desk, steps.take("1. Describe the cluster"))
    assert cluster.members == cluster_of(EXAMPLE).members
    desk.types(steps.take("2. Make the files"))
    users = [desk.folder / f"cluster/{node.name}/user-data" for node in cluster.nodes]
    assert all("packages:\n- etcd-ha\n" in user.read_text() for user in users)
    desk.types(steps.take("3. Boot"))
    assert all("dpkg-reconfigure" in user.read_text() for user in users)
    steps.leave("4. Check the cluster", "tests/system/test_golden_image.py types it, where the members are")
    steps.is_done()


def test_patroni_on_the_cluster(desk: Desk) -> None:
    steps = followed("patroni.md")
    described = yaml.safe_load(EXAMPLE.read_text())
    assert yaml.safe_load(steps.take("")) == {"patroni": described["patroni"]}
    printed = desk.types(steps.take("1. Write Patroni's files"))
    node = steps.take("2. On each node").splitlines()
    (command,) = (line for line in node if line.startswith("pg_createconfig_patroni"))
    assert f"on pg1: {command}" in printed.splitlines()
    assert desk.has(
        "pg1/dcs.yml", *(f"pg1/patroni-tls/{name}" for name in ("ca.crt", "client.crt", "client.key"))
    )
    desk.types(steps.take("If you write Patroni's file"))
    assert desk.has("pg1/etcd3.yml")
    steps.is_done()


def test_two_postgres_nodes_and_three_members_elsewhere(desk: Desk) -> None:
    steps = followed("five-nodes.md")
    cluster = described(desk, steps.take("1. Describe the cluster"))
    printed = desk.types(steps.take("2. Make the files"))
    assert [node.name for node in cluster.members] == ["etcd1", "etcd2", "etcd3"]
    assert "on pg2: pg_createconfig_patroni" in printed
    assert "on etcd1" not in printed
    assert desk.has(
        "pg1/dcs.yml", "pg1/patroni-tls/client.key", "pg1/etcd-tls/root.key", "etcd1/etcd-tls/server.key"
    )
    assert not desk.has("pg1/etcd-tls/server.key")
    endpoints = ",".join(map(cluster.client_url, cluster.members))
    assert steps.take("3. Check the members").startswith(f"etcdctl --endpoints={endpoints} ")
    steps.is_done()


def test_external_etcd_for_kubernetes(desk: Desk) -> None:
    steps = followed("kubernetes.md")
    cluster = described(desk, EXAMPLE.read_text() + steps.take("1. Make kube-apiserver's"))
    desk.types(steps.take("1. Make kube-apiserver's"))
    installed = [word for word in steps.take("2. Install it").split() if word.startswith("kube-apiserver.d/")]
    assert len(installed) == 3
    assert desk.has(*installed)
    external = yaml.safe_load(steps.take("3. Configure kubeadm"))["etcd"]["external"]
    assert external["endpoints"] == [cluster.client_url(node) for node in cluster.members]
    steps.is_done()
