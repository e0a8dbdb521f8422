"""The part of ci/demo that needs root: nodes that install from a repository, and a look at the cluster."""

import shlex
import signal
import sys
import time
from pathlib import Path

from tests.support.archives.publisher import SUITE, Publisher, served, signing_home
from tests.support.command import CommandFailed
from tests.support.machines import scratch
from tests.support.machines.cluster import Cluster, preseed
from tests.support.machines.lab import open_lab, why_no_nodes
from tests.support.machines.machine import BootFailed, Machine
from tests.support.wait import WaitedInVain

INSTALL_BOUND = 60
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


def _endpoints(cluster: Cluster) -> str:
    return "--endpoints=" + ",".join(f"{machine.address}:2379" for machine in cluster.machines)


def _look_at(cluster: Cluster) -> None:
    first, second, third = cluster.machines
    everywhere = _endpoints(cluster)
    _show(first, "debconf-show", "etcd-ha")
    _show(first, "etcdctl", everywhere, "member", "list", "--write-out=table")
    _show(first, "etcdctl", everywhere, "endpoint", "health", "--write-out=table")
    _show(first, "etcdctl", "put", "greeting", "written on n1")
    _show(second, "etcdctl", "get", "greeting")
    _show(third, "etcdctl", "del", "greeting")
    for machine in cluster.machines:
        _show(machine, "etcd-ha", "status")


def run_nodes(changes: Path, *, keep: bool) -> None:
    """Boot, publish, install, wait for quorum, show; BootFailed where this machine can't carry nodes."""
    with open_lab() as lab, signing_home() as gnupg_home:
        started = time.monotonic()
        machines = lab.nodes(3)
        _say(f"\nThree Debian 13 nodes are up after {time.monotonic() - started:.1f} s.")
        publisher = Publisher(lab.folder / "publisher", gnupg_home)
        try:
            publisher.must(*publisher.init_words())
            with served(publisher, lab.network) as url:
                _publish(publisher, changes, url)
                _use(Cluster(machines), publisher.sources)
        except (CommandFailed, WaitedInVain):
            sys.stderr.write(_last_words(machines))
            raise
        if keep:
            _say(f"\n{lab.keep()}")


def _publish(publisher: Publisher, changes: Path, url: str) -> None:
    publisher.must(*publisher.init_words("--url", url))
    _say(publisher.must(*publisher.publish_words(changes)).rstrip())
    _say(f"A signed repository is served at {url}; all that a node needs is {SUITE}.sources.")


def _use(cluster: Cluster, sources: str) -> None:
    for machine in cluster.machines:
        started = time.monotonic()
        machine.use_repository(sources)
        preseed(machine, cluster.answers(machine))
        machine.apt_install("etcd-ha", options=["--no-install-recommends"], within=INSTALL_BOUND)
        _say(f"{machine.name}# apt update && apt install etcd-ha    {time.monotonic() - started:.1f} s")
    started = time.monotonic()
    cluster.wait_for_quorum(within=QUORUM_BOUND)
    _say(f"All members are healthy after {time.monotonic() - started:.1f} s more.\n")
    _look_at(cluster)


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
        except BootFailed as error:
            reason = str(error)
        except (CommandFailed, WaitedInVain) as error:
            sys.stderr.write(f"demo: error: {error}\n")
            return 1
        except KeyboardInterrupt:
            return 130
    if reason is not None:
        _say(f"\nCan't boot nodes: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
