"""Every abort-… and failed-… path of Debian policy 6.6 leaves the member as it was.

Each case drives dpkg into one of them: a script of the installed or of the coming package ends with 1.
"""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.command import run
from tests.support.faults.versions import relabel
from tests.support.machines.cluster import etcdctl, is_healthy, preseed
from tests.support.machines.machine import Machine
from tests.support.sample import sampled
from tests.support.wait import wait_for
from tests.system.service import service

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

NONINTERACTIVE = {"DEBIAN_FRONTEND": "noninteractive"}
INFO = "/var/lib/dpkg/info/etcd-ha"
# Notes of the maintainer scripts.
LEFT = "ls /run | grep -E '^etcd-ha.(installation|stopped)$'; dpkg-divert --list '*etcd*'"
RIVAL = """\
Package: rival
Version: 1
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: takes the place of etcd-ha, and fails
 It has a preinst that ends with 1.
"""


def failing(script: str, argument: str) -> str:
    """The script, which ends with 1 after its work for that argument."""
    return f'{script}\n[ "$1" != {argument} ] || exit 1\n'


@contextlib.contextmanager
def failing_on_node(node: Machine, script: str, argument: str) -> Iterator[None]:
    """A script of the installed package that fails."""
    path = f"{INFO}.{script}"
    good = node.get(path)
    node.put(path, failing(good, argument), mode="0755")
    yield
    node.put(path, good, mode="0755")


class Debs:
    """Packages that fail, made of ours."""

    def __init__(self, deb: Path, folder: Path) -> None:
        self._newer = relabel(deb, "3.5.31-1", folder)
        self._folder = folder

    def newer(self, **failures: str) -> Path:
        """A newer version of ours; failures: SCRIPT=ARGUMENT."""
        tree = self._unpacked("-".join(["newer", *failures, *failures.values()]))
        for script, argument in failures.items():
            path = tree / "DEBIAN" / script
            path.write_text(failing(path.read_text(), argument))
        return self._packed(tree)

    def newer_that_cannot_be_unpacked(self) -> Path:
        """It has a file of another package as well."""
        tree = self._unpacked("clash")
        (tree / "etc/debian_version").write_text("clash\n")
        return self._packed(tree)

    def rival(self, relations: str) -> Path:
        """A package that would push ours out, but for its preinst."""
        tree = self._folder / f"rival-{relations.partition(':')[0]}"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(RIVAL + relations)
        (tree / "DEBIAN/preinst").write_text("#!/bin/sh\nexit 1\n")
        (tree / "DEBIAN/preinst").chmod(0o755)
        return self._packed(tree)

    def _unpacked(self, name: str) -> Path:
        tree = self._folder / name
        run(["dpkg-deb", "--raw-extract", self._newer, tree])
        return tree

    def _packed(self, tree: Path) -> Path:
        deb = tree.with_suffix(".deb")
        run(["dpkg-deb", "-Zzstd", "-z1", "--root-owner-group", "--build", tree, deb])
        return deb


@pytest.fixture(scope="session")
def debs(package: Package, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By the path of policy 6.6 that each takes."""
    made = Debs(package("forky"), tmp_path_factory.mktemp("abort"))
    return {
        "in-favour": made.rival("Conflicts: etcd-ha\nReplaces: etcd-ha\nProvides: etcd-ha\n"),
        "deconfigure": made.rival("Breaks: etcd-ha\n"),
        "good": made.newer(),
        "prerm": made.newer(prerm="failed-upgrade"),
        "preinst": made.newer(preinst="upgrade"),
        "preinst-install": made.newer(preinst="install"),
        "unpack": made.newer_that_cannot_be_unpacked(),
        "postrm": made.newer(postrm="failed-upgrade"),
    }


def dpkg_fails(node: Machine, *arguments: str) -> None:
    assert node.run("dpkg", *arguments, env=NONINTERACTIVE, check=False).returncode != 0, arguments


def removal(node: Machine) -> None:
    with failing_on_node(node, "prerm", "remove"):
        dpkg_fails(node, "--remove", "etcd-ha")


def in_favour(node: Machine) -> None:
    dpkg_fails(node, "-i", "/root/in-favour.deb")


def deconfigured(node: Machine) -> None:
    dpkg_fails(node, "--auto-deconfigure", "-i", "/root/deconfigure.deb")


def upgrade_prerm(node: Machine) -> None:
    with failing_on_node(node, "prerm", "upgrade"):
        dpkg_fails(node, "-i", "/root/prerm.deb")


def upgrade_preinst(node: Machine) -> None:
    dpkg_fails(node, "-i", "/root/preinst.deb")


def upgrade_unpack(node: Machine) -> None:
    dpkg_fails(node, "-i", "/root/unpack.deb")


def upgrade_postrm(node: Machine) -> None:
    with failing_on_node(node, "postrm", "upgrade"):
        dpkg_fails(node, "-i", "/root/postrm.deb")


PATHS = {
    "abort-remove": removal,
    "abort-remove in-favour": in_favour,
    "abort-deconfigure in-favour": deconfigured,
    "failed-upgrade of prerm, abort-upgrade": upgrade_prerm,
    "abort-upgrade after preinst": upgrade_preinst,
    "abort-upgrade while unpacking": upgrade_unpack,
    "failed-upgrade of postrm, abort-upgrade": upgrade_postrm,
}
STATES = {
    "running": ("systemctl enable etcd && systemctl start etcd etcd.path", "active", "enabled"),
    "stopped": ("systemctl enable etcd && systemctl stop etcd.path etcd", "inactive", "enabled"),
    "running though disabled": ("systemctl disable etcd && systemctl start etcd", "active", "disabled"),
}


def state(node: Machine) -> dict[str, str]:
    """All that a failure must not change."""
    installed = node.run("dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", "etcd-ha").stdout
    units = node.run("systemctl", "is-active", "etcd", "etcd.path", check=False).stdout.split()
    enabled = node.run("systemctl", "is-enabled", "etcd", check=False).stdout.strip()
    links = node.run("readlink", "-f", "/usr/sbin/etcd", "/usr/bin/etcdctl", "/usr/bin/etcdutl").stdout
    left = node.run("sh", "-c", LEFT, check=False).stdout
    return {
        "dpkg": installed,
        "etcd": units[0],
        "etcd.path": units[1],
        "enabled": enabled,
        "links": links,
        "left": left,
    }


@pytest.mark.parametrize("name", sampled(STATES, "running"))
def test_failed_removal_or_upgrade_leaves_the_member_as_it_was(
    nodes: Nodes, package: Package, debs: dict[str, Path], name: str
) -> None:
    (node,) = nodes(1)
    preseed(node, {"setup": "single", "address": node.address})
    node.install(package("forky"))
    for kind, deb in debs.items():
        node.put(f"/root/{kind}.deb", deb)
    wait_for("the member to be healthy", partial(is_healthy, node), within=30)
    etcdctl(node, "put", "key", "value")
    prepare, active, enabled = STATES[name]
    node.run("sh", "-ec", prepare)
    before = state(node)
    assert (before["etcd"], before["enabled"], before["left"]) == (active, enabled, "")
    for path, fail in PATHS.items():
        fail(node)
        if active == "active":
            wait_for(f"the member after {path}", partial(is_healthy, node), within=20)
            wait_for(f"its unit after {path}", lambda: service(node).active == "active", within=20)
        assert state(node) == before, path
    node.run("dpkg", "-i", "/root/good.deb", env=NONINTERACTIVE, within=120)
    assert node.run("systemctl", "is-active", "etcd", check=False).stdout.strip() == active


def test_failed_installation_leaves_nothing_behind_and_the_next_one_starts_the_member(
    nodes: Nodes, package: Package, debs: dict[str, Path]
) -> None:
    (node,) = nodes(1)
    preseed(node, {"setup": "single", "address": node.address})
    for kind in ("unpack", "preinst-install"):
        node.put(f"/root/{kind}.deb", debs[kind])
        dpkg_fails(node, "-i", f"/root/{kind}.deb")
    node.install(package("forky"))
    wait_for("the member to be healthy", partial(is_healthy, node), within=30)
    node.run("dpkg", "--remove", "etcd-ha")
    for kind in ("unpack", "preinst-install"):
        dpkg_fails(node, "-i", f"/root/{kind}.deb")
        left = node.run("sh", "-c", LEFT, check=False).stdout
        assert left == "", kind
    node.run("dpkg", "-i", f"/root/{package('forky').name}", env=NONINTERACTIVE)
    wait_for("the member to be back", partial(is_healthy, node), within=30)
