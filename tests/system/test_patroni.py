"""Debian's Patroni and PostgreSQL on a cluster with TLS, set up by what `etcd-deb cluster` writes."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.support.command import run
from tests.support.documents import blocks, find_how_to
from tests.support.machines.cluster import is_serving
from tests.support.machines.lab import Lab
from tests.support.machines.machine import Machine
from tests.support.sample import sampled
from tests.support.wait import wait_for
from tests.system.upgrades import is_pending, running_version, upgrade_all

Package = Callable[[str], Path]

# What docs/how-to/cluster/patroni.md has a node install; no mirror can be reached from one.
PACKAGES = ("postgresql-17", "patroni", "python3-etcd")
# What is installed, and upgraded to: a patch, and a minor.
PATCH_AND_MINOR, MINOR = "3.6.7 3.6.16 3.7.3", "3.6.16 3.7.3"
DESCRIBED = """\
token: patroni_lab
nodes:
{nodes}
tls: {{authority: own}}
patroni: {{postgresql: 17, network: 10.66.0.0/24}}
"""
# One run after the other, since pgbench that is ended tells nothing. The rate leaves etcd enough time.
LOAD = """
while [ ! -e /run/enough ]; do
    runuser -u postgres -- pgbench --no-vacuum --client=2 --rate=60 --time=3 || exit
done
"""
# Seconds.
NEW_PRIMARY = 60
# Patroni before 4.1.3 can give its primary up when etcd's leader changes (patroni 3407); its words for it.
ROLES = re.compile(r"demot|promot|failed to update leader lock|not a primary lessor")


def etcd_deb(folder: Path, *words: str) -> str:
    """`etcd-deb cluster WORDS cluster.yaml`, typed in the folder; what it printed."""
    program = Path(sys.executable).with_name("etcd-deb")
    return run([program, "-q", "cluster", *words, "cluster.yaml"], cwd=folder).stdout


def type_in(machine: Machine, folder: str, commands: str) -> None:
    machine.run("sh", "-e", "-c", f"cd {folder}\n{commands}", within=180)


def block(name: str, heading: str) -> str:
    """The first block below a heading of a how-to."""
    return next(one.text for one in blocks(find_how_to(name)) if one.heading.startswith(heading))


def set_up(machines: Sequence[Machine], deb: Path, folder: Path) -> None:
    """What the how-tos have one do, on all nodes side by side: certificates, etcd-ha, and Patroni on it."""
    nodes = "\n".join(f"  - {{name: {one.name}, address: {one.address}}}" for one in machines)
    (folder / "cluster.yaml").write_text(DESCRIBED.format(nodes=nodes))
    etcd_deb(folder, "certs")
    etcd_deb(folder, "preseed")
    printed = etcd_deb(folder, "patroni", "--style", "debian")
    commands = dict(re.findall(r"^on (\S+): (pg_createconfig_patroni .*)$", printed, re.MULTILINE))
    certificates, patroni = block("tls.md", "Install them on a node"), block("patroni.md", "2. On each node")
    (shown,) = (line for line in patroni.splitlines() if line.startswith("pg_createconfig_patroni"))

    def equip(machine: Machine) -> None:
        shutil.copytree(folder / "cluster" / machine.name, machine.root / "root/cluster")
        type_in(machine, "/root/cluster/etcd-tls", certificates)
        type_in(machine, "/root/cluster", "debconf-set-selections etcd-ha.preseed")
        machine.install(deb)
        type_in(machine, "/root/cluster", patroni.replace(shown, commands[machine.name]))

    with ThreadPoolExecutor(len(machines)) as threads:
        list(threads.map(equip, machines))


def members(machine: Machine) -> dict[str, tuple[str, str, int]]:
    """Role, state and timeline of each, as Patroni on the machine reads them in etcd."""
    done = machine.run("patronictl", "-c", "/etc/patroni/17-main.yml", "list", "--format=json", check=False)
    if done.returncode or not done.stdout.startswith("["):
        return {}
    return {one["Member"]: (one["Role"], one["State"], one.get("TL") or 0) for one in json.loads(done.stdout)}


def leader(machine: Machine) -> str:
    """The primary that runs; empty where there is none."""
    return next(
        (
            name
            for name, (role, state, _) in members(machine).items()
            if (role, state) == ("Leader", "running")
        ),
        "",
    )


def has_replicas(machine: Machine) -> bool:
    """Whether one leads and two follow."""
    found = [(role, state) for role, state, _ in members(machine).values()]
    return sorted(found) == [("Leader", "running"), ("Replica", "streaming"), ("Replica", "streaming")]


def query(machine: Machine, text: str, *, check: bool = True) -> str:
    """The one value that PostgreSQL there answers."""
    command = ("runuser", "-u", "postgres", "--", "psql", "-XAtc", text)
    return machine.run(*command, check=check).stdout.strip()


@contextmanager
def load(primary: Machine, output: Path) -> Iterator[None]:
    """pgbench on the primary for as long as the block lasts; each of its transactions has to succeed."""
    primary.run("runuser", "-u", "postgres", "--", "pgbench", "--quiet", "--initialize")
    process = primary.start("sh", "-c", LOAD, output=output)
    yield
    primary.run("touch", "/run/enough")
    assert process.wait(timeout=60) == 0, output.read_text()


def changes_of_role(machines: Sequence[Machine]) -> str:
    """What Patroni logged where it took a primary or gave it up."""
    logs = [machine.journal("-u", "patroni@17-main", "-o", "cat").splitlines() for machine in machines]
    return "\n".join(line for log in logs for line in log if ROLES.search(line))


def upgraded_under_load(
    machines: Sequence[Machine], primary: Machine, debs: dict[str, Path], folder: Path
) -> int:
    """Each on all nodes in the same second: no failover, no failed transaction. How many there were."""
    output = folder / "pgbench.log"
    with load(primary, output):
        for version, deb in debs.items():
            upgrade_all(machines, deb)
            assert [running_version(machine) for machine in machines] == [version] * 3
            assert not any(map(is_pending, machines))
    said = output.read_text()
    failed = sum(map(int, re.findall(r"^number of failed transactions: (\d+) ", said, re.MULTILINE)))
    processed = sum(
        map(int, re.findall(r"^number of transactions actually processed: (\d+)", said, re.MULTILINE))
    )
    seen = members(primary)
    # A failover begins a timeline.
    is_as_before = seen[primary.name] == ("Leader", "running", 1) and {one[2] for one in seen.values()} == {1}
    assert is_as_before, f"{seen}\n{changes_of_role(machines)}"
    assert failed == 0, said
    assert int(query(primary, "select count(*) from pgbench_history")) == processed
    return processed


def cut_off(lab: Lab, primary: Machine, others: Sequence[Machine]) -> tuple[Machine, float]:
    """Pull the primary's cable; the next one, and the seconds until it was the primary."""
    by_name = {one.name: one for one in others}
    lab.network.cut_off(primary.name)
    begin = time.monotonic()
    new = wait_for("a new primary", lambda: by_name.get(leader(others[0])), within=NEW_PRIMARY)
    return new, time.monotonic() - begin


@pytest.mark.timeout(900)
@pytest.mark.parametrize("versions", sampled([MINOR, *[PATCH_AND_MINOR] * 5], MINOR))
def test_patroni_keeps_its_primary_over_upgrades_and_replaces_one_that_is_cut_off(
    lab: Lab, package: Package, tmp_path: Path, versions: str
) -> None:
    installed, *newer = versions.split()
    machines = lab.nodes(3, "trixie", *PACKAGES)
    set_up(machines, package(installed), tmp_path)
    wait_for("a primary and two replicas", partial(has_replicas, machines[0]), within=90)
    primary = next(one for one in machines if one.name == leader(machines[0]))
    others = [one for one in machines if one is not primary]
    debs = {version: package(version) for version in newer}
    processed = upgraded_under_load(machines, primary, debs, tmp_path)
    for machine in machines:
        wait_for(f"{machine.name} to serve", partial(is_serving, machine), within=30)
    machines[0].run("etcd-ha", "check")
    wait_for("two replicas", partial(has_replicas, machines[0]), within=30)
    new, seconds = cut_off(lab, primary, others)
    # Who is cut off has given up by then, and answers nothing or as a replica.
    assert query(primary, "select pg_is_in_recovery()", check=False) != "f"
    assert int(query(new, "select count(*) from pgbench_history")) == processed
    query(new, "create table written (after_the_cut int)")
    print(f"{processed} transactions, none failed; a new primary after {seconds:.1f} s")  # noqa: T201
