"""Ctrl-C and SIGTERM at each stage: the documented status, no traceback, no file and no program left."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.package.failures.conftest import Origins
from tests.support.account import Account, Result, Started, assert_nothing_left
from tests.support.faults.answers import Stall
from tests.support.faults.pause import Pause
from tests.support.releases.fake_release import VERSION, tarball_name
from tests.support.sample import sampled

CTRL_C = 130
TARBALL = frozenset({tarball_name()})


def assert_interrupted(account: Account, result: Result, status: int, cached: frozenset[str]) -> None:
    assert (result.status, result.out) == (status, ""), result
    assert "Traceback" not in result.err
    assert ("interrupted" if status == CTRL_C else "terminated") in result.err
    assert_nothing_left(account, cached=cached)


def stop(build: Started, number: signal.Signals) -> int:
    """Interrupt as a terminal does, or as kill(1) does; returns the status that is documented for it."""
    if number == signal.SIGINT:
        build.press_ctrl_c()
    else:
        build.send(number)
    return 128 + number


signals = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])


@signals
def test_stop_while_fetching_leaves_nothing(
    account: Account, origins: Origins, number: signal.Signals
) -> None:
    stall = Stall(100)
    origins.server.script(origins.tarball, stall)
    build = account.start(*account.build_words(VERSION, origins.source))
    stall.await_client()
    status = stop(build, number)
    assert_interrupted(account, build.finish(within=15), status, frozenset())


@pytest.mark.parametrize(
    ("event", "pattern"),
    [
        pytest.param("open", rf"/{tarball_name()} rb? ", id="verify"),
        pytest.param("open", r"/etcd-deb-.*/etcd xb? ", id="unpack"),
        pytest.param("subprocess.Popen", r"/etcd-deb-.*/etcdctl ", id="examine", marks=pytest.mark.soak),
        pytest.param("open", r"/etcd-deb-.*/debian/control\.j2 r ", id="assemble", marks=pytest.mark.soak),
        pytest.param("open", r"/etcd-deb-.*\.changes r ", id="packed", marks=pytest.mark.soak),
        pytest.param("open", r"/dist/\..*\.deb xb?", id="deliver"),
    ],
)
def test_stop_in_a_later_stage_leaves_nothing(
    account: Account, origins: Origins, event: str, pattern: str
) -> None:
    pause = Pause(account.folder / "pause")
    build = account.start(
        *account.build_words(VERSION, origins.source), variables=pause.at_event(event, pattern)
    )
    pause.await_arrival(f"{event} of {pattern}")
    build.press_ctrl_c()
    pause.release()
    assert_interrupted(account, build.finish(within=15), CTRL_C, TARBALL)


@pytest.mark.parametrize(
    ("program", "number"),
    sampled(
        [
            ("dpkg-buildpackage", signal.SIGTERM),
            ("dpkg-buildpackage", signal.SIGHUP),
            ("dpkg-buildpackage", signal.SIGINT),
            ("dh_builddeb", signal.SIGINT),
            ("dpkg-genbuildinfo", signal.SIGINT),
        ],
        ("dpkg-buildpackage", signal.SIGTERM),
        ("dh_builddeb", signal.SIGINT),
    ),
)
def test_stop_while_packing_ends_the_programs_that_run(
    account: Account, origins: Origins, program: str, number: signal.Signals
) -> None:
    found = shutil.which(program)
    assert found
    pause = Pause(account.folder / "pause")
    variables = pause.at_program(Path(found), os.environ["PATH"])
    build = account.start(*account.build_words(VERSION, origins.source), variables=variables)
    pause.await_arrival(f"{program} to be run")
    status = stop(build, number)
    assert_interrupted(account, build.finish(within=15), status, TARBALL)
    # Nobody waits at the FIFO any more, since the program was ended with the build.
    pause.assert_deserted()


def test_second_ctrl_c_does_not_break_off_the_tidying(account: Account, origins: Origins) -> None:
    pause = Pause(account.folder / "pause")
    variables = pause.at_program(Path("/usr/bin/dpkg-buildpackage"), os.environ["PATH"], stubborn=True)
    build = account.start(*account.build_words(VERSION, origins.source), variables=variables)
    pause.await_arrival("dpkg-buildpackage to be run")
    build.press_ctrl_c()
    pause.await_signal()
    build.press_ctrl_c()
    assert_interrupted(account, build.finish(within=15), CTRL_C, TARBALL)
    pause.assert_deserted()


def test_stop_while_another_build_fetches_leaves_the_other_alone(account: Account, origins: Origins) -> None:
    stall = Stall(100)
    origins.server.script(origins.tarball, stall)
    words = ("source", VERSION, "--source", origins.source, "--output", account.folder / "tree")
    first = account.start(*words)
    stall.await_client()
    second = account.start(*account.build_words(VERSION, origins.source))
    second.await_message("waiting for another etcd-deb")
    second.press_ctrl_c()
    assert second.finish(within=15).status == CTRL_C
    stall.release()
    result = first.finish()
    assert result.status == 0, result.err
    assert_nothing_left(account, cached=TARBALL)
