"""One Debian node with its own systemd, booted by systemd-nspawn; knows nothing of etcd."""

import contextlib
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.command import CommandFailed, run
from tests.support.machines.network import Endpoint
from tests.support.machines.processes import ProcessGroup
from tests.support.wait import WaitedInVain, wait_for

BOOT_BOUND = 60
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}


class BootFailed(AssertionError):
    """A node did not come up."""


class NotFinished(BootFailed):
    """systemd runs on a node, and something that it started failed or took too long."""


class PoweredOff(AssertionError):
    """A node that was to do something is not up."""


@dataclass
class Machine:
    """A node on `root`; powered off until boot() is called."""

    endpoint: Endpoint
    root: Path
    group: ProcessGroup
    console: Path
    _init: int | None = None
    _nspawn: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The host name."""
        return self.endpoint.name

    @property
    def address(self) -> str:
        """The IPv4 address."""
        return self.endpoint.ipv4

    @property
    def is_up(self) -> bool:
        """False before boot() and after the power went off."""
        return self._nspawn is not None and self._nspawn.poll() is None

    def boot(self, *, within: float = BOOT_BOUND) -> None:
        """Power on and wait until systemd has started everything."""
        command = self.group.command(
            "systemd-nspawn",
            "--quiet",
            f"--directory={self.root}",
            "--boot",
            "--register=no",
            "--keep-unit",
            f"--network-namespace-path={self.endpoint.namespace}",
            # As with a network of its own: systemd-networkd and ip work inside.
            "--capability=CAP_NET_ADMIN",
            f"--machine={self.group.name}",
            f"--hostname={self.name}",
            "--resolv-conf=off",
            "--link-journal=no",
            "--console=read-only",
        )
        with self.console.open("ab") as console:
            self._nspawn = subprocess.Popen(
                ["env", "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1", *command],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us: nodes end by our clean-up
            )
        try:
            self._init = wait_for(f"{self.name}'s init", self._find_init, within=BOOT_BOUND)
            state = wait_for(f"{self.name} to boot", self._boot_state, within=within)
        except WaitedInVain as error:
            kind = NotFinished if self._init and self._state() == "starting" else BootFailed
            raise kind(f"{error}\n{self._last_of_console()}") from error
        if state != "running":
            failed = self.run("systemctl", "--failed", "--no-legend", "--plain").stdout
            raise NotFinished(f"{self.name} is {state} after boot; failed units:\n{failed}")

    def _find_init(self) -> int | None:
        if not self.is_up:
            raise BootFailed(f"systemd-nspawn of {self.name} ended:\n{self._last_of_console()}")
        return self.group.init()

    def _boot_state(self) -> str | None:
        state = self._state()
        return state if state in {"running", "degraded", "maintenance"} else None

    def _state(self) -> str:
        """What systemd says; empty where it does not answer."""
        with contextlib.suppress(CommandFailed):
            return self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return ""

    def _last_of_console(self) -> str:
        return "\n".join(self.console.read_text(errors="replace").splitlines()[-20:])

    def command(self, *argv: str, env: Mapping[str, str] | None = None) -> list[str]:
        """The command line that runs `argv` as root inside, in a clean environment."""
        if self._init is None or not self.is_up:
            raise PoweredOff(f"{self.name} is not up")
        words = [f"{name}={value}" for name, value in {**ENVIRONMENT, **(env or {})}.items()]
        return ["nsenter", f"--target={self._init}", "--all", "--", "env", "-i", *words, *argv]

    def enter(self) -> str:
        """What to type for a shell inside."""
        return f"nsenter --target={self._init} --all env -i HOME=/root TERM=$TERM bash --login"

    def run(
        self,
        *argv: str,
        input: str | None = None,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        within: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root inside; stderr comes with stdout."""
        command = self.command(*argv, env=env)
        shown = f"{self.name}# {shlex.join(argv)}"
        return run(command, input=input, check=check, within=within, shown=shown)

    def start(self, *argv: str, output: Path) -> subprocess.Popen[bytes]:
        """Start a command inside that goes on by itself; the caller ends it."""
        with output.open("wb") as target:
            return subprocess.Popen(
                self.command(*argv),
                stdin=subprocess.DEVNULL,
                stdout=target,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def put(self, where: str, content: str | Path, mode: str = "0644") -> None:
        """Write a file inside: a text, or the copy of a file of ours."""
        store = ["sh", "-c", 'cat >"$1" && chmod "$2" "$1"', "sh", where, mode]
        if isinstance(content, str):
            self.run(*store, input=content)
        else:
            with content.open("rb") as source:
                subprocess.run(self.command(*store), stdin=source, check=True, timeout=60)

    def get(self, where: str) -> str:
        """The text of a file inside."""
        return self.run("cat", where).stdout

    def install(
        self, *debs: Path, env: Mapping[str, str] | None = None, within: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """apt-get install of our .deb files, without a terminal and without a network."""
        for deb in debs:
            self.put(f"/root/{deb.name}", deb)
        where = [f"/root/{deb.name}" for deb in debs]
        return self.apt_install(*where, options=["--no-install-recommends"], env=env, within=within)

    def use_repository(self, sources: str) -> None:
        """Give apt this .sources file, and no other source."""
        self.run("sh", "-c", "rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*")
        self.put("/etc/apt/sources.list.d/etcd-ha.sources", sources)
        # Whatever could not be had is a failure.
        self.run("apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "update")

    def apt_install(
        self,
        *files: str,
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        check: bool = True,
        within: float = 420,
    ) -> subprocess.CompletedProcess[str]:
        """apt-get install, without a terminal, of files that are on the node, or of packages."""
        return self.run(
            *("apt-get", "-q", "-y", *options, "install", *files),
            env={"DEBIAN_FRONTEND": "noninteractive", **(env or {})},
            check=check,
            within=within,
        )

    def journal(self, *arguments: str) -> str:
        """The journal, read inside when the node is up, else from its disk."""
        words = ["journalctl", "--no-pager", "--output=short-precise", *arguments]
        if self.is_up:
            return self.run(*words, check=False).stdout
        return run(["chroot", self.root, *words, "--directory=/var/log/journal"], check=False).stdout

    def poweroff(self) -> None:
        """Shut down in order."""
        self.run("systemctl", "poweroff")
        self._await_end(60)

    def cut_power(self) -> None:
        """Every process inside ends at once."""
        self.group.end()
        self._await_end(20)

    def reboot(self) -> None:
        """Shut down in order and boot again: same disk, same network."""
        self.poweroff()
        self.boot()

    def _await_end(self, within: float) -> None:
        wait_for(f"{self.name} to power off", lambda: not self.is_up, within=within)
        self._init = None
        self.group.end()
