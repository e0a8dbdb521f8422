"""What a cluster's clients notice: a writer, and a look every 50 ms at which members serve."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.clients.sampler import BOUND, Sampled
from tests.support.clients.writer import PREFIX, Wrote
from tests.support.machines.machine import Machine
from tests.support.machines.network import Network

ROOT = Path(__file__).parents[3]
END_BOUND = 30
# Seconds between two writes: short beside the gaps, and long enough for the nodes to have the processors.
PAUSE = 0.005


@dataclass
class Traffic:
    """Filled when the traffic has ended. Times are seconds since the epoch."""

    acknowledged: list[float] = field(default_factory=list, repr=False)
    failed: list[tuple[float, str]] = field(default_factory=list)
    samples: int = 0
    down: list[tuple[float, list[str]]] = field(default_factory=list, repr=False)

    @property
    def longest_gap(self) -> float:
        """The longest time between two acknowledged writes, in seconds."""
        return self.longest_gap_between(self.acknowledged[0], self.acknowledged[-1])

    def longest_gap_between(self, begin: float, end: float) -> float:
        """The same of the writes from one time, in seconds since the epoch, to another."""
        pairs = zip(self.acknowledged, self.acknowledged[1:], strict=False)
        return max(later - earlier for earlier, later in pairs if later >= begin and earlier <= end)

    @property
    def most_down(self) -> int:
        """How many members did not serve at the same moment, at most."""
        return max((len(urls) for _, urls in self.down), default=0)

    def most_down_between(self, begin: float, end: float) -> int:
        """The same from one time, in seconds since the epoch, to another."""
        return max((len(urls) for moment, urls in self.down if begin <= moment <= end), default=0)

    def lost(self, machine: Machine, client: Mapping[str, str] | None = None) -> list[str]:
        """Acknowledged writes that the member there doesn't have; client is etcdctl's environment."""
        words = ["etcdctl", "get", "--prefix", PREFIX, "--keys-only"]
        there = set(machine.run(*words, env=client, within=120).stdout.split())
        return [key for number in range(len(self.acknowledged)) if (key := f"{PREFIX}{number}") not in there]


@contextlib.contextmanager
def traffic(
    network: Network,
    urls: Sequence[str],
    certificates: Path | None = None,
    *,
    pause: float = 0,
    bound: float = BOUND,
) -> Iterator[Traffic]:
    """Traffic on all client URLs for as long as the block lasts.

    pause: between two writes; bound: a member that has not answered by then does not serve. In seconds.
    """
    seen = Traffic()
    with (
        _program(network, "writer", urls, certificates, pause) as writer,
        _program(network, "sampler", urls, certificates, bound) as sampler,
    ):
        assert writer.stdout is not None
        # Its first line: the first write was acknowledged.
        assert writer.stdout.readline() == "writing\n"
        yield seen
        wrote: Wrote = json.loads(_end(writer))
        sampled: Sampled = json.loads(_end(sampler))
    seen.acknowledged, seen.failed = wrote["acknowledged"], wrote["failed"]
    seen.samples, seen.down = sampled["samples"], sampled["down"]


@contextlib.contextmanager
def _program(
    network: Network, name: str, urls: Sequence[str], certificates: Path | None, option: float
) -> Iterator[subprocess.Popen[str]]:
    command = [
        sys.executable,
        "-m",
        f"tests.support.clients.{name}",
        str(certificates or ""),
        str(option),
        *urls,
    ]
    process = subprocess.Popen(
        network.command(*command), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _end(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate("", timeout=END_BOUND)
    return said
