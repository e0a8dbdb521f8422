"""Findings of `etcd-ha check` on a node: their commands, typed as printed, mend what was planted."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import pytest

from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.advice import type_in

PLANTED = {
    "not-listening": "systemctl stop etcd",
    "gateway-off": "etcd-ha config set enable-grpc-gateway false; systemctl restart etcd",
    "grpc-only": "etcd-ha config set listen-client-http-urls http://127.0.0.1:2382; systemctl restart etcd",
    "advertised-url": "etcd-ha config set advertise-client-urls http://10.66.0.99:2379; "
    "systemctl restart etcd",
}


@pytest.fixture
def node(serving: Callable[..., list[Machine]]) -> Machine:
    (node,) = serving(1, "3.6.16")
    return node


def test_the_command_of_each_finding_mends_the_member(node: Machine) -> None:
    for fault, planted in PLANTED.items():
        type_in(node, planted)
        command = wait_for(f"{fault} to be found", partial(command_for, node, fault), within=20)
        type_in(node, command, within=120)
        wait_for(f"nothing to be found after {command}", partial(is_fine, node), within=30)


def command_for(node: Machine, fault: str) -> str | None:
    """The command of a finding, if that is the only one."""
    said = json.loads(node.run("etcd-ha", "check", "--json", check=False).stdout)
    commands = {one["fault"]: str(one["command"]) for one in said["findings"]}
    return commands[fault] if set(commands) == {fault} else None


def is_fine(node: Machine) -> bool:
    return node.run("etcd-ha", "check", check=False).returncode == 0
