"""What keeps a restart waiting, and when a member counts as back; real etcd, on this machine's loopback."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.package.node.node_shell import LIBRARY
from tests.support.clients.gateway import Gateway
from tests.support.command import run
from tests.support.releases.loopback_etcd import (
    LoopbackEtcd,
    free_ports,
    loopback_etcd,
    options_of,
    programs,
    takes_writes,
)
from tests.support.sample import sampled
from tests.system.advice import follow

VERSIONS = ("3.5.35", "3.6.16", "3.7.3")
SHELL = r"""
LIB=$1 ETCD_BIN=$2 CONFIG=$3 view=$4
for part in service yaml bbolt wal host member client cluster-view turn; do
    . "$LIB/$part.sh"
done
identify_client
cluster_view "$view"
look_at_own
shift 4
"$@"
"""


@pytest.fixture(params=VERSIONS)
def member(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LoopbackEtcd]:
    """A cluster of one called pg1, and its etcd.yaml in tmp_path."""
    with single(programs(tmp_path, request.param), tmp_path, "pg1") as etcd:
        yield etcd


class Here:
    """This machine, for commands of a message."""

    def run(
        self, *argv: str, input: str | None = None, check: bool = True, within: float = 60
    ) -> subprocess.CompletedProcess[str]:
        return run(argv, input=input, check=check, within=within)


def single(etcd_programs: Path, folder: Path, name: str) -> contextlib.AbstractContextManager[LoopbackEtcd]:
    ports = free_ports(2)
    url = f"http://127.0.0.1:{ports[0]}"
    return with_file(etcd_programs, folder, options_of(folder, name, url, f"http://127.0.0.1:{ports[1]}"))


def with_file(
    etcd_programs: Path,
    folder: Path,
    options: dict[str, str],
    ready: Callable[[Gateway], bool] = takes_writes,
) -> contextlib.AbstractContextManager[LoopbackEtcd]:
    folder.mkdir(exist_ok=True)
    (folder / "etcd.yaml").write_text("".join(f"{name}: {value}\n" for name, value in options.items()))
    url = options["listen-client-urls"]
    return loopback_etcd(etcd_programs, folder, url, ["--config-file", "etcd.yaml"], ready=ready)


def said(etcd: LoopbackEtcd, folder: Path, *command: str) -> tuple[int, str]:
    """Status and output of a function of the library on that member."""
    view = folder / "view"
    view.mkdir(exist_ok=True)
    words = [LIBRARY, etcd.programs, folder / "etcd.yaml", view, *command]
    done = subprocess.run(
        ["sh", "-uc", f"view={view}; {SHELL}", "sh", *map(str, words)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.strip()


def etcdctl(etcd: LoopbackEtcd, *words: str) -> str:
    command = [str(etcd.programs / "etcdctl"), f"--endpoints={etcd.url}", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def raise_alarm(etcd: LoopbackEtcd, kind: str) -> str:
    """As the member itself would; its id."""
    found = re.search(r'"MemberID" : (\d+)', etcdctl(etcd, "endpoint", "status", "-w", "fields"))
    assert found
    connection = http.client.HTTPConnection(etcd.url.removeprefix("http://"))
    body = json.dumps({"action": "ACTIVATE", "memberID": found[1], "alarm": kind})
    connection.request("POST", "/v3/maintenance/alarm", body)
    assert connection.getresponse().read()
    connection.close()
    return f"{int(found[1]):x}"


ALARMS = (
    ("NOSPACE", "the database has reached its quota, and nothing can be written"),
    ("CORRUPT", "its data differs from that of the others"),
)
OF_EACH = [(version, *alarm) for version in VERSIONS for alarm in ALARMS]


# Each alarm on one version, and the oldest and the newest of these.
@pytest.mark.parametrize(
    ("member", "kind", "meaning"), sampled(OF_EACH, OF_EACH[0], OF_EACH[-1]), indirect=["member"]
)
def test_alarm_is_named_keeps_no_restart_from_counting_and_its_commands_clear_it(
    member: LoopbackEtcd, tmp_path: Path, kind: str, meaning: str
) -> None:
    own_id = raise_alarm(member, kind)
    assert said(member, tmp_path, "why_alarmed", str(tmp_path / "view")) == (
        0,
        f"alarm {kind} on pg1: {meaning}",
    )
    assert said(member, tmp_path, "why_others_not_ready", "0")[1] == f"alarm {kind} on pg1: {meaning}"
    assert said(member, tmp_path, "serves_again", own_id, "1") == (0, "")
    status, commands = said(member, tmp_path, "way_out_of_alarms", str(tmp_path / "view"), member.url)
    assert status == 0
    path = f"export PATH={member.programs}:$PATH; "
    here = Here()
    if kind == "NOSPACE":
        follow(
            commands,
            here,
            "export ETCDCTL_ENDPOINTS",
            "etcdctl compact",
            "etcdctl defrag",
            "alarm disarm",
            before=path,
        )
    else:
        assert member.url in follow(
            commands, here, "export ETCDCTL_ENDPOINTS", "etcdctl endpoint hashkv", before=path
        )
        follow(commands, here, "export ETCDCTL_ENDPOINTS", "alarm disarm", before=path)
    assert etcdctl(member, "alarm", "list") == ""
    assert etcdctl(member, "put", "key", "value") == "OK\n"
    assert said(member, tmp_path, "why_alarmed", str(tmp_path / "view")) == (0, "")


def test_a_member_that_listens_and_does_not_answer_is_unknown_and_one_that_does_not_listen_unreachable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its quorum is then unknown too, and not lost (`quorum` of status)."""
    (tmp_path / "systemctl").write_text("#!/bin/sh\necho active\n")
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    rows = ("cat", str(tmp_path / "view" / "rows"))
    with single(programs(tmp_path, "3.7.3"), tmp_path, "pg1") as member:
        assert said(member, tmp_path, *rows)[1].split("|")[3] == "healthy"
        os.kill(member.pid, signal.SIGSTOP)
        try:
            row = said(member, tmp_path, *rows)[1].split("|")
        finally:
            os.kill(member.pid, signal.SIGCONT)
        assert (row[3], row[10]) == ("unknown", "no answer within 2 s")
    assert said(member, tmp_path, *rows)[1].split("|")[3] == "unreachable"


@contextlib.contextmanager
def joined(
    etcd_programs: Path, folder: Path, first: LoopbackEtcd, *flags: str, ready: Callable[[Gateway], bool]
) -> Iterator[tuple[LoopbackEtcd, str]]:
    """pg2, added to the cluster of the first one with these flags of etcdctl, and its id."""
    url, peer_url = (f"http://127.0.0.1:{port}" for port in free_ports(2))
    added = etcdctl(first, "member", "add", "pg2", *flags, f"--peer-urls={peer_url}")
    found = re.search(r'Member +([0-9a-f]+) added.*ETCD_INITIAL_CLUSTER="(.*?)"', added, re.DOTALL)
    assert found
    options = options_of(folder, "pg2", url, peer_url)
    options |= {"initial-cluster": found[2], "initial-cluster-state": "existing"}
    # Not written as loopback, which others are not asked at.
    options["advertise-client-urls"] = url.replace("127.0.0.1", "[::ffff:127.0.0.1]")
    with with_file(etcd_programs, folder, options, ready) as second:
        yield second, found[1]


def test_alarm_is_named_where_the_others_are_unhealthy_by_it(tmp_path: Path) -> None:
    etcd_programs = programs(tmp_path, "3.7.3")
    with (
        single(etcd_programs, tmp_path / "first", "pg1") as first,
        joined(etcd_programs, tmp_path / "second", first, ready=takes_writes) as (second, _),
    ):
        assert said(first, tmp_path / "first", "why_others_not_ready", "0") == (0, "")
        raise_alarm(second, "NOSPACE")
        assert said(first, tmp_path / "first", "why_others_not_ready", "0") == (
            0,
            "alarm NOSPACE on pg2: the database has reached its quota, and nothing can be written",
        )


def test_learner_serves_again_though_it_answers_no_reads(tmp_path: Path) -> None:
    etcd_programs = programs(tmp_path, "3.7.3")
    folder = tmp_path / "second"
    with (
        single(etcd_programs, tmp_path / "first", "pg1") as first,
        joined(etcd_programs, folder, first, "--learner", ready=Gateway.serves) as (learner, learner_id),
    ):
        assert said(learner, folder, "serves_again", learner_id, "1") == (0, "")


def test_member_without_a_leader_says_so(tmp_path: Path) -> None:
    row = "1|pg2|http://pg2:2379|unhealthy|0|3.7.3|1||false|5"
    (tmp_path / "rows").write_text(f"{row}\n")
    shell = (
        "LIB=$1 view=$2; for part in wal host member client cluster-view turn;"
        'do . "$LIB/$part.sh"; done;'
        "setting() { echo pg1; }; own_id=2; why_others_not_ready 0"
    )
    words = ["sh", "-uc", shell, "sh", str(LIBRARY), str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "pg2 has no leader: a majority of the members must run\n"


@pytest.mark.parametrize(
    ("healths", "quorum"),
    [
        (("healthy", "unreachable", "unreachable"), "yes"),
        (("unhealthy", "unreachable", "unreachable"), "no"),
        (("unhealthy", "unreachable", "unknown"), "no"),
        (("unknown", "unreachable", "unknown"), "unknown"),
    ],
)
def test_a_healthy_member_proves_the_quorum_also_where_the_others_are_out_of_reach(
    healths: tuple[str, ...], quorum: str, tmp_path: Path
) -> None:
    leaders = {"healthy": 1, "unhealthy": 0, "unreachable": 0, "unknown": 0}
    rows = [
        f"{n}|pg{n}|http://pg{n}:2379|{h}|{leaders[h]}|3.7.3|1||false|5|" for n, h in enumerate(healths, 1)
    ]
    (tmp_path / "rows").write_text("\n".join(rows) + "\n")
    shell = (
        """eval "$(sed -n '/^look_at_quorum() {/,/^}/p' "$1")"; view=$2; look_at_quorum; echo "$quorum" """
    )
    words = ["sh", "-uc", shell, "sh", str(LIBRARY.parent / "commands/status"), str(tmp_path)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == f"{quorum}\n"
