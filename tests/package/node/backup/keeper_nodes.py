"""Three members of real etcd on the loopback of this machine, each with the keeper's commands beside it."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.package.node.node_shell import LIBRARY, TEMPLATE
from tests.package.node.real_members import NETWORK, Node

ADDRESSES = tuple(f"{NETWORK}.{number}" for number in (1, 2, 3))


@dataclass(frozen=True)
class KeeperNode(Node):
    """A member's folder, with its own state, settings and backups."""

    @property
    def backups(self) -> Path:
        return self.folder / "backups"

    def variables(self) -> Mapping[str, str]:
        """What leads the commands to this node instead of to a machine's own files."""
        return {
            "PATH": os.environ["PATH"],
            "ETCD_HA_LIB": str(LIBRARY),
            "ETCD_HA_PYTHON": str(TEMPLATE / "node"),
            "ETCD_HA_KEPT": str(self.folder / "state/begun"),
            "ETCD_HA_RUN": str(self.folder),
            "ETCD_BIN": str(self.programs["etcd"].parent),
            "CONFIG": str(self.folder / "etcd.yaml"),
            "CREDENTIALS": str(self.folder / "credentials"),
        }

    def keeper(self, *words: str, typed: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """`etcd-ha WORD...`; its standard input is no terminal."""
        return subprocess.run(
            ["sh", str(TEMPLATE / "node/commands" / words[0]), *words[1:]],
            env={**self.variables(), **variables},
            input=typed,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def done(self, *words: str) -> str:
        """What a command that has to succeed prints as its result."""
        done = self.keeper(*words)
        assert not done.returncode, done.stderr
        return done.stdout

    def refused(self, *words: str, status: int = 1) -> str:
        """What a command says that has to refuse."""
        done = self.keeper(*words)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return done.stderr


def three(folder: Path, programs: Mapping[str, Path]) -> tuple[KeeperNode, ...]:
    """Nodes with their files, that do not run yet."""
    nodes = tuple(
        KeeperNode(f"pg{number}", address, folder / f"pg{number}", programs)
        for number, address in enumerate(ADDRESSES, 1)
    )
    for node in nodes:
        node.configure(*(other for other in nodes if other is not node))
        node.folder.chmod(0o755)
        (node.folder / "backup.toml").write_text(f'to = "{node.backups}"\n')
    return nodes


@contextlib.contextmanager
def running(nodes: Sequence[KeeperNode]) -> Iterator[None]:
    """These members as processes that serve."""
    with contextlib.ExitStack() as processes:
        for node in nodes:
            processes.enter_context(node.runs())
        for node in nodes:
            node.serves()
        yield
