"""This node: its etcd.yaml, the sh commands of the package, and the cluster that its member is of."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from etcd_ha.check.expected import Expected
from etcd_ha.errors import EtcdHaError
from etcd_ha.keeper.cluster import Cluster
from etcd_ha.keeper.record import Record
from etcd_ha.keeper.seen import Seen
from etcd_ha.keeper.words import COMMANDS, Words
from etcd_ha.node import Configuration, expected_of


@dataclass(frozen=True, slots=True)
class Here:
    """Where things are; for tests all of it can be elsewhere.

    commands: the folder of the sh commands; run: gone after a boot; kept: what outlives one.
    """

    environment: Mapping[str, str]
    commands: Path
    run: Path
    kept: Path

    @property
    def configuration(self) -> Configuration:
        """etcd.yaml."""
        return Configuration(str(self.commands / "config"), self.environment)

    def record(self, command: str) -> Record:
        """Of a run of a command that may be broken off."""
        return Record(self.kept / f"{command}.json")

    def expected(self) -> Expected:
        """Own URLs, those of the others, what to present. Raises EtcdHaError without them in etcd.yaml."""
        return expected_of(self.environment)

    def cluster(self) -> Cluster:
        """Of this node's member, asked here first, then at the others. Raises EtcdHaError."""
        known = self.expected()
        return Cluster(known.places, known.identity)

    @property
    def has_slot(self) -> bool:
        """Whether this runs in the restart slot, by in-turn."""
        return "ETCD_HA_SLOT" in self.environment

    def again_in_slot(self, words: Words, wait: int) -> NoReturn:
        """Go on as the same command in the restart slot, awaited for that many seconds."""
        name, *arguments = words.typed
        mine = ["sh", str(self.commands / name), *arguments]
        in_turn = ["sh", str(self.commands / "in-turn"), "--wait", str(wait), "--", *mine]
        os.execvpe("sh", in_turn, dict(self.environment))  # noqa: S606

    def run_command(self, name: str, *words: str) -> None:
        """Run a sh command of the package; it speaks for itself. Raises EtcdHaError where it fails."""
        done = subprocess.run(
            ["sh", str(self.commands / name), *words], check=False, env=dict(self.environment)
        )
        if done.returncode:
            raise EtcdHaError(f"etcd-ha {name} failed with status {done.returncode}; its message is above")


def here_of(environment: Mapping[str, str]) -> Here:
    """Where things are on this node."""
    return Here(
        environment,
        Path(environment.get("ETCD_HA_COMMANDS", COMMANDS)),
        Path(environment.get("ETCD_HA_RUN", "/run")),
        Path(environment.get("ETCD_HA_KEPT", "/var/backups/etcd-ha/begun")),
    )


def own(seen: Sequence[Seen], known: Expected) -> Seen | None:
    """The member of this node, by what answers here or else by its name; None where there is none.

    Raises EtcdHaError where several may be it.
    """
    answering = [one for one in seen if one.answers and one.url in known.urls]
    if not answering:
        answering = [one for one in seen if known.own and one.member.name == known.own]
    if len(answering) > 1:
        raise EtcdHaError(
            "can't tell which of these members is the one of this node",
            details=tuple(f"found     {one.member.shown} ({one.member.id})" for one in answering),
            hint="etcd-ha check",
        )
    return answering[0] if answering else None
