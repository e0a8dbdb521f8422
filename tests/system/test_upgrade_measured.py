"""Five upgrades of a whole cluster in the same second: what clients notice, beside Debian's own package."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clients.upgrade_run import (
    FILLED_MEBIBYTES,
    LONGEST_GAP,
    MEDIAN_GAP,
    WHOLE_TURN,
    Measured,
    upgrade_debians,
    upgrade_ours,
)
from tests.support.machines.mirror import download_packages

Package = Callable[[str], Path]

RUNS = 5

pytestmark = [pytest.mark.soak, pytest.mark.alone, pytest.mark.timeout(1800)]


def check(runs: list[Measured]) -> None:
    """What no client may notice."""
    assert max(run.lost for run in runs) == 0, runs
    assert max(run.most_down for run in runs) <= 1, runs
    assert max(run.turn for run in runs) <= WHOLE_TURN, runs
    assert max(run.gap for run in runs) <= LONGEST_GAP, runs
    assert statistics.median(run.gap for run in runs) <= MEDIAN_GAP, runs


def test_upgrades_at_once_are_noticed_less_than_those_of_debians_package(
    package: Package, tmp_path: Path
) -> None:
    names = ["etcd-server", "etcd-client"]
    old = download_packages("trixie", names, tmp_path / "trixie")
    new = download_packages("forky", names, tmp_path / "forky")
    ours, debians = [], []
    for _ in range(RUNS):
        ours.append(upgrade_ours(package("trixie"), package("forky"), tmp_path))
        debians.append(upgrade_debians(old, new))
    check(ours)
    # Debian's restarts all of them at once: if the sampler didn't see that, it would see nothing.
    assert max(run.most_down for run in debians) > 1
    assert statistics.median(run.gap for run in ours) < statistics.median(run.gap for run in debians)


def test_upgrades_at_once_with_tls(package: Package, tmp_path: Path) -> None:
    old, new = package("trixie"), package("forky")
    check([upgrade_ours(old, new, tmp_path / str(number), tls=True) for number in range(RUNS)])


def test_upgrades_at_once_with_a_large_database(package: Package, tmp_path: Path) -> None:
    old, new = package("trixie"), package("forky")
    check([upgrade_ours(old, new, tmp_path, mebibytes=FILLED_MEBIBYTES) for _ in range(RUNS)])
