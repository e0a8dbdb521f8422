"""Debian's Patroni and PostgreSQL on the members of a cluster, set up by what `etcd-deb cluster` writes."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.support.command import run
from tests.support.documents import blocks, find_how_to
from tests.support.machines.machine import Machine

DESCRIBED = """\
token: patroni_lab
nodes:
{nodes}
patroni: {{postgresql: {postgresql}, network: 10.66.0.0/24}}
"""
# One run after the other, since pgbench that is ended tells nothing. The rate leaves etcd enough time.
LOAD = """
while [ ! -e /run/enough ]; do
    runuser -u postgres -- pgbench --no-vacuum --client=2 --rate=60 --time=3 || exit
done
"""
# Patroni before 4.1.3 can give its primary up when etcd's leader changes (patroni 3407); its words for it.
ROLES = re.compile(r"demot|promot|failed to update leader lock|not a primary lessor")


def packages(postgresql: str) -> tuple[str, ...]:
    """What docs/how-to/cluster/patroni.md has a node install; no mirror can be reached from one."""
    return f"postgresql-{postgresql}", "patroni", "python3-etcd"


def etcd_deb(folder: Path, *words: str) -> str:
    """`etcd-deb cluster WORDS`, typed in the folder of cluster.yaml; what it printed."""
    program = Path(sys.executable).with_name("etcd-deb")
    return run([program, "-q", "cluster", *words], cwd=folder).stdout


def describe(machines: Sequence[Machine], folder: Path, postgresql: str, *lines: str) -> None:
    """cluster.yaml; lines: more of it."""
    nodes = "\n".join(f"  - {{name: {one.name}, address: {one.address}}}" for one in machines)
    text = DESCRIBED.format(nodes=nodes, postgresql=postgresql)
    (folder / "cluster.yaml").write_text("\n".join([text, *lines]))


def type_in(machine: Machine, folder: str, commands: str) -> None:
    """Run commands in a folder of the machine."""
    machine.run("sh", "-e", "-c", f"cd {folder}\n{commands}", within=180)


def block(name: str, heading: str) -> str:
    """The first block below a heading of a how-to."""
    return next(one.text for one in blocks(find_how_to(name)) if one.heading.startswith(heading))


def install_certificates(machines: Sequence[Machine], folder: Path) -> None:
    """Those of etcd, as docs/how-to/cluster/tls.md has it; those of Patroni's clients are beside them."""
    etcd_deb(folder, "certs", "cluster.yaml")
    for machine in machines:
        shutil.copytree(folder / "cluster" / machine.name, machine.root / "root/cluster", dirs_exist_ok=True)
        type_in(machine, "/root/cluster/etcd-tls", block("tls.md", "Install them on a node"))


def install(machine: Machine, deb: Path, folder: Path) -> None:
    """etcd-ha, by the answers of `cluster preseed`."""
    shutil.copytree(folder / "cluster" / machine.name, machine.root / "root/cluster", dirs_exist_ok=True)
    type_in(machine, "/root/cluster", "debconf-set-selections etcd-ha.preseed")
    machine.install(deb)


def set_up(machines: Sequence[Machine], deb: Path, folder: Path) -> None:
    """What the how-tos have one do, on all nodes side by side: etcd-ha, and Patroni on it."""
    etcd_deb(folder, "preseed", "cluster.yaml")
    printed = etcd_deb(folder, "patroni", "--style", "debian", "cluster.yaml")
    commands = dict(re.findall(r"^on (\S+): (pg_createconfig_patroni .*)$", printed, re.MULTILINE))

    def equip(machine: Machine) -> None:
        install(machine, deb, folder)
        type_in(machine, "/root/cluster", _install(machine, commands[machine.name]))

    with ThreadPoolExecutor(len(machines)) as threads:
        list(threads.map(equip, machines))


def _install(machine: Machine, command: str) -> str:
    """The how-to's commands, for this PostgreSQL, and without certificates where the cluster has none."""
    lines = block("patroni.md", "2. On each node").splitlines()
    if not (machine.root / "root/cluster/patroni-tls").exists():
        lines = [line for line in lines if "tls" not in line]
    postgresql = command.split()[-2]
    return "\n".join(
        command if line.startswith("pg_createconfig_patroni") else re.sub(r"\b17\b", postgresql, line)
        for line in lines
    )


def install_client_files(machines: Sequence[Machine]) -> None:
    """What Patroni presents, as the how-to has it."""
    lines = [
        line for line in block("patroni.md", "2. On each node").splitlines() if "/etc/patroni/tls" in line
    ]
    for machine in machines:
        type_in(machine, "/root/cluster", "\n".join(lines))


def file_of(machine: Machine) -> Path:
    """Patroni's file there, on the node; its service is patroni@ and the name."""
    (found,) = (machine.root / "etc/patroni").glob("*-main.yml")
    return Path("/etc/patroni", found.name)


def change_file(machine: Machine, section: str) -> None:
    """Lines of etcd3: in Patroni's file there; they replace those of the same keys."""
    path = machine.root / str(file_of(machine))[1:]
    lines = path.read_text().splitlines()
    at = lines.index("etcd3:") + 1
    end = next(
        (number for number in range(at, len(lines)) if lines[number][:1] not in (" ", "-")), len(lines)
    )
    new = [f"  {line.strip()}" for line in section.splitlines()]
    keys = {line.partition(":")[0] for line in new}
    kept = [line for line in lines[at:end] if line.partition(":")[0] not in keys]
    path.write_text("\n".join([*lines[:at], *new, *kept, *lines[end:], ""]))


def members(machine: Machine) -> dict[str, tuple[str, str, int]]:
    """Role, state and timeline of each, as Patroni on the machine reads them in etcd."""
    done = machine.run("patronictl", "-c", str(file_of(machine)), "list", "--format=json", check=False)
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
    said = output.read_text()
    assert sum(map(int, re.findall(r"^number of failed transactions: (\d+) ", said, re.MULTILINE))) == 0, said


def transactions(output: Path) -> int:
    """How many pgbench has had processed."""
    found = re.findall(r"^number of transactions actually processed: (\d+)", output.read_text(), re.MULTILINE)
    return sum(map(int, found))


def changes_of_role(machines: Sequence[Machine]) -> str:
    """What Patroni logged where it took a primary or gave it up."""
    logs = [
        machine.journal("-u", f"patroni@{file_of(machine).stem}", "-o", "cat").splitlines()
        for machine in machines
    ]
    return "\n".join(line for log in logs for line in log if ROLES.search(line))


def assert_no_failover(machines: Sequence[Machine], primary: Machine) -> None:
    """The primary is who it was since the beginning: a failover begins a timeline."""
    seen = members(primary)
    roles = changes_of_role(machines)
    assert seen.get(primary.name) == ("Leader", "running", 1), f"{seen}\n{roles}"
    assert {one[2] for one in seen.values()} == {1}, f"{seen}\n{roles}"
