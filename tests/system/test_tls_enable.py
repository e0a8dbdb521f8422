"""docs/how-to/cluster/turn-tls-on.md, followed on three members that serve a client without a pause."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
import trustme

from tests.support.clients.traffic import traffic
from tests.support.faults.certificates import FOLDER, give_to_client
from tests.support.machines.cluster import is_serving
from tests.support.machines.lab import Lab
from tests.support.machines.machine import Machine
from tests.support.wait import wait_for
from tests.system.how_to import HowTo, follow, walk

Nodes = Callable[..., list[Machine]]

# Seconds.
LONGEST_GAP = 1.0


def hand_out(machines: Sequence[Machine], client: Path) -> None:
    """As docs/how-to/cluster/tls.md installs them, and what the client presents."""
    authority = trustme.CA()
    for machine in machines:
        machine.run("install", "-d", "-m", "0750", "-g", "etcd", FOLDER)
        machine.put(f"{FOLDER}/ca.crt", authority.cert_pem.bytes().decode())
        for name in ("server", "peer"):
            issued = authority.issue_cert(machine.address, machine.name, "127.0.0.1", "localhost")
            machine.put(f"{FOLDER}/{name}.crt", issued.cert_chain_pems[0].bytes().decode())
            machine.put(f"{FOLDER}/{name}.key", issued.private_key_pem.bytes().decode())
        machine.run("sh", "-c", f"chgrp etcd {FOLDER}/*; chmod 0640 {FOLDER}/*")
    give_to_client(authority, client)


@pytest.mark.alone
@pytest.mark.soak
def test_three_members_change_to_https_under_a_client_that_knows_both(
    lab: Lab, serving: Nodes, tmp_path: Path
) -> None:
    machines = serving(3, "3.6.16")
    client = tmp_path / "client"
    hand_out(machines, client)
    how_to = HowTo("turn-tls-on.md", machines)
    (look,), (begin,), (go_on,) = map(how_to.blocks, ("1. Install", "2. Take", "4. Go on"))
    (back,) = how_to.blocks("Go back")
    urls = [f"{scheme}://{machine.address}:2379" for scheme in ("http", "https") for machine in machines]
    with traffic(lab.network, urls, client) as seen:
        assert "to do: restarting etcd in its turn" in follow(machines[0], look)
        assert len(walk(machines, begin, "protocol: https")) == 3
        assert "next, on" in machines[1].run("etcd-ha", "status").stdout
        assert len(walk(machines, go_on, "All members use https alone.")) == 6
    assert seen.lost(machines[0]) == []
    assert seen.longest_gap < LONGEST_GAP, seen.failed
    for machine in machines:
        wait_for(f"{machine.name} to serve", partial(is_serving, machine), within=20)
        assert "http://" not in re.sub("listen-metrics-urls.*", "", machine.get("/etc/etcd/etcd.yaml"))
        assert machine.run("etcd-ha", "config", "lint").stdout == ""
        assert machine.run("etcd-ha", "check").stdout.endswith("All is well.\n")
    assert f"Next, on {machines[1].name}: etcd-ha tls disable" in follow(machines[0], back, within=300)
