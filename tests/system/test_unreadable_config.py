"""A value of etcd.yaml that can't be read for certain is asked of the process, and never guessed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.machines.cluster import etcdctl
from tests.support.machines.machine import Machine
from tests.system.service import service
from tests.system.upgrades import running_version

Nodes = Callable[..., list[Machine]]
Package = Callable[[str], Path]

CONFIG = "/etc/etcd/etcd.yaml"
DATA = "data-dir: /var/lib/etcd-ha"
# What etcd takes for the same. The first ones are read as well.
FORMS = {
    "folded": "data-dir: >-\n  /var/lib/etcd-ha",
    "twice": f"{DATA}\n{DATA}",
    "anchored": "data-dir: &data /var/lib/etcd-ha",
    "marked with ?": "? data-dir\n: /var/lib/etcd-ha",
}
UNREAD = ("anchored", "marked with ?")
KEYS = ["name", "data-dir", "wal-dir", "listen-client-urls", "advertise-client-urls", "quota-backend-bytes"]


def member_of(node: Machine) -> tuple[str, object]:
    """What status says of the node's own member, and its name in JSON."""
    shown = node.run("etcd-ha", "status", check=False).stdout
    (line,) = (line for line in shown.splitlines() if line.startswith("member  "))
    told = node.run("sh", "-c", "etcd-ha status --json 2>/dev/null", check=False).stdout
    name: object = json.loads(told)["name"]
    return line.removeprefix("member").strip(), name


@pytest.mark.soak
def test_guard_status_and_restart_ask_the_process_where_the_file_does_not_tell(
    serving: Nodes, package: Package
) -> None:
    (node,) = serving(1, "3.6.7")
    etcdctl(node, "put", "key", "value")
    for version in ("3.6.16", "3.7.3"):
        node.put(f"/root/{version}.deb", package(version))
    config = node.get(CONFIG)
    assert f"\n{DATA}\n" in config
    for kind, form in FORMS.items():
        node.put(CONFIG, config.replace(DATA, form), mode="0640")
        before = service(node).pid
        said = node.run("etcd-ha", "restart", within=120).stdout
        assert "etcd was restarted and serves again" in said, kind
        assert service(node).pid != before
        refused = node.run("dpkg", "-i", "/root/3.7.3.deb", check=False)
        assert refused.returncode != 0, kind
        assert "all members must run 3.6.11 or later" in refused.stdout, kind
        shown = node.run("etcd-ha", "status").stdout
        assert ("not read    " in shown) == (kind in UNREAD), kind
        assert "data in /var/lib/etcd-ha" in shown
        found = json.loads(node.run("etcd-ha", "status", "--json").stdout)
        assert (found["name"], found["quorum"], found["pending_restart"]) == (node.name, True, []), kind
        unread = [reason.split()[0] for reason in found["unread"]]
        assert unread == (KEYS if kind in UNREAD else []), kind
    # What is allowed goes on, with a snapshot before.
    without_questions = {"DEBIAN_FRONTEND": "noninteractive"}
    node.run("dpkg", "-i", "/root/3.6.16.deb", env=without_questions, within=180)
    assert running_version(node) == "3.6.16"
    said = node.run("dpkg", "-i", "/root/3.7.3.deb", env=without_questions, within=180).stdout
    assert "snapshot of the data: /var/backups/etcd-ha/snapshot-3.6.16-" in said
    assert running_version(node) == "3.7.3"
    assert etcdctl(node, "get", "key", "--print-value-only") == "value\n"


def test_status_names_no_default_where_the_file_does_not_tell(serving: Nodes) -> None:
    (node,) = serving(1, "3.6.7")
    config = node.get(CONFIG)
    forms = {
        "anchored": config.replace(DATA, FORMS["anchored"]),
        "in flow style": json.dumps(yaml.safe_load(config)),
    }
    for kind, form in forms.items():
        node.put(CONFIG, form, mode="0640")
        line, name = member_of(node)
        assert line.startswith(f"{node.name}, id "), (kind, line)
        assert line.endswith(", data in /var/lib/etcd-ha"), (kind, line)
        assert name == node.name, kind
    node.run("systemctl", "stop", "etcd")
    for kind, form in forms.items():
        node.put(CONFIG, form, mode="0640")
        line, name = member_of(node)
        assert line.startswith("unknown, data in an unknown directory"), (kind, line)
        assert name is None, kind


@pytest.mark.soak
def test_step_is_judged_by_what_was_installed_where_the_file_does_not_tell_and_nothing_runs(
    serving: Nodes, package: Package
) -> None:
    (node,) = serving(1, "3.6.7")
    node.run("systemctl", "stop", "etcd")
    node.put(CONFIG, node.get(CONFIG).replace(DATA, FORMS["anchored"]), mode="0640")
    node.put("/root/3.7.3.deb", package("3.7.3"))
    refused = node.run("dpkg", "-i", "/root/3.7.3.deb", check=False)
    assert refused.returncode != 0
    assert "data-dir can't be read from /etc/etcd/etcd.yaml" in refused.stdout
    assert "checked against the installed version, 3.6.7" in refused.stdout
    shown = node.run("etcd-ha", "status", check=False).stdout
    assert "No running process can supply them." in shown
