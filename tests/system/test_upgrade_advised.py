"""What a refused upgrade says to type, typed as printed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.machines.cluster import etcdctl
from tests.support.machines.machine import Machine
from tests.system.advice import follow
from tests.system.upgrades import (
    SILENT,
    apt_install,
    hand_over_file,
    publish,
    running_version,
    wait_for_storage,
)

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

BACKUPS = "/var/backups/etcd-ha"


def refused(node: Machine, deb: Path) -> str:
    """What apt says."""
    done = apt_install(node, hand_over_file([node], deb), check=False)
    assert done.returncode != 0
    assert "Nothing was changed" in done.stdout
    return done.stdout


@pytest.mark.soak
def test_each_refusal_has_the_command_that_leads_on(serving: Nodes, package: Package) -> None:
    (node,) = serving(1, "3.5.16")
    publish(node, package("3.5.35"), package("3.6.7"))
    skipping = refused(node, package("3.7.3"))
    too_old = refused(node, package("3.6.7"))
    assert "all members must run 3.5.26 or later first" in too_old
    follow(skipping, node, "apt install 'etcd-ha=3.5.", before=SILENT)
    follow(too_old, node, "apt install 'etcd-ha=3.5.", before=SILENT)
    assert running_version(node) == "3.5.35"

    node.run("mkdir", "-p", BACKUPS)
    node.run("mount", "-t", "tmpfs", "-o", "nr_inodes=1", "tmpfs", BACKUPS)
    no_snapshot = refused(node, package("3.6.7"))
    assert "no snapshot could be made" in no_snapshot
    typed = follow(no_snapshot, node, "etcdctl --endpoints=", check=False)
    assert "no space left on device" in typed
    node.run("umount", BACKUPS)

    follow(refused(node, package("3.7.3")), node, "apt install 'etcd-ha=3.6.", before=SILENT)
    assert running_version(node) == "3.6.7"
    wait_for_storage([node], "3.6")
    too_old = refused(node, package("3.7.3"))
    publish(node, package("3.6.16"))
    follow(too_old, node, "apt install 'etcd-ha=3.6.", before=SILENT)
    assert running_version(node) == "3.6.16"

    # Of an etcd that was installed by hand.
    node.run("mv", "/usr/lib/etcd-ha/downgrade", "/root/")
    follow(refused(node, package("3.5.35")), node, "etcdctl downgrade validate")
    wait_for_storage([node], "3.5")
    etcdctl(node, "downgrade", "cancel")
    wait_for_storage([node], "3.6")
    node.run("mv", "/root/downgrade", "/usr/lib/etcd-ha/")

    back = refused(node, package("3.5.35"))
    follow(back, node, "etcd-ha downgrade 3.5", after=" --yes")
    wait_for_storage([node], "3.5")
    apt_install(node, hand_over_file([node], package("3.5.35")))
    assert running_version(node) == "3.5.35"
