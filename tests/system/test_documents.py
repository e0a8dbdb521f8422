"""README.md and the how-tos of a repository, followed to the letter on a node with Debian alone."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

import builder
from tests.support.command import run
from tests.support.documents import ROOT, Followed, blocks, find_how_to
from tests.support.machines.machine import Machine
from tests.support.releases import releases
from tests.support.wait import wait_for
from tests.system.test_own_package import related

Nodes = Callable[..., list[Machine]]
SUITE, PYTHON = "trixie", "3.13"
# README's, what sync finds besides, and the one that publish.md tries on a few nodes.
VERSIONS = ("3.6.7", "3.6.16", "3.7.3")
# In place of GitHub, of PyPI, and of Debian's archive, whose packages the node has.
WORLD = """
export ETCD_DEB_SOURCE=/srv/releases ETCD_DEB_PINS=/srv/releases/SHA256SUMS ETCD_DEB_COMPRESSION=zstd
export PIP_NO_INDEX=1 PIP_FIND_LINKS=/srv/wheels DEBIAN_FRONTEND=noninteractive
cd ~/etcd-deb
"""


def by_apt(own_package: Path) -> list[str]:
    """What README has one install, what apt installs with etcd-deb's package, and what that is made by."""
    (text,) = (block.text for block in blocks(ROOT / "README.md") if "pipx" in block.text)
    named = text.splitlines()[0].split()[2:]
    makes = run(["sh", "-c", ". ci/prepare; packages_of package"], cwd=ROOT).stdout.split()
    return sorted({*named, *related(own_package, SUITE), *makes})


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pip has to find for the node's Python: etcd-deb's libraries, and what builds it."""
    folder = tmp_path_factory.mktemp("wheels")
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (table,) = re.findall(r"^dependencies = \[\n(.*?)^\]", pyproject, re.MULTILINE | re.DOTALL)
    wanted = [*re.findall(r'^ *"([^";]+)', table, re.MULTILINE), "hatchling>=1.18", "pip"]
    run(
        [
            *(sys.executable, "-m", "pip", "-q", "download", "--only-binary=:all:"),
            *("--python-version", PYTHON, "--dest", folder, *wanted),
        ],
        within=300,
    )
    return folder


@pytest.fixture
def node(nodes: Nodes, wheels: Path, own_package: Path) -> Machine:
    """A node with the clone, and with what it could fetch if it had a network."""
    releases.ensure(*VERSIONS)
    (machine,) = nodes(1, SUITE, *by_apt(own_package), "curl")
    for version in VERSIONS:
        shutil.copytree(releases.RELEASES / f"v{version}", machine.root / f"srv/releases/v{version}")
    shutil.copyfile(releases.PINS, machine.root / "srv/releases/SHA256SUMS")
    shutil.copytree(wheels, machine.root / "srv/wheels")
    names = run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"]).stdout.splitlines()
    for name in names:
        if (ROOT / name).is_file():
            target = machine.root / "root/etcd-deb" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    machine.run("sh", "-c", "rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*")
    machine.run("sh", "-c", "echo 127.0.0.1 apt.example.org >>/etc/hosts")
    return machine


def here(node: Machine, text: str) -> str:
    """The node's own name and address in place of the first of three."""
    return text.replace("pg1", node.name).replace("192.168.6.10", node.address)


def typed(node: Machine, block: str) -> str:
    """What a block of a document prints."""
    return node.run("sh", "-e", "-c", f"{WORLD}{block}", within=300).stdout


def serve(node: Machine, block: str) -> None:
    """Leave a command running that serves a repository."""
    node.run(
        *("systemd-run", "--collect", "--unit=web", "--setenv=HOME=/root"),
        *("sh", "-c", f"{WORLD}exec {block}"),
    )
    url = f"http://127.0.0.1:{block.split('--port ')[1].split()[0]}/"
    wait_for(
        "the repository to be served",
        lambda: node.run("curl", "-sfo", "/dev/null", url, check=False).returncode == 0,
        within=10,
    )


def test_readme_on_a_bare_node(node: Machine) -> None:
    of, type_in = partial(here, node), partial(typed, node)
    readme = Followed(ROOT / "README.md", of)
    readme.leave("See it work", "ci/demo boots nodes of its own, and this test is one of ci/test's")
    type_in(build := readme.take("Build one"))
    own = f"etcd-deb_{builder.__version__}_all.deb"
    assert f"dist/{own}" in build
    listed = re.findall(r"etcd-ha_\S+", readme.take("Build one"))
    assert set(type_in("ls dist").split()) == {own, *listed}
    type_in(readme.take("Build one"))
    by_pipx = node.run("/root/.local/bin/etcd-deb", "--version").stdout
    assert by_pipx == type_in("etcd-deb --version")
    type_in(readme.take("Publish it"))
    assert "3.6.7-1" in type_in("etcd-deb repo list /srv/apt")
    type_in(readme.take("Set up a cluster"))
    type_in("cd pg/cluster\nls pg1/user-data pg2/user-data pg3/user-data")
    readme.leave("Set up a cluster", "the three machines of test_cloud_init.py are checked by it")
    type_in("cd dist\n" + readme.take("Set up a cluster"))
    assert f"{node.name}=http://{node.address}:2380" in node.get("/etc/etcd/etcd.yaml")
    readme.is_done()


@pytest.mark.soak
def test_how_tos_of_a_repository_on_a_bare_node(node: Machine) -> None:
    of, type_in = partial(here, node), partial(typed, node)
    readme = Followed(ROOT / "README.md", of)
    readme.leave("See it work", "ci/demo boots nodes of its own")
    type_in(readme.take("Build one"))

    publish = Followed(find_how_to("publish.md"), of)
    type_in(publish.take("1. Make"))
    assert "3.6.7-1" in type_in(publish.take("2. Publish"))
    serve(node, publish.take("2. Publish"))
    node.run("systemctl", "stop", "web")
    serve(node, "etcd-deb serve /srv/apt --port 80")
    type_in(publish.take("3. On each node"))
    assert node.run("etcd", "--version").stdout.startswith("etcd Version: 3.6.7")
    type_in(publish.take("4. Try"))
    assert type_in(upgradable := "apt-get update; apt-get -s upgrade").count("Inst etcd-ha ") == 0
    type_in(publish.take("4. Try"))
    assert "Inst etcd-ha [3.6.7-1] (3.6.16-1" in type_in(upgradable)
    assert "3.6.16-1" in type_in(publish.take("Roll back"))
    assert type_in(upgradable).count("Inst etcd-ha ") == 0, "the state before had 3.6.7"
    assert "3.6.7-1" in type_in("apt-cache policy etcd-ha")
    assert "no longer withheld" in type_in(publish.take("Roll back"))
    assert "no problems found" in type_in(publish.take("Roll back"))
    type_in(publish.take("Let old"))
    assert "Valid-Until: " in node.get("/srv/apt/dists/trixie/Release")
    assert "3.7.3-1" in type_in(publish.take("Follow upstream"))
    assert "/srv/www/apt is already up to date" in type_in(publish.take("Copy it"))
    publish.is_done()

    rotate = Followed(find_how_to("rotate-a-signing-key.md"), of)
    type_in(rotate.take("Before you begin"))
    assert "/usr/share/keyrings/etcd-ha-archive-keyring.gpg" in node.get(
        "/etc/apt/sources.list.d/etcd-ha.sources"
    )
    type_in(rotate.take("1. Sign with both"))
    before = type_in(look := rotate.take("2. Wait for the nodes"))
    type_in("apt-get update; apt-get upgrade -y")
    assert type_in(look) != before
    assert "no problems found" in type_in(rotate.take("3. Retire the old"))
    type_in("apt-get -o APT::Update::Error-Mode=any update")
    rotate.is_done()
