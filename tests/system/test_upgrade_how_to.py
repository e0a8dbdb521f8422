"""docs/how-to/cluster/upgrade.md, followed to the letter on three nodes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.support.machines.cluster import etcdctl
from tests.support.machines.machine import Machine
from tests.system.how_to import HowTo, follow
from tests.system.upgrades import formed, running_version, wait_for_storage

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

# Those that it names, besides the first.
VERSIONS = ("3.5.35", "3.6.7", "3.6.16")


def on_all(machines: Sequence[Machine], commands: str) -> list[str]:
    """Follow a block on every node at the same time."""
    with ThreadPoolExecutor(len(machines)) as threads:
        return list(threads.map(partial(follow, commands=commands, within=400), machines))


@pytest.mark.soak
def test_upgrade_go_back_and_recover(nodes: Nodes, package: Package) -> None:
    machines = nodes(3)
    how_to = HowTo("upgrade.md", machines)
    first, *_ = machines
    cluster = formed(machines, package("3.5.16"))
    etcdctl(first, "put", "key", "value")
    for machine in machines:
        for version in VERSIONS:
            machine.put(f"/root/etcd-ha_{version}.deb", package(version))

    install, look, later = how_to.blocks("Upgrade to another patch")
    assert all("etcd was restarted and serves again" in said for said in on_all(machines, install))
    assert "restart     not pending" in follow(first, look)
    follow(first, later)

    look, install, done = how_to.blocks("Upgrade to another minor version")
    assert "has a quorum" in follow(first, look)
    said = on_all(machines, install)
    snapshots = [re.findall(r"snapshot of the data: (\S+)", text)[0] for text in said]
    etcdctl(first, "put", "key", "written after the upgrade")
    curl = done.replace("curl", "etcd --version #")
    assert follow(first, curl).count("3.6.16") >= 3

    older, downgrade, install, look, cancel = how_to.blocks("Go back")
    on_all(machines, older)
    assert [running_version(machine) for machine in machines] == ["3.6.7"] * 3
    wait_for_storage(machines, "3.6")
    # "From 3.6 to 3.5, do the same with 3.5."
    down, install, look = (
        text.replace("3.6.16", "3.5.35").replace("3.6", "3.5") for text in (downgrade, install, look)
    )
    follow(first, down)
    assert "the downgrade to 3.5 is cancelled" in follow(first, cancel)
    wait_for_storage(machines, "3.6")
    assert "the downgrade to 3.5 has begun" in follow(first, down.replace("etcd-ha backup", ""))
    for machine in machines[:2]:
        follow(machine, install, within=400)
    assert f"yet: {machines[2].name} (3.6.7)" in follow(first, look)
    follow(machines[2], install, within=400)
    assert [running_version(machine) for machine in machines] == ["3.5.35"] * 3
    assert "all members run 3.5" in follow(first, look)
    assert "written after the upgrade" in etcdctl(first, "get", "key")

    look, restore, start = how_to.blocks("Recover")
    machines[0].run("systemctl", "stop", "etcd")
    follow(first, look.replace("systemctl status etcd", "systemctl status etcd || true"))
    content = (first.root / snapshots[0].lstrip("/")).read_bytes()
    for machine in machines:
        (machine.root / "root/snapshot.db").write_bytes(content)
        own = restore.replace(f"--name {first.name}", f"--name {machine.name}").replace(
            f"urls http://{first.address}", f"urls http://{machine.address}"
        )
        follow(machine, own)
    on_all(machines, start)
    cluster.wait_for_quorum(within=40)
    assert etcdctl(machines[2], "get", "key").split() == ["key", "value"]
