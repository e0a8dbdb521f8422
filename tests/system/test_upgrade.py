"""Over an upgrade: the commands are there at every moment, and the administrator's choice stays."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.machines.cluster import etcdctl
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

# Writes a line for each look that finds a command missing, and one at its end for how often it looked.
WATCH = """#!/bin/sh
looks=0
while ! [ -e /run/watch-ends ]; do
    for command in /usr/sbin/etcd /usr/bin/etcdctl /usr/bin/etcdutl; do
        [ -x "$command" ] || echo "missing: $command"
    done
    looks=$((looks + 1))
    : >/run/watch-runs
done
echo "looks: $looks"
"""


@pytest.mark.soak
def test_commands_resolve_at_every_moment_of_an_upgrade(
    serving: Nodes, package: Package, tmp_path: Path
) -> None:
    (node,) = serving(1, "3.5.35")
    etcdctl(node, "put", "key", "value")
    node.put("/root/watch", WATCH, "0755")
    log = tmp_path / "watch.log"
    watcher = node.start("/root/watch", output=log)
    is_watching = ["test", "-e", "/run/watch-runs"]
    wait_for("the watch to look", lambda: node.run(*is_watching, check=False).returncode == 0, within=10)
    try:
        for version in ("3.6.7", "3.6.16"):
            node.install(package(version))
    finally:
        node.put("/run/watch-ends", "")
        watcher.wait(timeout=10)
    last = log.read_text().splitlines()
    assert len(last) == 1, last[:5]
    # Far more looks than an upgrade has steps: two upgrades take seconds, a look microseconds.
    assert int(last[0].removeprefix("looks: ")) > 1000
    assert etcdctl(node, "get", "key").split() == ["key", "value"]


@pytest.mark.soak
def test_manual_choice_of_an_alternative_survives_an_upgrade(serving: Nodes, package: Package) -> None:
    (node,) = serving(1, "3.6.7")
    node.put("/usr/local/bin/my-etcdctl", "#!/bin/sh\necho mine\n", "0755")
    name, link, own = "etcdctl", "/usr/bin/etcdctl", "/usr/local/bin/my-etcdctl"
    node.run("update-alternatives", "--install", link, name, own, "10")
    node.run("update-alternatives", "--set", name, own)
    node.install(package("3.6.16"))
    assert node.run("etcdctl").stdout == "mine\n"
    assert (
        "link currently points to /usr/local/bin/my-etcdctl"
        in node.run("update-alternatives", "--display", name).stdout
    )
