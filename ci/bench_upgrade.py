"""Upgrades of a cluster in the same second, under a client that writes without pause, beside Debian's."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from tests.support.clients.upgrade_run import FILLED_MEBIBYTES, Measured, upgrade_debians, upgrade_ours
from tests.support.machines.mirror import download_packages
from tests.support.machines.package import build_package

OLD, NEW = "3.5.16", "3.5.30"


def table(measured: list[Measured]) -> str:
    """A line for each kind: medians of the rounds, and the worst."""
    head = ("gap s", "worst", "turn s", "failed", "down", "lost")
    lines = [f"{'three nodes, 3.5.16 -> 3.5.30':30} " + " ".join(f"{name:>7}" for name in head)]
    for kind in dict.fromkeys(run.kind for run in measured):
        runs = [run for run in measured if run.kind == kind]
        gaps = [run.gap for run in runs]
        lines.append(
            f"{kind:30} {statistics.median(gaps):7.2f} {max(gaps):7.2f}"
            f" {statistics.median(run.turn for run in runs):7.1f}"
            f" {statistics.median(run.failed for run in runs):7.0f}"
            f" {max(run.most_down for run in runs):7} {max(run.lost for run in runs):7}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure each kind in each round, so that a slow moment of the machine meets all of them."""
    parser = argparse.ArgumentParser(prog="ci/bench upgrade", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write each run to this file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="etcd-deb-bench-") as temporary:
        folder = Path(temporary)
        old, new = build_package(OLD, folder / "old"), build_package(NEW, folder / "new")
        names = ["etcd-server", "etcd-client"]
        debian_old = download_packages("trixie", names, folder / "trixie")
        debian_new = download_packages("forky", names, folder / "forky")
        kinds: list[Callable[[], Measured]] = [
            lambda: upgrade_ours(old, new, folder),
            lambda: upgrade_debians(debian_old, debian_new),
            lambda: upgrade_ours(old, new, folder, tls=True),
            lambda: upgrade_ours(old, new, folder, mebibytes=FILLED_MEBIBYTES),
        ]
        measured: list[Measured] = []
        for number in range(arguments.rounds):
            for kind in kinds:
                measured.append(kind())
                print(f"round {number + 1}: {measured[-1]}", file=sys.stderr, flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(run) for run in measured], indent=1) + "\n")
    print(table(measured))


if __name__ == "__main__":
    main()
