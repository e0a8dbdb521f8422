"""replace-a-member.md, free-space.md and authentication.md, typed on nodes that are real etcd on loopback."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from etcd_ha.commands.defrag import MIB

from tests.package.node.check.clusters import program
from tests.package.node.keeper.nodes import Node, leader_of, planned, running
from tests.package.node.keeper.space import compact, fill, sizes
from tests.package.node.node_shell import TEMPLATE
from tests.support.documents import Followed, find_how_to

QUOTA = 38 * MIB
FRONT_END = '#!/bin/sh\ncommand=$1\nshift\nexec sh "{commands}/$command" "$@"\n'


def followed(name: str, nodes: Sequence[Node]) -> Followed:
    """The how-to, about these nodes. Somebody who is asked says yes."""

    def here(text: str) -> str:
        text = text.replace("192.168.6.10", nodes[0].address)
        for command in ("join", "leave", "defrag", "auth enable"):
            text = text.replace(f"etcd-ha {command}", f"etcd-ha {command} --yes")
        return text

    return Followed(find_how_to(name), here)


def type_in(node: Node, block: str) -> str:
    """Give the block to a shell on the node, where each line has to succeed; what it printed."""
    front_end = node.folder / "bin/etcd-ha"
    front_end.write_text(FRONT_END.format(commands=TEMPLATE / "node/commands"))
    front_end.chmod(0o755)
    etcdctl = node.folder / "bin/etcdctl"
    etcdctl.write_text(f'#!/bin/sh\nexec {program(node.version, "etcdctl")} --endpoints={node.url} "$@"\n')
    etcdctl.chmod(0o755)
    done = subprocess.run(
        ["sh", "-ec", block], env=node.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{block}\n{done.stdout}"
    return done.stdout


def test_members_are_replaced_added_and_removed_by_the_how_to(tmp_path: Path) -> None:
    with running(planned(tmp_path, "3.6.16", 4), 3) as nodes:
        first, _, third, new = nodes
        steps = followed("replace-a-member.md", nodes)
        third.stop()
        shutil.rmtree(third.data)
        planned_steps = type_in(third, steps.take("Replace a node"))
        assert "to do: removing the dead member of this node" in planned_steps
        (old,) = (id_ for id_, name in first.members().items() if name == "pg3")
        type_in(third, steps.take("Replace a node"))
        assert old not in first.members()
        assert third.takes_writes()
        type_in(new, steps.take("Add a node"))
        assert sorted(first.members().values()) == ["pg1", "pg2", "pg3", "pg4"]
        type_in(new, steps.take("Remove a node"))
        assert new.pid == 0
        listed = type_in(first, steps.take("Remove a node"))
        assert sorted(line.split(", ")[2] for line in listed.splitlines()) == ["pg1", "pg2", "pg3"]
        before = first.pid
        type_in(first, steps.take("Do other work"))
        assert first.pid not in (0, before)
        first.serves()
        steps.is_done()


def test_space_is_given_back_and_the_alarm_cleared_by_the_how_to(tmp_path: Path) -> None:
    with running(planned(tmp_path, "3.6.16", 2, **{"quota-backend-bytes": str(QUOTA)}), 2) as nodes:
        first = nodes[0]
        steps = followed("free-space.md", nodes)
        # Little of it is in use: all are values of one key.
        assert fill(first, 100) == 100
        # Slowly, since the quota counts the larger file, and the other one is written a moment later.
        while min(sizes(nodes)) < 0.81 * QUOTA:
            assert fill(first, 1) == 1
        compact(nodes)
        before = sizes(nodes)
        assert type_in(first, steps.take("See how much")).count("would be defragmented") == 2
        assert sizes(nodes) == before
        type_in(first, steps.take("Defragment"))
        assert max(sizes(nodes)) < 2 * MIB
        assert fill(first, 400) < 400
        assert "NOSPACE" in first.etcdctl("alarm", "list")
        status = steps.take("When writes are refused")
        said = first.tool(*status.split()[1:])
        assert (said.returncode, "alarm NOSPACE" in said.stdout) == (1, True)
        leader_of(nodes)
        type_in(first, steps.take("When writes are refused"))
        assert first.etcdctl("alarm", "list") == ""
        assert first.takes_writes()
        steps.is_done()


def test_users_are_required_by_the_how_to(tmp_path: Path) -> None:
    with running(planned(tmp_path, "3.6.16", 2), 2) as nodes:
        first, second = nodes
        steps = followed("authentication.md", nodes)
        shown = r"  username: 17-main\n  password: (\S+)\n"
        (old,) = re.findall(shown, type_in(first, steps.take("1. Add a user")))
        said = type_in(first, steps.take("2. Turn authentication on"))
        assert "to do: turning authentication on" in said
        assert "Authentication is on." in said
        shutil.copy(first.folder / "credentials", second.folder / "credentials")
        assert "has a user with the role root" in type_in(second, steps.take("3. Copy"))
        (new,) = re.findall(shown, type_in(first, steps.take("Change a password")))
        put = "put /postgresql-common/17-main/leader pg1 --command-timeout=30s --user 17-main:"
        assert "OK" in type_in(second, f"etcdctl {put}{new}")
        with pytest.raises(AssertionError, match="invalid user ID or password"):
            type_in(second, f"etcdctl {put}{old}")
        steps.is_done()
