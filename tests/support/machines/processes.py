"""A control group of its own for everything one node runs, so that exactly that can be ended."""

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from tests.support.wait import WaitedInVain, wait_for


class NoControlGroups(Exception):
    """This machine offers no control groups that a node could boot in."""


def unified_hierarchy() -> Path:
    """Where control groups version 2 are mounted, alone or beside version 1."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup2" and "rw" in options.split(","):
            return Path(where)
    raise NoControlGroups("expected a writable mount of cgroup2, found none in /proc/self/mounts")


@dataclass(frozen=True)
class ProcessGroup:
    """The control group called `name`; a transient scope where systemd runs this machine."""

    name: str

    @property
    def _under_systemd(self) -> bool:
        return Path("/run/systemd/system").is_dir()

    @property
    def path(self) -> Path:
        """The group's folder."""
        if self._under_systemd:
            return unified_hierarchy() / "system.slice" / f"{self.name}.scope"
        return unified_hierarchy() / self.name

    def command(self, *argv: str) -> list[str]:
        """The command line that runs `argv` inside the group."""
        if self._under_systemd:
            scope = ["systemd-run", "--quiet", "--scope", "--slice=system.slice"]
            return [*scope, f"--unit={self.name}", "--property=Delegate=yes", "--", *argv]
        self.path.mkdir(exist_ok=True)
        join = 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"'
        return ["sh", "-c", join, "sh", str(self.path), *argv]

    def pids(self) -> list[int]:
        """Every process of the group."""
        return [int(pid) for folder in _folders(self.path) for pid in _read(folder / "cgroup.procs").split()]

    def init(self) -> int | None:
        """The process that is number 1 in a process namespace of its own."""
        for pid in self.pids():
            for line in _read(Path(f"/proc/{pid}/status")).splitlines():
                if line.startswith("NSpid:") and line.split()[2:] == ["1"]:
                    return pid
        return None

    def freeze(self, *, frozen: bool) -> None:
        """Stop every process where it stands, or let them go on."""
        (self.path / "cgroup.freeze").write_text("1" if frozen else "0")

    def end(self) -> None:
        """Kill every process of the group and remove it."""
        init = self.init()
        if init is not None:
            # systemd-nspawn, whose child this is, takes its own mounts down when it is gone.
            with contextlib.suppress(ProcessLookupError):
                os.kill(init, signal.SIGKILL)
            with contextlib.suppress(WaitedInVain):
                wait_for("systemd-nspawn to end", lambda: not self.pids(), within=5)
        with contextlib.suppress(FileNotFoundError):
            (self.path / "cgroup.kill").write_text("1")
        wait_for(f"the processes of {self.path} to end", lambda: not self.pids(), within=20)
        self._remove()

    def _remove(self) -> None:
        if self._under_systemd:
            return  # systemd removes a scope that is empty
        for folder in reversed(_folders(self.path)):
            folder.rmdir()


def _folders(path: Path) -> list[Path]:
    return [Path(folder) for folder, _, _ in os.walk(path)]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""  # the process or its group has just gone


def groups_named(prefix: str) -> list[ProcessGroup]:
    """The groups whose names begin with `prefix`."""
    top = unified_hierarchy()
    found = [*top.glob(f"{prefix}*"), *top.glob(f"system.slice/{prefix}*.scope")]
    return [ProcessGroup(path.name.removesuffix(".scope")) for path in found]
