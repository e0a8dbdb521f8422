"""Machines of an image that already has the package become a cluster by their user-data alone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.machines.chroot import Chroot
from tests.support.machines.cluster import Cluster
from tests.support.machines.lab import boot
from tests.support.machines.machine import Machine
from tests.support.machines.site import Site
from tests.system.test_cloud_init import BOOTED, QUORUM, assert_done, three_machines


def with_package(machine: Machine, deb: Path) -> None:
    """The image: the package was installed, nobody answered a question, and it was never booted."""
    image = Chroot(machine.root)
    image.put(deb, "/root/etcd-ha.deb")
    image.run("dpkg", "--install", "/root/etcd-ha.deb", env={"DEBIAN_FRONTEND": "noninteractive"})
    assert not (machine.root / "etc/etcd/etcd.yaml").exists()


@pytest.mark.soak
def test_three_machines_of_a_golden_image_form_the_cluster_of_the_example_with_tls(
    site: Site, package: Callable[[str], Path]
) -> None:
    steps = three_machines()
    site.desk.types(steps.take("2. Make the files"))
    site.desk.types(steps.take("3. Boot"))
    machines = site.machines(3)
    with ThreadPoolExecutor() as threads:
        list(threads.map(with_package, machines, [package("3.6.16")] * len(machines)))
    boot(machines, within=BOOTED)
    Cluster(machines).wait_for_quorum(within=QUORUM)
    for machine in machines:
        assert_done(machine)
        # The image's own package: apt has not even read the repository.
        assert "apt.example.org" not in machine.run("apt-cache", "policy", "etcd-ha").stdout
    assert site.desk.types(steps.take("4. Check the cluster")).endswith("\nAll is well.\n")
    steps.is_done()
