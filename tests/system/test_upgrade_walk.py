"""A cluster walks through every minor and one back, all nodes in the same second, while a client writes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.support.clients.sampler import BOUND
from tests.support.clients.traffic import PAUSE, traffic
from tests.support.machines.cluster import etcdctl
from tests.support.machines.lab import Lab, open_lab
from tests.support.machines.machine import Machine
from tests.system.upgrades import (
    apt_install,
    formed,
    hand_over_file,
    is_pending,
    is_refused,
    mark_begin,
    no_election_timed_out,
    running_version,
    wait_for_storage,
)

Package = Callable[[str], Path]
# Seconds since the epoch, of a begin and an end.
Moments = tuple[float, float]

WALKS = 5
# Between two acknowledged writes, while etcd changes its data (seconds).
ENABLE_GAP = 2.0
SNAPSHOT_COUNT = "200"
SKIPS, TOO_OLD = "skips a minor version", "must run 3.{}.{} or later first"


@dataclass(frozen=True)
class Measure:
    """What is asked of clients and members, in seconds.

    pause: between two writes; bound: a member that has not answered by then is down; gap: between two
    acknowledged writes, at most.
    """

    pause: float
    bound: float
    gap: float


# Of a machine that does nothing else, and of one whose processors other tests need too: there a member that
# serves is late, while one that does not run still refuses at once.
ALONE, UNDER_LOAD = Measure(PAUSE, BOUND, gap=0.3), Measure(pause=0.025, bound=2.0, gap=2.0)


@dataclass(frozen=True)
class Step:
    """To a version; before that, each of `forbidden` is tried and refused for its reason."""

    to: str
    forbidden: dict[str, str]
    downgrade: str = ""


STEPS = (
    Step("3.5.35", {"3.6.7": TOO_OLD.format(5, 26), "3.6.16": TOO_OLD.format(5, 26), "3.7.3": SKIPS}),
    Step("3.6.7", {"3.7.3": SKIPS}),
    Step("3.6.16", {"3.7.3": TOO_OLD.format(6, 11), "3.5.35": "etcd-ha downgrade 3.5"}),
    Step("3.7.3", {"3.5.35": "etcd-ha downgrade 3.5"}),
    Step(
        "3.6.16",
        {
            **dict.fromkeys(("3.6.7", "3.6.16"), "etcd-ha downgrade 3.6"),
            "3.5.35": "holds data of 3.7.0",
        },
        downgrade="3.6",
    ),
)
# Each minor once, and each reason to refuse a step; what is too old is in test_upgrade_guard.py.
SAMPLE = (
    Step("3.6.16", {"3.7.3": SKIPS}),
    Step("3.7.3", {}),
    Step("3.6.16", {"3.6.16": "etcd-ha downgrade 3.6", "3.5.35": "holds data of 3.7.0"}, downgrade="3.6"),
)
# After the last step.
FORBIDDEN_AT_THE_END = {"3.5.35": "etcd-ha downgrade 3.5"}


@dataclass
class Walk:
    """What the clients noticed; gaps and turns are seconds, by step.

    At "downgrade enable" etcd itself takes a snapshot and changes its data, on all members at once;
    what clients notice of that is apart.
    """

    gaps: dict[str, float] = field(default_factory=dict)
    turns: dict[str, float] = field(default_factory=dict)
    longest_gap: float = 0
    enable_gap: float = 0
    most_down: int = 0
    written: int = 0
    failed: int = 0
    lost: int = 0


def enable(machines: Sequence[Machine], series: str) -> Moments:
    """Have the cluster change its data to an older series; when that began and ended."""
    etcdctl(machines[0], "downgrade", "validate", series)
    begin = time.time()
    etcdctl(machines[0], "downgrade", "enable", series)
    wait_for_storage(machines, series)
    return begin, time.time()


def take(machines: Sequence[Machine], step: Step, files: dict[str, str]) -> Moments:
    """The step on all nodes in the same second; when it began and ended."""
    begin = time.time()
    with ThreadPoolExecutor(len(machines)) as threads:
        said = list(threads.map(partial(apt_install, where=files[step.to]), machines))
    assert all("etcd was restarted and serves again" in done.stdout for done in said), said
    assert {running_version(machine) for machine in machines} == {step.to}
    assert not any(is_pending(machine) for machine in machines)
    series = step.to.rpartition(".")[0]
    if series != "3.5":
        wait_for_storage(machines, series)
    return begin, time.time()


def walk(lab: Lab, package: Package, start: str, steps: Sequence[Step], measure: Measure) -> Walk:
    """The way of three fresh nodes from a version; the steps that are forbidden are tried on one of them."""
    machines = lab.nodes(3)
    cluster = formed(machines, package(start))
    files = {
        version: hand_over_file(machines, package(version))
        for version in {step.to for step in steps}.union(*(step.forbidden for step in steps))
    }
    # 3.7 can't follow before a member has a snapshot without requests of 3.5, which takes 10,000 writes.
    for machine in machines:
        machine.run("etcd-ha", "config", "set", "snapshot-count", SNAPSHOT_COUNT)
    mark_begin(machines)
    walked = Walk()
    moments: dict[str, Moments] = {}
    enabled: list[Moments] = []
    here, began = start, time.time()
    with traffic(lab.network, cluster.urls, pause=measure.pause, bound=measure.bound) as seen:
        for number, step in enumerate(steps):
            for version, why in step.forbidden.items():
                is_refused(machines[number % 3], files[version], why)
            if step.downgrade:
                enabled.append(enable(machines, step.downgrade))
            moments[f"{here} -> {step.to}"] = take(machines, step, files)
            here = step.to
        for version, why in FORBIDDEN_AT_THE_END.items():
            is_refused(machines[0], files[version], why)
    assert no_election_timed_out(machines)
    # The sampler is no judge if it hardly looked.
    assert seen.samples > 100
    for name, (begin, end) in moments.items():
        walked.gaps[name] = seen.longest_gap_between(begin, end)
        walked.turns[name] = end - begin
    ((begin, end),) = enabled
    walked.enable_gap = seen.longest_gap_between(begin, end)
    parts = (began, begin), (end, time.time())
    walked.longest_gap = max(seen.longest_gap_between(*part) for part in parts)
    walked.most_down = max(seen.most_down_between(*part) for part in parts)
    walked.written, walked.failed = len(seen.acknowledged), len(seen.failed)
    walked.lost = len(seen.lost(machines[0], {"ETCDCTL_ENDPOINTS": cluster.urls[0]}))
    return walked


def check(walked: Walk, measure: Measure) -> None:
    assert walked.written > 0
    assert walked.lost == 0, walked
    assert walked.most_down <= 1, walked
    assert walked.longest_gap < measure.gap, walked
    assert walked.enable_gap < ENABLE_GAP, walked


@pytest.mark.timeout(1200)
def test_cluster_walks_from_3_5_to_3_7_and_back_and_what_is_forbidden_is_refused(
    lab: Lab, package: Package
) -> None:
    check(walk(lab, package, "3.5.35", SAMPLE, UNDER_LOAD), UNDER_LOAD)


@pytest.mark.soak
@pytest.mark.alone
@pytest.mark.timeout(3600)
def test_five_walks_are_hardly_noticed(package: Package, capsys: pytest.CaptureFixture[str]) -> None:
    walks = []
    for _ in range(WALKS):
        with open_lab() as lab:
            walks.append(walk(lab, package, "3.5.16", STEPS, ALONE))
    with capsys.disabled():
        print(f"\n{report(walks)}")  # noqa: T201
    for walked in walks:
        check(walked, ALONE)


def report(walks: Sequence[Walk]) -> str:
    """A line for each step, and one for all of the way, as docs/explanation/upgrades.md has them."""
    lines = [f"{f'{len(walks)} walks':30} {'gap s':>7} {'worst':>7} {'turn s':>7} {'failed':>7} {'lost':>7}"]
    for name in walks[0].gaps:
        gaps = [walked.gaps[name] for walked in walks]
        turn = statistics.median(walked.turns[name] for walked in walks)
        lines.append(f"{name:30} {statistics.median(gaps):7.2f} {max(gaps):7.2f} {turn:7.1f}")
    gaps = [walked.enable_gap for walked in walks]
    lines.append(f"{'etcd: downgrade enable':30} {statistics.median(gaps):7.2f} {max(gaps):7.2f}")
    gaps = [walked.longest_gap for walked in walks]
    whole = statistics.median(sum(walked.turns.values()) for walked in walks)
    failed, lost = max(walked.failed for walked in walks), max(walked.lost for walked in walks)
    lines.append(
        f"{'all of the rest':30} {statistics.median(gaps):7.2f} {max(gaps):7.2f} {whole:7.1f}"
        f" {failed:7} {lost:7}"
    )
    return "\n".join(lines)
