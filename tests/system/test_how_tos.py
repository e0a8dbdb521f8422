"""How-tos of docs/how-to/cluster, followed to the letter on nodes."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import trustme
import yaml

from tests.support.desk import Desk
from tests.support.documents import Followed, find_how_to
from tests.support.machines.cluster import is_serving
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.how_to import HowTo, follow

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]


def install(how_to: HowTo, machine: Machine, answers: str, deb: Path) -> str:
    (commands,) = how_to.blocks("2. Install")
    (name,) = re.findall(r"\./(etcd-ha_\S+\.deb)", commands)
    machine.put("/root/etcd-ha.preseed", answers)
    machine.put(f"/root/{name}", deb)
    return follow(machine, commands)


@pytest.mark.soak
def test_three_nodes_are_set_up_without_a_question(nodes: Nodes, package: Package) -> None:
    machines = nodes(3)
    how_to, deb = HowTo("preseed-three-nodes.md", machines), package("3.5.30")
    answers, _of_one_node = how_to.blocks("1. Write")
    said = install(how_to, machines[0], answers, deb)
    assert "etcd is waiting for the network or for a majority of its members" in said
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda machine: install(how_to, machine, answers, deb), machines[1:]))

    look, round_trip = how_to.blocks("3. Check")
    healthy = "endpoint health --cluster"
    wait_for(
        "all members to be healthy",
        lambda: (
            machines[2].run("sh", "-c", f"etcdctl {healthy}", check=False).stdout.count("is healthy") == 3
        ),
        within=30,
    )
    shown = follow(machines[1], look)
    assert shown.count("started") == 3
    assert "has a quorum" in shown
    assert follow(machines[0], round_trip).split("\n")[:4] == ["OK", "testkey", "Hello World", "1"]


@pytest.mark.soak
@pytest.mark.parametrize("version", ["3.5.1"])
def test_three_nodes_are_set_up_with_tls(
    nodes: Nodes, package: Package, tmp_path: Path, version: str
) -> None:
    machines = nodes(3)
    how_to, deb = HowTo("preseed-three-nodes.md", machines), package(version)
    answers, _of_one_node = how_to.blocks("1. Write")
    prepare, more_answers, health = how_to.blocks("With TLS")
    ca = trustme.CA()

    def set_up(machine: Machine) -> None:
        folder = tmp_path / machine.name
        folder.mkdir()
        certificate = ca.issue_cert(machine.name, machine.address, "127.0.0.1")
        ca.cert_pem.write_to_path(str(folder / "ca.crt"))
        certificate.private_key_pem.write_to_path(str(folder / "node.key"))
        for part in certificate.cert_chain_pems:
            part.write_to_path(str(folder / "node.crt"), append=True)
        for file in folder.iterdir():
            machine.put(f"/root/{file.name}", file)
        follow(machine, prepare)
        install(how_to, machine, answers + more_answers, deb)

    with ThreadPoolExecutor() as threads:
        list(threads.map(set_up, machines))
    wait_for(
        "all members to be healthy",
        lambda: machines[2].run("sh", "-c", health, check=False).stdout.count("is healthy") == 3,
        within=30,
    )
    assert "has a quorum" in machines[0].run("etcd-ha", "status").stdout


def test_certificates_are_installed_on_a_node_by_hand_and_kube_apiserver_uses_its_own(
    nodes: Nodes, package: Package, tmp_path: Path
) -> None:
    (node,) = nodes(1)
    desk, tls, kubernetes = (
        Desk(tmp_path),
        Followed(find_how_to("tls.md"), str),
        Followed(find_how_to("kubernetes.md"), str),
    )
    described = f"{{name: {node.name}, address: {node.address}}}"
    cluster = f"token: one\nnodes:\n  - {described}\ntls: {{authority: own}}\n"
    desk.writes("cluster.yaml", cluster + kubernetes.take("1. Make kube-apiserver's"))
    assert kubernetes.take("1. Make kube-apiserver's") == tls.take("Make the certificates")
    desk.types("etcd-deb cluster certs cluster.yaml\netcd-deb cluster preseed cluster.yaml")
    made = tmp_path / "cluster"
    for file in (*(made / node.name / "etcd-tls").iterdir(), made / node.name / "etcd-ha.preseed"):
        node.put(f"/root/{file.name}", file)
    node.run("mkdir", "/root/kube-apiserver.d")
    for file in (made / "kube-apiserver.d").iterdir():
        node.put(f"/root/kube-apiserver.d/{file.name}", file)
    follow(node, tls.take("Install them on a node"))
    follow(node, "debconf-set-selections etcd-ha.preseed")
    node.install(package("3.6.16"))
    wait_for("the member to serve", partial(is_serving, node), within=30)
    assert follow(node, "etcd-ha check").endswith("\nAll is well.\n")

    follow(node, kubernetes.take("2. Install it on each control plane node"))
    external = yaml.safe_load(kubernetes.take("3. Configure kubeadm"))["etcd"]["external"]
    files = f"--cacert={external['caFile']} --cert={external['certFile']} --key={external['keyFile']}"
    as_apiserver = f"etcdctl --endpoints=https://{node.address}:2379 {files}"
    assert follow(node, f"{as_apiserver} put /registry/name value") == "OK\n"
    assert follow(node, f"{as_apiserver} get /registry/name --print-value-only") == "value\n"
    kubernetes.is_done()
