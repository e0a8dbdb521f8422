"""What a service that does not come up is said to do, and the reason that its journal gives."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.package.manual import unpack_programs
from tests.package.node.node_shell import LIBRARY

ENDED = "etcd.service: Main process exited, code=exited, status=1/FAILURE\n"
AGAIN = (
    "etcd.service: Scheduled restart job, restart counter is at 1.\n"
    "Starting etcd.service - etcd, member of a distributed key-value store...\n"
)
FILE = """\
name: n1
data-dir: {data}
listen-client-urls: http://{address}:23791
advertise-client-urls: http://127.0.0.1:23791
listen-peer-urls: http://{address}:23801
initial-advertise-peer-urls: http://127.0.0.1:23801
initial-cluster: n1=http://127.0.0.1:23801
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """systemctl and journalctl that say what the test has written."""
    (tmp_path / "systemctl").write_text(
        f"#!/bin/sh\nsed -n \"s/^${{2#--property=}}=//p\" '{tmp_path}/unit'\n"
    )
    (tmp_path / "journalctl").write_text(f"#!/bin/sh\ncat '{tmp_path}/journal'\n")
    for name in ("systemctl", "journalctl"):
        (tmp_path / name).chmod(0o755)
    return f"{tmp_path}:/usr/bin:/bin"


def shell(path: str, code: str) -> subprocess.CompletedProcess[str]:
    parts = f'. "{LIBRARY}/service.sh"; '
    return subprocess.run(
        ["sh", "-uc", parts + code], env={"PATH": path}, capture_output=True, text=True, check=False
    )


def restarts(path: str, folder: Path, **unit: object) -> bool:
    lines: Mapping[str, object] = {
        "ActiveState": "activating",
        "SubState": "start",
        "NRestarts": 0,
        "ExecMainStartTimestampMonotonic": 0,
        "ActiveExitTimestampMonotonic": 0,
        **unit,
    }
    (folder / "unit").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    return shell(path, "restarts_again").returncode == 0


def ago(seconds: float) -> int:
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return int((uptime - seconds) * 1_000_000)


def test_only_a_service_that_ends_again_and_again_is_said_to(path: str, tmp_path: Path) -> None:
    assert restarts(path, tmp_path, SubState="auto-restart")
    assert restarts(path, tmp_path, SubState="auto-restart-queued", NRestarts=7)
    assert restarts(path, tmp_path, NRestarts=2, ExecMainStartTimestampMonotonic=ago(1))
    # It waits for a quorum, whatever was before.
    assert not restarts(path, tmp_path, ExecMainStartTimestampMonotonic=ago(1))
    assert not restarts(path, tmp_path, NRestarts=9, ExecMainStartTimestampMonotonic=ago(600))
    # It served until a moment ago, and has ended other times long before.
    assert not restarts(
        path,
        tmp_path,
        NRestarts=3,
        ExecMainStartTimestampMonotonic=ago(1),
        ActiveExitTimestampMonotonic=ago(6),
    )
    for state in ("active", "failed", "inactive"):
        assert not restarts(path, tmp_path, ActiveState=state, SubState="x", NRestarts=9)


def reason(path: str, folder: Path, journal: str) -> str:
    (folder / "journal").write_text(journal)
    return shell(path, "last_failure").stdout.strip()


@pytest.mark.parametrize("version", ["3.4.23", "3.5.35", "3.6.16", "3.7.3"])
@pytest.mark.parametrize("fault", ["address", "directory"])
def test_reason_is_what_etcd_itself_ended_with(path: str, tmp_path: Path, version: str, fault: str) -> None:
    (tmp_path / "release").mkdir()
    etcd = unpack_programs(version, tmp_path / "release")["etcd"]
    data = tmp_path / "data"
    if fault == "directory":
        data.write_text("no directory")
    # 192.0.2.0/24 is of no host.
    address = "192.0.2.77" if fault == "address" else "127.0.0.1"
    (tmp_path / "etcd.yaml").write_text(FILE.format(data=data, address=address))
    said = subprocess.run(
        [etcd, "--config-file", tmp_path / "etcd.yaml"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.returncode not in {0, None}
    # 3.4 says "error listing data dir", later ones "failed to list data directory".
    expected = {"address": "cannot assign requested address", "directory": "data dir"}[fault]
    assert expected in reason(path, tmp_path, "Started etcd\n" + said.stderr + ENDED)


@pytest.mark.parametrize(
    ("journal", "expected"),
    [
        (f"etcd-ha: error: the directory /srv\n  Mount it\n{ENDED}", "the directory /srv"),
        (f"etcd.service: Failed at step NAMESPACE spawning x: No file\n{ENDED}", "Failed at step NAMESPACE"),
        (ENDED, "code=exited, status=1/FAILURE"),
        (f'{{"level":"fatal","msg":"a","error":"b \\"c\\""}}\n{ENDED}', 'a: b "c"'),
        # The last time counts.
        (f"etcd-ha: error: old\n{ENDED}{AGAIN}etcd-ha: error: new\n{ENDED}", "new"),
        (f'etcd-ha: error: old\n{ENDED}{AGAIN}{{"level":"info","msg":"starting"}}\n', "old"),
        (f"etcd-ha: error: old\n{ENDED}{AGAIN}{ENDED}", "code=exited, status=1/FAILURE"),
        # Its last words may come after systemd's.
        (f'{ENDED}{{"level":"fatal","msg":"a","error":"late"}}\n', "a: late"),
        (f'{ENDED}{{"level":"fatal","msg":"a","error":"late"}}\n{AGAIN}', "a: late"),
    ],
)  # fmt: skip
def test_reason_is_the_last_of_whoever_had_one(
    path: str, tmp_path: Path, journal: str, expected: str
) -> None:
    assert expected in reason(path, tmp_path, journal)


@pytest.mark.parametrize(
    ("drop_in", "status", "said"),
    [
        ('[Service]\nReadWritePaths="-{data}"\n', 1, "The service tries again in a few seconds."),
        ('[Service]\nReadWritePaths="-{data}/other"\n', 78, "The unit or its generator was changed."),
        ("", 78, "The unit or its generator was changed."),
    ],
    ids=["opened by the unit", "another is opened", "no drop-in"],
)
def test_a_directory_that_was_made_during_the_start_does_not_end_the_service_for_good(
    drop_in: str, status: int, said: str, tmp_path: Path
) -> None:
    """systemd opens only what exists when it sets the sandbox up: this start is lost, the next one is not."""
    data = tmp_path / "data"
    data.mkdir()
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "etcd").write_text("#!/bin/sh\necho 'etcd Version: 3.7.3'\n")
    (programs / "etcd").chmod(0o755)
    config = tmp_path / "etcd.yaml"
    config.write_text(FILE.format(data=data, address="127.0.0.1"))
    generated = tmp_path / "generator/etcd.service.d/etcd-ha-paths.conf"
    generated.parent.mkdir(parents=True)
    generated.write_text(drop_in.format(data=data))
    as_in_the_sandbox = 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; shift; exec "$@"'
    preflight = LIBRARY.parent / "commands/preflight"
    done = subprocess.run(
        [
            "unshare",
            "--mount",
            "sh",
            "-ec",
            as_in_the_sandbox,
            "sh",
            data,
            "sh",
            preflight,
            programs / "etcd",
            "--config-file",
            config,
        ],
        env={
            "PATH": "/usr/bin:/bin",
            "ETCD_HA_LIB": str(LIBRARY),
            "ETCD_HA_GENERATED": str(tmp_path / "generator"),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert f"keeps {data} read-only" in done.stderr
    assert said in done.stderr
