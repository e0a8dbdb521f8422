"""Commands in a throw-away Debian root without booting it: for package checks of other suites."""

import contextlib
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.command import run
from tests.support.machines.base import MINIMAL, Base, lay_overlay
from tests.support.machines.machine import ENVIRONMENT
from tests.support.machines.scratch import scratch

# A namespace of its own for each command, so that nothing it starts or mounts outlives it.
ENTER = """
mount -t proc proc "$1/proc"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$1/dev/pts"
mount -t tmpfs tmpfs "$1/dev/shm"
root=$1
shift
exec chroot "$root" "$@"
"""


@dataclass(frozen=True)
class Chroot:
    """A root file system that commands run in; `root` is its path outside."""

    root: Path

    def command(self, *argv: str, env: Mapping[str, str] | None = None) -> list[str]:
        """The command line that runs `argv` as root inside, in a clean environment, without a network."""
        words = [f"{name}={value}" for name, value in {**ENVIRONMENT, **(env or {})}.items()]
        return [
            *("unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child"),
            *("sh", "-ec", ENTER, "sh", str(self.root), "env", "-i", *words, *argv),
        ]

    def run(
        self,
        *argv: str,
        input: str | None = None,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        within: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside; stderr comes with stdout."""
        command = self.command(*argv, env=env)
        return run(command, input=input, check=check, within=within, shown=f"chroot# {shlex.join(argv)}")

    def put(self, source: Path, where: str) -> None:
        """Copy a file or folder of ours to an absolute path inside."""
        target = self.root / where.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)


@contextlib.contextmanager
def chroot(suite: str, *packages: str) -> Iterator[Chroot]:
    """A throw-away root of a suite with these packages besides the minimal ones."""
    base = Base(suite, (*MINIMAL, *packages))
    with base.in_use() as lower, scratch() as folder:
        yield Chroot(lay_overlay(folder / "chroot", lower))
