"""The lab itself: nodes see each other, and nothing of them stays behind."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.command import CommandFailed
from tests.support.machines.lab import Lab, open_lab
from tests.support.machines.machine import Machine
from tests.support.machines.processes import groups_named
from tests.support.wait import WaitedInVain, wait_for

ROOT = Path(__file__).resolve().parents[2]

# Boots a node, says so, and waits to be ended.
VICTIM = """
import sys
from tests.support.machines.lab import open_lab
with open_lab() as lab:
    lab.nodes(1)
    print(lab.folder, flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def victim() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process with a node up, and the folder of its lab."""
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())


def left_behind(folder: Path) -> list[str]:
    """What is still there under the name of a lab."""
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return [
        *(str(group.path) for group in groups_named(f"{folder.name}-")),
        *(line for line in mounts if folder.name in line),
        *([str(folder)] if folder.exists() else []),
    ]


def test_nodes_reach_each_other_by_both_families_until_cut_off(lab: Lab) -> None:
    first, second = lab.nodes(2)
    for address in (second.endpoint.ipv4, second.endpoint.ipv6):
        assert answers(first, address)
    lab.network.cut_off(second.name)
    assert not answers(first, second.endpoint.ipv4)
    lab.network.mend(second.name)
    assert answers(first, second.endpoint.ipv4)


def answers(machine: Machine, address: str) -> bool:
    """True when something refuses or takes a connection there: the packet came back."""
    script = f"exec 3<>/dev/tcp/{address}/9"
    said = machine.run("timeout", "2", "bash", "-c", script, check=False).stdout
    return "refused" in said


def test_commands_inside_get_a_clean_environment(
    nodes: Callable[..., list[Machine]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBIAN_FRONTEND", "noninteractive")
    (node,) = nodes(1)
    assert "DEBIAN_FRONTEND" not in node.run("env").stdout


def test_failed_command_inside_tells_node_command_and_output(
    nodes: Callable[..., list[Machine]],
) -> None:
    (node,) = nodes(1)
    with pytest.raises(CommandFailed, match=r"exit status 3: n1# sh -c 'echo cause; exit 3'\n  cause"):
        node.run("sh", "-c", "echo cause; exit 3")


def test_disk_survives_reboot_and_power_cut(nodes: Callable[..., list[Machine]]) -> None:
    (node,) = nodes(1)
    node.put("/etc/kept", "text")
    node.reboot()
    assert node.get("/etc/kept") == "text"
    node.cut_power()
    assert not node.is_up
    assert "Startup finished" in node.journal()
    node.boot()
    assert node.get("/etc/kept") == "text"


def test_interrupted_lab_leaves_nothing() -> None:
    with victim() as (process, folder):
        assert left_behind(folder)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
        assert left_behind(folder) == []


# Another lab that begins would clear what this leaves behind, before it has looked.
@pytest.mark.alone
def test_killed_lab_is_cleared_by_the_next_one() -> None:
    with victim() as (process, folder):
        process.kill()
        process.wait(timeout=30)
        assert left_behind(folder)
        with open_lab():
            assert left_behind(folder) == []


def test_lab_of_a_living_process_is_left_alone() -> None:
    with victim() as (process, folder):
        with open_lab():
            assert left_behind(folder)
        process.communicate(input="", timeout=30)
        assert left_behind(folder) == []


def test_wait_names_what_it_waited_for() -> None:
    with pytest.raises(WaitedInVain, match=r"waited 0.2 s for the moon; last seen: 0"):
        wait_for("the moon", lambda: 0, within=0.2)
