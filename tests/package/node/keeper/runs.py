"""How a run of etcd-ha on a node ends."""

from __future__ import annotations

import contextlib
import signal
import subprocess

from tests.package.node.keeper.nodes import Node


def done(node: Node, *words: str) -> str:
    """What `etcd-ha WORDS` says that has to succeed."""
    ended = node.tool(*words)
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def refused(node: Node, *words: str) -> str:
    """What `etcd-ha WORDS` says that has to refuse."""
    ended = node.tool(*words)
    assert ended.returncode == 1, ended.stdout
    return ended.stdout


def killed(node: Node, step: str, after: float, *words: str) -> str:
    """What `etcd-ha WORDS` says that is killed so many seconds after it has announced a step."""
    process = node.begin(*words)
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if step in line:
            break
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=after)
    process.send_signal(signal.SIGKILL)
    process.stdout.close()
    process.wait()
    return said
