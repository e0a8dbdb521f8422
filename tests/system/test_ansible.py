"""docs/how-to/cluster/ansible.md, followed with ansible-core on three nodes that run sshd."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.archives.publisher import SUITE
from tests.support.command import run
from tests.support.documents import Followed, find_how_to
from tests.support.machines.lab import boot
from tests.support.machines.machine import Machine
from tests.support.machines.site import SERVER, Site

# Ansible's module for apt would fetch python3-apt from Debian, which is on no network of the lab.
PACKAGES = ("openssh-server", "python3-apt")


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The key of whoever runs the playbook, and their Ansible.

    Its folder has a short path: ssh makes a socket there, whose path may have 107 characters (unix(7)).
    """
    with tempfile.TemporaryDirectory(prefix="etcd-deb-") as folder:
        for name in [name for name in os.environ if name.startswith("ANSIBLE_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("LC_ALL", "C.UTF-8")
        connection = f"-o UserKnownHostsFile={folder}/known -o ControlMaster=auto -o ControlPersist=5s"
        Path(folder, "ansible.cfg").touch()
        monkeypatch.setenv("ANSIBLE_CONFIG", f"{folder}/ansible.cfg")
        monkeypatch.setenv("ANSIBLE_HOME", f"{folder}/ansible")
        monkeypatch.setenv("ANSIBLE_PRIVATE_KEY_FILE", f"{folder}/key")
        monkeypatch.setenv("ANSIBLE_SSH_ARGS", connection)
        monkeypatch.setenv("ANSIBLE_HOST_KEY_CHECKING", "False")
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{folder}/key"])
        yield Path(folder, "key")


@pytest.fixture
def machines(site: Site, key: Path) -> list[Machine]:
    """pg1, pg2 and pg3 with Debian alone, which that key opens."""
    machines = site.lab.unbooted(3, SUITE, *PACKAGES)
    for machine in machines:
        ssh, etc = machine.root / "root/.ssh", machine.root / "etc"
        ssh.mkdir(mode=0o700, exist_ok=True)
        (ssh / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
        with (etc / "hosts").open("a") as hosts:
            hosts.write(f"{site.lab.network.address} {SERVER}\n")
        for sources in (etc / "apt/sources.list", *(etc / "apt/sources.list.d").iterdir()):
            sources.unlink(missing_ok=True)
    boot(machines)
    return machines


@pytest.mark.soak
def test_a_playbook_makes_a_cluster_and_changes_nothing_when_it_runs_again(
    site: Site, machines: list[Machine]
) -> None:
    steps, desk = Followed(find_how_to("ansible.md"), lambda text: text), site.desk
    # The nodes know the server's name. From the desk, only its address reaches it.
    desk.types(steps.take("1. Make the files").replace(f"//{SERVER}", f"//{site.lab.network.address}"))
    desk.writes("inventory.ini", steps.take("2. List the machines"))
    desk.writes("etcd.yml", steps.take("3. Write the playbook"))
    play, check = steps.take("4. Run it").splitlines()
    first = desk.types(play)
    assert recap(first) == {machine.name: (4, 0) for machine in machines}, first
    assert desk.types(check).endswith("\nAll is well.\n")
    again = desk.types(play)
    assert recap(again) == {machine.name: (0, 0) for machine in machines}, again
    steps.is_done()


def recap(said: str) -> dict[str, tuple[int, int]]:
    """How many tasks changed something on each machine, and how many failed."""
    found = re.findall(r"^(\w+) +: .* changed=(\d+) .* failed=(\d+)", said, re.MULTILINE)
    return {name: (int(changed), int(failed)) for name, changed, failed in found}
