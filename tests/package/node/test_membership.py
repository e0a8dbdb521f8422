"""Before the first start: what preflight makes of a member list, and what it says to type."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.package.node.node_shell import LIBRARY, TEMPLATE

HOSTS = "10.0.0.1 pg1\n10.0.0.2 pg2\n10.0.0.3 pg3\n10.0.0.4 pg4\n"
FILE = """\
name: pg3
data-dir: {folder}/data
initial-advertise-peer-urls: {own}
advertise-client-urls: http://pg3:2379
listen-client-urls: http://127.0.0.1:2379
initial-cluster: {cluster}
initial-cluster-state: {state}
"""
THREE = "pg1=http://pg1:2380,pg2=http://pg2:2380,pg3=http://pg3:2380"
PG1 = "1, started, pg1, http://pg1:2380, http://pg1:2379, false"
PG2 = "2, started, pg2, http://pg2:2380, http://pg2:2379, false"
PG4 = "4, started, pg4, http://pg4:2380, http://pg4:2379, false"
RUN = "3a, started, pg3, http://pg3:2380, http://pg3:2379, false"
ADDED = "3a, unstarted, , http://pg3:2380, , false"
FOUNDER = "3a, started, pg3, http://pg3:2380, , false"
# No refusal, and a list that the test has written.
ETCD = "#!/bin/sh\ncase $1 in --version) echo 'etcd Version: 3.6.16' ;; esac\n"
ETCDCTL = '#!/bin/sh\ncat "${0%/*}/list"\n'


class Preflight:
    """`etcd-ha preflight` of the node pg3 without data, and a cluster that answers with a list."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "data").mkdir()
        (folder / "hosts").write_text(HOSTS)
        for name, text in (("etcd", ETCD), ("etcdctl", ETCDCTL), ("id", "#!/bin/sh\necho 1\n")):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)

    def run(
        self, *members: str, cluster: str = THREE, state: str = "new", own: str = "http://pg3:2380"
    ) -> tuple[int, str]:
        """Its exit status and what it says."""
        (self.folder / "list").write_text("".join(f"{line}\n" for line in members))
        file = self.folder / "etcd.yaml"
        file.write_text(FILE.format(folder=self.folder, own=own, cluster=cluster, state=state))
        done = subprocess.run(
            ["sh", str(TEMPLATE / "node/commands/preflight")],
            env={
                "PATH": f"{self.folder}:/usr/bin:/bin",
                "ETCD_HA_LIB": str(LIBRARY),
                "ETCD_BIN": str(self.folder),
                "CONFIG": str(file),
                "CREDENTIALS": str(self.folder / "credentials"),
                "HOSTS_FILE": str(self.folder / "hosts"),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stderr

    def commands(self, said: str) -> list[str]:
        """The lines that are commands."""
        lines = (line.strip() for line in said.splitlines())
        return [line for line in lines if line.split()[0] in {"etcdctl", "etcd-ha", "systemctl"}]


@pytest.fixture
def preflight(tmp_path: Path) -> Preflight:
    return Preflight(tmp_path)


REACHED = "etcdctl --endpoints=http://pg1:2379,http://pg2:2379"
JOIN = "etcd-ha config set initial-cluster-state existing"


@pytest.mark.parametrize(
    ("others", "cluster"),
    [
        ((PG1, PG2), "pg1=http://pg1:2380,pg2=http://pg2:2380"),
        ((PG1, PG2, PG4), "pg1=http://pg1:2380,pg2=http://pg2:2380,pg4=http://pg4:2380"),
        ((PG1,), "pg1=http://pg1:2380"),
        (
            (PG1, PG2, "4, unstarted, , http://pg4:2380, , true"),
            "pg1=http://pg1:2380,pg2=http://pg2:2380,member-4=http://pg4:2380",
        ),
    ],
    ids=["equal", "grown", "shrunk", "with a learner that never started"],
)
def test_lost_data_earns_the_commands_with_the_members_of_today(
    preflight: Preflight, others: tuple[str, ...], cluster: str
) -> None:
    status, said = preflight.run(*others, RUN)
    assert status == 78
    assert "this node was a member already" in said
    assert preflight.commands(said) == [
        f"{REACHED} member remove 3a",
        f"{REACHED} member add pg3 --peer-urls=http://pg3:2380",
        f"etcd-ha config set initial-cluster {cluster},pg3=http://pg3:2380",
        JOIN,
        "systemctl start etcd",
    ]


def test_a_learner_that_lost_its_data_comes_back_as_one(preflight: Preflight) -> None:
    _, said = preflight.run(PG1, PG2, RUN.replace("false", "true"))
    assert f"{REACHED} member add pg3 --peer-urls=http://pg3:2380 --learner" in preflight.commands(said)


def test_a_cluster_with_authentication_on_is_asked_as_the_user_of_the_credentials(
    preflight: Preflight,
) -> None:
    (preflight.folder / "credentials").touch()
    _, said = preflight.run(PG1, PG2, RUN)
    user = f'--user="$(cat {preflight.folder}/credentials)"'
    assert [user in command for command in preflight.commands(said)] == [True, True, False, False, False]


def test_what_a_member_calls_itself_is_no_command(preflight: Preflight) -> None:
    hostile = "4, started, pg4$(reboot)'x, http://pg4:2380, http://pg4:2379, false"
    _, said = preflight.run(PG1, PG2, hostile, RUN)
    (command,) = (
        line for line in preflight.commands(said) if "set initial-cluster pg" in line or "'" in line
    )
    words = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True
    )
    assert words.stdout.splitlines()[-1].split(",")[2] == "pg4$(reboot)'x=http://pg4:2380"


@pytest.mark.parametrize(
    ("members", "file"),
    [
        ((PG1, PG2, FOUNDER), {}),
        # It was not there when others came and went.
        ((PG1, PG4, FOUNDER), {}),
        ((PG1, PG2, ADDED), {"state": "existing"}),
        ((PG1, PG2, ADDED.replace("pg3", "10.0.0.3")), {"state": "existing"}),
        ((PG1, PG2, PG4, ADDED), {"state": "existing", "cluster": f"{THREE},x=http://10.0.0.4:2380"}),
        # Nobody answers.
        ((), {"state": "existing"}),
        # Names that lead nowhere can't be compared.
        ((PG1, PG2.replace("pg2:2380", "nowhere.invalid:2380")), {"state": "existing"}),
    ],
)
def test_a_node_that_is_expected_as_it_is_starts(
    preflight: Preflight, members: tuple[str, ...], file: dict[str, str]
) -> None:
    assert preflight.run(*members, **file) == (0, "")


@pytest.mark.parametrize(
    ("members", "file", "cluster"),
    [
        ((PG1, PG2, PG4, ADDED), {"state": "existing"}, "pg1=http://pg1:2380,pg2=http://pg2:2380,pg4=http://pg4:2380"),
        ((PG1, ADDED), {"state": "existing"}, "pg1=http://pg1:2380"),
        ((PG1, PG2, ADDED), {"state": "new"}, "pg1=http://pg1:2380,pg2=http://pg2:2380"),
    ],
    ids=["grown", "shrunk", "new"],
)  # fmt: skip
def test_a_file_that_does_not_fit_the_cluster_it_is_to_join_is_put_right_by_the_commands(
    preflight: Preflight, members: tuple[str, ...], file: dict[str, str], cluster: str
) -> None:
    status, said = preflight.run(*members, **file)
    assert status == 1
    assert "this node was added to a cluster" in said
    assert preflight.commands(said) == [
        f"etcd-ha config set initial-cluster {cluster},pg3=http://pg3:2380",
        JOIN,
    ]


@pytest.mark.parametrize("state", ["new", "existing"])
def test_a_node_that_the_members_do_not_know_is_told_to_be_added(preflight: Preflight, state: str) -> None:
    status, said = preflight.run(PG1, PG2, state=state)
    assert status == 1
    assert "the running members do not list this node (pg3 at http://pg3:2380)" in said
    assert preflight.commands(said) == [
        f"{REACHED} member add pg3 --peer-urls=http://pg3:2380",
        f"etcd-ha config set initial-cluster {THREE}",
        JOIN,
    ]


@pytest.mark.parametrize("namesake", [RUN, FOUNDER], ids=["has run", "never started"])
def test_the_name_of_a_member_that_is_elsewhere_is_not_taken_for_this_node(
    preflight: Preflight, namesake: str
) -> None:
    status, said = preflight.run(PG1, PG2, namesake.replace("pg3:2380", "pg4:2380"))
    assert status == 78
    assert "a member with this node's name, pg3, is at http://pg4:2380" in said
    assert "If this is another node, " in said
    assert preflight.commands(said) == [
        f"{REACHED} member remove 3a",
        f"{REACHED} member add pg3 --peer-urls=http://pg3:2380",
        f"etcd-ha config set initial-cluster {THREE}",
        JOIN,
        "systemctl start etcd",
    ]
