"""A push that is killed: clients see the old state or the new one, and the next push brings the new one.

What is killed: etcd-deb at a step, by strace; and at random times etcd-deb alone (its rsync lives on), both,
or the daemon's end of the connection.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path

import pytest

from builder.repository.state.sweep import GRACE
from tests.package.repository.remote.pushing import client, must_push, push_words, wanted
from tests.support.archives.publisher import Publisher
from tests.support.archives.remotes import ModuleOfRsync, RemoteStore, children

CALLS = ("rename", "fsync", "write", "unlink", "mkdir", "sendto", "execve", "clone", "clone3", "vfork")
SAMPLE = 1
Kill = Callable[[list[str]], None]


class Victim:
    """Each round publishes one version more, and its push is disturbed."""

    def __init__(self, publisher: Publisher, store: RemoteStore, folder: Path) -> None:
        self.publisher = publisher
        self.store = store
        self.folder = folder
        self.versions = {"3.6.0-1"}
        assert publisher.publish(publisher.deb("3.6.0-1")).status == 0
        must_push(publisher, store)

    def round(self, what: str, kill: Kill) -> bool:
        """Whether a client saw the new state already after the kill."""
        old = set(self.versions)
        version = f"3.6.{len(old)}-1"
        assert self.publisher.publish(self.publisher.deb(version)).status == 0
        self.versions.add(version)
        kill(push_words(self.publisher, self.store))
        apt = client(self.publisher, self.folder / f"client of {version}")
        apt.update()
        seen = apt.versions()
        assert seen in (old, self.versions), what
        for each in seen - old or {max(old)}:
            apt.download(each)
        must_push(self.publisher, self.store)
        apt.update()
        assert apt.versions() == self.versions, what
        there = self.store.files()
        should = wanted(self.publisher)
        assert {name: there.get(name) for name in should} == should, what
        return seen == self.versions

    def assert_tidy(self) -> None:
        """What killed pushes have left is gone with the first push after the time of grace."""
        self.store.pass_time(GRACE + 60)
        must_push(self.publisher, self.store)
        assert set(self.store.files()) == set(wanted(self.publisher))

    def under_strace(self, *options: str) -> Kill:
        """A push whose threads, but not the programs that it runs, are traced."""
        under = ("strace", "-f", "-b", "execve", "-o", str(self.folder / "calls"), *options)
        return lambda words: void(self.publisher.run(*words, under=under))

    def count(self) -> Counter[str]:
        """How often the busiest thread makes each call: strace counts for each of them."""
        self.round("counting", self.under_strace("-e", f"trace={','.join(CALLS)}"))
        made = Counter(re.findall(r"^(\d+) +(\w+)\(", (self.folder / "calls").read_text(), re.MULTILINE))
        return Counter({call: max(n for (_, c), n in made.items() if c == call) for _, call in made})


def void(_: object) -> None:
    """What a run says is no matter here: it was killed."""


@pytest.fixture
def victim(publisher: Publisher, store: RemoteStore, tmp_path: Path) -> Victim:
    return Victim(publisher, store, tmp_path)


def kill_at_random_times(victim: Victim, times: int) -> int:
    """How often the push was not yet through when the kill came."""
    began = time.monotonic()
    victim.round("measuring", lambda words: void(victim.publisher.run(*words)))
    whole = time.monotonic() - began
    early = 0
    for number, kill in zip(range(times), cycle(kills(victim)), strict=False):
        delay = random.uniform(0, whole / 3)  # noqa: S311
        early += not victim.round(f"killed after {delay:.3f} s, {number}", partial(kill, delay))
    victim.assert_tidy()
    return early


def kills(victim: Victim) -> list[Callable[[float, list[str]], None]]:
    """What can be killed while a push to the store goes on."""

    def publisher_alone(delay: float, words: list[str]) -> None:
        started = victim.publisher.account.start(*words)
        time.sleep(delay)
        started.send(signal.SIGKILL)
        started.finish()

    def publisher_and_rsync(delay: float, words: list[str]) -> None:
        started = victim.publisher.account.start(*words)
        time.sleep(delay)
        programs = children(started.pid)
        started.send(signal.SIGKILL)
        end(programs)
        started.finish()

    def daemons_end(delay: float, words: list[str]) -> None:
        assert isinstance(victim.store, ModuleOfRsync)
        started = victim.publisher.account.start(*words)
        time.sleep(delay)
        end(children(victim.store.daemon))
        started.finish()

    if isinstance(victim.store, ModuleOfRsync):
        return [publisher_alone, publisher_and_rsync, daemons_end]
    return [publisher_alone]


def end(processes: list[int]) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


@pytest.mark.parametrize("store", ["s3", "rsync"], indirect=True)
def test_push_killed_at_any_time_leaves_clients_whole_sample(victim: Victim) -> None:
    kill_at_random_times(victim, SAMPLE)


@pytest.mark.soak
def test_push_killed_at_any_step_leaves_clients_whole(victim: Victim) -> None:
    counted = victim.count()
    assert counted["rename"] > 0, counted
    for call in CALLS:
        for number in range(1, counted[call] + 1):
            inject = victim.under_strace("-e", f"inject={call}:signal=SIGKILL:when={number}")
            victim.round(f"killed at {call} {number}", inject)
    victim.assert_tidy()


@pytest.mark.soak
def test_push_killed_at_any_time_leaves_clients_whole(victim: Victim) -> None:
    assert kill_at_random_times(victim, 60) > 20
