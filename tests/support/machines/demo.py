"""The part of ci/demo that needs root: a cluster from one file by cloud-init, and a look at it."""

import shlex
import signal
import sys
import time
from pathlib import Path

from tests.support.command import CommandFailed
from tests.support.desk import Desk
from tests.support.documents import ROOT
from tests.support.machines import scratch
from tests.support.machines.cluster import Cluster
from tests.support.machines.lab import boot, why_no_nodes
from tests.support.machines.machine import BootFailed, Machine, NotFinished
from tests.support.machines.site import EXAMPLE, SERVER, open_site
from tests.support.wait import WaitedInVain

BOOT_BOUND = 180
QUORUM_BOUND = 60
COMMAND_BOUND = 20


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _show(machine: Machine, *command: str) -> None:
    """Run a command inside and print it as a terminal would."""
    _say(f"{machine.name}# {shlex.join(command)}")
    output = machine.run(*command, within=COMMAND_BOUND).stdout.rstrip()
    _say("\n".join(f"    {line}" for line in output.splitlines()))


def _type(desk: Desk, command: str) -> None:
    """Run a command of etcd-deb outside the nodes and print it in the same way."""
    _say(f"$ {command}")
    _say("\n".join(f"    {line}" for line in desk.types(command).splitlines()))


def _look_at(machines: list[Machine]) -> None:
    first, second, third = machines
    _show(first, "etcdctl", "member", "list", "--write-out=table")
    _show(first, "etcdctl", "put", "greeting", f"written on {first.name}")
    _show(second, "etcdctl", "get", "greeting")
    _show(third, "etcdctl", "del", "greeting")
    for machine in machines:
        _show(machine, "etcd-ha", "status")


def run_nodes(changes: Path, *, keep: bool) -> None:
    """Publish, make the files, boot, use, check; BootFailed where this machine can't carry nodes."""
    with open_site(changes) as site:
        _say(f"\nA signed repository with the package is served at http://{SERVER}, to the three machines of")
        _say(f"cluster.yaml, which is {EXAMPLE.relative_to(ROOT)}.\n")
        for verb in ("show", "certs", "cloud-init"):
            _type(site.desk, f"etcd-deb cluster {verb} cluster.yaml")
        machines = site.machines(3)
        try:
            _boot(machines)
            _look_at(machines)
            _type(site.desk, "etcd-deb cluster check cluster.yaml")
        except (NotFinished, CommandFailed, WaitedInVain):
            sys.stderr.write(_last_words(machines))
            raise
        if keep:
            _say(f"\n{site.lab.keep()}")


def _boot(machines: list[Machine]) -> None:
    started = time.monotonic()
    boot(machines, within=BOOT_BOUND)
    Cluster(machines).wait_for_quorum(within=QUORUM_BOUND)
    _say("\nEach machine booted with Debian, its own user-data and no other command. cloud-init installed")
    _say(f"etcd-ha from the repository. All members are healthy after {time.monotonic() - started:.1f} s.\n")


def _last_words(machines: list[Machine]) -> str:
    """What etcd said last on each node that is up."""
    return "\n".join(
        f"{machine.name}# journalctl --unit=etcd\n{machine.journal('--unit=etcd', '--lines=10')}"
        for machine in machines
        if machine.is_up
    )


def main(arguments: list[str]) -> int:
    """`CHANGES [--keep]`, or `--end` for what was kept."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if arguments == ["--end"]:
        ended = scratch.clear_kept()
        _say(f"Ended: {', '.join(ended)}" if ended else "No nodes were kept.")
        return 0
    changes, *options = arguments
    reason = why_no_nodes()
    if reason is None:
        try:
            run_nodes(Path(changes).resolve(), keep="--keep" in options)
        except (NotFinished, CommandFailed, WaitedInVain) as error:
            sys.stderr.write(f"demo: error: {error}\n")
            return 1
        except BootFailed as error:
            reason = str(error)
        except KeyboardInterrupt:
            return 130
    if reason is not None:
        _say(f"\nCan't boot nodes: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
