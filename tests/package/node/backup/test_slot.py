"""Whose the backup of a slot of time is, where two nodes are a moment apart; real etcd on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from etcd_ha.backup.slot import Done, in_slot
from etcd_ha.gateway import Body, Fields
from etcd_ha.identity import Identity
from etcd_ha.keeper.cluster import BOUND, Cluster

from tests.support.releases.loopback_etcd import free_ports, loopback_etcd, options_of, programs
from tests.support.releases.releases import NEWEST

SLOT = 7


class Late(Cluster):
    """Its node has looked, and before it claims the slot, another one does all of its work."""

    meanwhile: Callable[[], object] | None = None

    def change(self, what: str, method: str, body: Body, url: str = "", bound: float = BOUND) -> Fields:
        if method == "kv/txn" and self.meanwhile:
            work, self.meanwhile = self.meanwhile, None
            work()
        return super().change(what, method, body, url, bound)


@pytest.fixture
def urls(tmp_path: Path) -> Iterator[list[str]]:
    """The client URL of a cluster of one."""
    port, peer_port = free_ports(2)
    url = f"http://127.0.0.1:{port}"
    options = options_of(tmp_path, "pg1", url, f"http://127.0.0.1:{peer_port}")
    flags = [f"--{name}={value}" for name, value in options.items()]
    with loopback_etcd(programs(tmp_path, NEWEST["3.6"]), tmp_path, url, flags):
        yield [url]


def made_by(node: str) -> Done:
    return Done(SLOT, node, "2027-01-04T00:10:04Z", "backup-20270104T001004Z", 12, 20_480)


def test_a_backup_that_was_made_between_the_look_and_the_claim_is_not_made_again(urls: list[str]) -> None:
    late = Late(urls, Identity())
    late.meanwhile = lambda: in_slot(Cluster(urls, Identity()), SLOT, "pg1", lambda: made_by("pg1"))
    assert in_slot(late, SLOT, "pg2", lambda: made_by("pg2")) == made_by("pg1")
    # The claim is given back: the next slot is free at once.
    again = Done(SLOT + 1, "pg2", "2027-01-05T00:10:04Z", "backup-20270105T001004Z", 13, 20_480)
    assert in_slot(late, SLOT + 1, "pg2", lambda: again) == again
