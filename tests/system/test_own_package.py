"""etcd-deb installed by apt on a bare node, and what it builds and publishes there; nothing is from pip."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import builder
from tests.support.command import run
from tests.support.machines.cluster import is_healthy, preseed
from tests.support.machines.machine import Machine
from tests.support.releases import releases
from tests.support.sample import sampled
from tests.support.wait import wait_for

Nodes = Callable[..., list[Machine]]
VERSION = "3.6.7"
# Of Debian 13 alone; without it zlib unpacks a release.
LACKING = {"bookworm": {"python3-isal"}, "trixie": set[str]()}
PAGE = "http://n1/"
COMPLETE = """
compopt() { :; }
. /usr/share/bash-completion/completions/etcd-deb
COMP_WORDS=(etcd-deb pub) COMP_CWORD=1
_etcd_deb_completion etcd-deb
echo "${COMPREPLY[@]}"
"""


def related(deb: Path, suite: str) -> list[str]:
    """What apt would install with it: the packages of its Depends and Recommends."""
    fields = run(["dpkg-deb", "--show", "--showformat", "${Depends}, ${Recommends}", deb]).stdout
    names = {re.split(r"[ :(]", relation.strip())[0] for relation in fields.split(",")}
    return sorted(names - LACKING[suite])


def serve(node: Machine, unit: str, url: str, *command: str) -> None:
    """A web server that goes on; it is there when this returns."""
    node.run("systemd-run", "--collect", f"--unit={unit}", *command)
    fetch = f"import urllib.request; urllib.request.urlopen('{url}')"
    wait_for(
        f"{unit} to answer",
        lambda: node.run("python3", "-c", fetch, check=False).returncode == 0,
        within=20,
    )


@pytest.mark.soak
@pytest.mark.parametrize("suite", sampled(["bookworm", "trixie"], "bookworm"))
def test_our_own_package_builds_and_publishes_what_another_node_installs(
    nodes: Nodes, own_package: Path, suite: str
) -> None:
    releases.ensure(VERSION)
    (node,) = nodes(1, suite, *related(own_package, suite))
    (client,) = nodes(1, suite)
    for machine in (node, client):
        machine.run("sh", "-c", "rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*")
    node.install(own_package)
    assert node.run("etcd-deb", "--version").stdout == f"etcd-deb, version {builder.__version__}\n"
    node.run("sh", "-ec", "test ! -e /usr/bin/pip3; test -z \"$(find /usr/local/lib -name '*.py')\"")
    assert "All programs that a build needs are installed." in node.run("etcd-deb", "doctor").stdout
    assert node.run("bash", "-c", COMPLETE).stdout == "publish\n"

    folder = node.root / "srv/releases" / f"v{VERSION}"
    shutil.copytree(releases.RELEASES / f"v{VERSION}", folder)
    shutil.copyfile(releases.PINS, node.root / "srv/pins")
    serve(
        node,
        "releases",
        "http://127.0.0.1:8000/",
        *("python3", "-m", "http.server", "--directory", "/srv/releases", "--bind", "127.0.0.1"),
    )
    node.run(
        *("etcd-deb", "build", f"v{VERSION}", "--source", "http://127.0.0.1:8000", "--pins", "/srv/pins"),
        *("--compression", "zstd", "--output", "/srv/dist"),
        within=300,
    )
    node.run("etcd-deb", "repo", "init", "/srv/apt", "--suite", suite, "--new-key", "--url", PAGE)
    node.run("sh", "-c", f"etcd-deb publish /srv/dist/*.changes --repo /srv/apt --suite {suite}")
    serve(node, "web", PAGE, "etcd-deb", "serve", "/srv/apt", "--port", "80", "--address", node.address)

    client.use_repository(node.get(f"/srv/apt/{suite}.sources"))
    preseed(client, {"setup": "single", "address": client.address})
    client.apt_install("etcd-ha", options=["--no-install-recommends"])
    assert client.run("etcd", "--version").stdout.startswith(f"etcd Version: {VERSION}")
    wait_for("the member to be healthy", lambda: is_healthy(client), within=30)

    node.run("apt-get", "-q", "-y", "purge", "etcd-deb")
    assert node.run("find", "/usr/share/etcd-deb", check=False).stdout.count("\n") <= 1
