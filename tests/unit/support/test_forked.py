"""A fork of etcd-deb ends, is stopped and is told apart as a process that was started is."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.account import Account, Started
from tests.support.forked import can_fork
from tests.support.wait import wait_for


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path / "account")


def started(account: Account, words: Sequence[str | Path], *, fork: bool = True) -> Started:
    log = account.folder / ("forked" if fork else "usual")
    return Started(account.command(*words), account.environment(), log, fork=fork)


@contextmanager
def waiting(account: Account) -> Iterator[Started]:
    """One that has opened its settings, and waits for somebody to write them."""
    file = account.folder / "settings"
    os.mkfifo(file)
    process = started(account, ["--config", file, "versions"])
    # Opens when the other end does.
    with file.open("w"):
        yield process


@pytest.mark.parametrize("words", [["--version"], ["build", "nonsense"], ["doctor", "-v"]])
def test_it_prints_and_returns_what_a_start_does(account: Account, words: list[str]) -> None:
    forked, usual = (started(account, words, fork=fork).finish() for fork in (True, False))
    assert forked == usual


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_a_signal_ends_it(account: Account, number: signal.Signals, status: int) -> None:
    with waiting(account) as process:
        process.send(number)
        assert process.finish().status == status


def test_one_that_takes_too_long_is_killed(account: Account) -> None:
    with waiting(account) as process, pytest.raises(AssertionError, match=r"did not end within 0\.1 s"):
        process.finish(within=0.1)
    # What has waited for it ends a moment later, and gives its number back.
    wait_for("its end", lambda: not Path(f"/proc/{process.pid}").exists(), within=10)


def test_it_has_a_session_and_files_of_its_own(account: Account) -> None:
    with socket.socket() as ours, waiting(account) as process:
        ours.set_inheritable(True)
        assert os.getsid(process.pid) == process.pid
        files = {path.readlink().name for path in Path(f"/proc/{process.pid}/fd").iterdir()}
        assert files == {"null", "out", "err", "settings"}
        process.kill()
        process.finish()


def test_what_python_reads_before_main_needs_a_start(account: Account) -> None:
    assert can_fork(account.environment())
    for name in ("LC_ALL", "LANG", "PYTHONPATH"):
        assert not can_fork(account.environment({name: "other"}))
