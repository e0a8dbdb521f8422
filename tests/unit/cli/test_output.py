"""What is printed where: results, messages, and faults of what they are printed to."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from builder.errors import EtcdDebError
from builder.repository.serve import serve
from tests.support.releases.fake_release import good_tarball, tarball_name
from tests.unit.cli.command import ETCD_DEB


def shell(command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ETCD_DEB": ETCD_DEB, **variables},
    )


@pytest.mark.parametrize("words", ["--help", "--version", "doctor", "doctor --json", "build --help"])
@pytest.mark.parametrize("where", [">/dev/full", ">&-"])
def test_a_result_that_could_not_be_printed_is_an_error_of_its_own(words: str, where: str) -> None:
    result = shell(f'"$ETCD_DEB" {words} {where}')
    assert result.returncode == 74
    assert result.stderr.startswith("etcd-deb: error: the result could not be printed\n")
    assert "hint: the command itself has completed" in result.stderr


def test_what_was_not_printed_was_done_all_the_same(release: Path, tmp_path: Path) -> None:
    words = f"fetch v3.6.99 --arch amd64 --source {release} --output {tmp_path}/kept"
    assert shell(f'"$ETCD_DEB" {words} >/dev/full').returncode == 74
    assert (tmp_path / f"kept/v3.6.99/{tarball_name()}").exists()


@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-"])
def test_messages_that_nobody_can_be_shown_stop_no_work(release: Path, tmp_path: Path, where: str) -> None:
    words = f"fetch v3.6.99 --arch amd64 --source {release} --output {tmp_path}/kept"
    assert shell(f'"$ETCD_DEB" {words} {where}').returncode == 0
    assert shell(f'"$ETCD_DEB" build 3.6.x {where}').returncode == 2


def test_no_file_takes_the_number_of_a_standard_file_that_is_closed(release: Path, tmp_path: Path) -> None:
    words = f"fetch v3.6.99 --arch amd64 --source {release} --output {tmp_path}/kept"
    assert shell(f'"$ETCD_DEB" {words} <&- >&- 2>&-').returncode == 74
    kept = tmp_path / f"kept/v3.6.99/{tarball_name()}"
    assert kept.read_bytes() == good_tarball()


@pytest.mark.parametrize("coding", ["ascii", "latin-1"])
def test_a_path_that_is_no_text_is_printed_as_it_is(release: Path, tmp_path: Path, coding: str) -> None:
    folder = os.fsencode(tmp_path) + b"/\xff-\xc3\xa9"
    done = subprocess.run(
        [ETCD_DEB, "fetch", "v3.6.99", "--arch", "amd64", "--source", str(release), "--output", folder],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": coding},
    )
    assert done.stdout == folder + f"/v3.6.99/{tarball_name()}\n".encode(), done.stderr


def test_a_fault_of_its_own_is_said_with_its_place_and_never_as_a_traceback() -> None:
    broken = (
        "import builder.cli.commands.doctor as d; del d.NEEDS;"
        "from builder.cli.main import main; raise SystemExit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", broken, "doctor"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr.startswith("etcd-deb: error: bug in etcd-deb: NameError: ")
    assert "\n  at        builder/cli/commands/doctor.py:" in done.stderr
    assert "hint: report this message" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_said_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(EtcdDebError) as caught:
            serve(tmp_path, "127.0.0.1", taken.getsockname()[1], print)
    assert "Address already in use" in caught.value.render()
    assert "--port 0" in str(caught.value.hint)


@pytest.mark.parametrize("address", ["x" * 300, "no-such-host.invalid", "192.0.2.1"])
def test_an_address_that_is_not_there_is_said(tmp_path: Path, address: str) -> None:
    with pytest.raises(EtcdDebError, match="can't listen on"):
        serve(tmp_path, address, 0, print)
