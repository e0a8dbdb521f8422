"""This machine, for commands of a message that edit etcd.yaml."""

from __future__ import annotations

import subprocess

from tests.package.node.config.test_lint import Tool


class Here:
    """A shell where `etcd-ha config` edits a tool's file, and the test restarts etcd by itself."""

    def __init__(self, tool: Tool) -> None:
        self._tool = tool

    def run(
        self, *argv: str, input: str | None = None, check: bool = True, within: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command; stderr comes with stdout."""
        programs = self._tool.file.parent / "bin"
        programs.mkdir(exist_ok=True)
        program = programs / "etcd-ha"
        program.write_text(
            f'#!/bin/sh\n[ "$1" != restart ] || exit 0\nshift\nexec sh {self._tool.program} "$@"\n'
        )
        program.chmod(0o755)
        environment = self._tool.environment
        return subprocess.run(
            argv,
            env={**environment, "PATH": f"{programs}:{environment['PATH']}"},
            input=input,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=check,
            timeout=within,
        )
