"""An older minor version on newer data is refused, but for a downgrade that the cluster has been told of."""

from __future__ import annotations

import subprocess

import pytest

from builder.shipped import DEBIAN_TEMPLATE
from tests.package.node.node_functions import functions_of

PREINST = DEBIAN_TEMPLATE / "etcd-ha.preinst"
COMMANDS = str(DEBIAN_TEMPLATE / "node/commands")
UNDER_WAY = '{"target-version":"3.6.0","enabled":true}'
# The database that no registry's etcd can write: only what is looked up in it.
DATABASE = r"""
for part in message yaml member bbolt downgrade upgrade; do . "$1/$part.sh"; done
eval "$3"
package_version=$2-1
database_file() { echo /db; }
data_dir() { echo /data; }
bbolt_get() {
    case $2.$3 in
        cluster.clusterVersion) echo "$CLUSTER" ;;
        meta.storageVersion) echo "$STORAGE" ;;
        cluster.downgrade) echo "$DOWNGRADE" ;;
    esac
}
guard_against_older "$2" "$RAN"
guard_against_newer "$2"
"""


def guarded(
    to: str,
    downgrade: str,
    *,
    cluster: str = "3.7.0",
    storage: str = "3.6.0",
    ran: str = "",
    commands: str = "",
) -> subprocess.CompletedProcess[str]:
    """The guard's word on a version. commands: the folder of the commands of a package that is installed."""
    words = ["sh", "-euc", DATABASE, "sh", str(DEBIAN_TEMPLATE / "node/lib"), to, functions_of(PREINST)]
    facts = {"CLUSTER": cluster, "STORAGE": storage, "DOWNGRADE": downgrade, "RAN": ran}
    facts["ETCD_HA_COMMANDS"] = commands
    return subprocess.run(
        words, env={"PATH": "/usr/bin:/bin", **facts}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("to", "downgrade"),
    [
        ("3.6.14", ""),
        ("3.6.14", '{"target-version":"3.6.0","enabled":false}'),
        ("3.5.33", UNDER_WAY),
        ("3.5.33", ""),
    ],
)
def test_older_minor_is_refused(to: str, downgrade: str) -> None:
    done = guarded(to, downgrade)
    assert done.returncode == 1
    assert f"etcd {to} can't run on the data of etcd 3.7.0" in done.stderr


def test_refusal_names_the_downgrade_where_there_is_one() -> None:
    assert "etcd-ha downgrade 3.6" in guarded("3.6.14", "", commands=COMMANDS).stderr
    # Beside an etcd that was installed by hand.
    assert "etcdctl downgrade enable 3.6" in guarded("3.6.14", "", commands="/nowhere").stderr
    assert " downgrade 3" not in guarded("3.5.33", "", commands=COMMANDS).stderr


def test_older_minor_passes_while_the_cluster_is_in_a_downgrade_to_it() -> None:
    done = guarded("3.6.14", UNDER_WAY)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("to", ["3.7.2", "3.7.3", "3.8.0"])
def test_newer_minor_is_refused_while_a_downgrade_is_under_way(to: str) -> None:
    done = guarded(to, UNDER_WAY, cluster="3.6.0", commands=COMMANDS)
    assert done.returncode == 1
    assert f"etcd {to} is newer than 3.6, to which this cluster is being downgraded" in done.stderr
    assert "go on with etcd-ha 3.6; or" in done.stderr
    assert "etcd-ha downgrade --cancel" in done.stderr
    by_hand = guarded(to, UNDER_WAY, cluster="3.6.0", commands="/nowhere")
    assert "cancel the downgrade by etcdctl of the newer version" in by_hand.stderr


def test_any_of_the_two_minors_passes_after_a_downgrade_was_cancelled_half_way() -> None:
    cancelled = '{"target-version":"","enabled":false}'
    for to in ("3.6.16", "3.7.3"):
        assert guarded(to, cancelled, cluster="3.6.0").returncode == 0


def test_same_and_newer_minors_pass() -> None:
    assert guarded("3.7.2", "").returncode == 0
    assert guarded("3.8.0", "").returncode == 0


def test_older_minor_waits_until_the_storage_has_been_downgraded_as_well() -> None:
    done = guarded("3.6.14", UNDER_WAY, storage="3.7.0", commands=COMMANDS)
    assert done.returncode == 1
    assert "when this has ended, try again: etcd-ha downgrade 3.6" in done.stderr


def test_what_ran_last_counts_where_the_data_says_nothing() -> None:
    assert guarded("3.6.14", "", cluster="", storage="", ran="3.7.1").returncode == 1
    assert guarded("3.6.14", "", cluster="", storage="", ran="3.6.11").returncode == 0


WAY = """
. "$1/message.sh"
. "$1/upgrade.sh"
setting() { echo "$COUNT"; }
CONFIG=$FILE
way_to_a_snapshot
"""


@pytest.mark.parametrize(
    ("file", "commands", "count", "way"),
    [
        ("/etc/etcd/etcd.yaml", COMMANDS, "", "etcd-ha restart && etcd-ha config unset snapshot-count"),
        (
            "/etc/etcd/etcd.yaml",
            COMMANDS,
            "5000",
            "etcd-ha restart && etcd-ha config set snapshot-count 5000",
        ),
        ("/etc/etcd/etcd.yaml", "/nowhere", "", "start this member once with the setting snapshot-count: 10"),
        ("/opt/etcd/etcd.yaml", COMMANDS, "", "start this member once with the setting snapshot-count: 10"),
    ],
)
def test_the_way_to_a_snapshot_is_that_of_the_member_and_leaves_its_settings_as_they_were(
    file: str, commands: str, count: str, way: str
) -> None:
    words = ["sh", "-euc", WAY, "sh", str(DEBIAN_TEMPLATE / "node/lib")]
    facts = {"FILE": file, "ETCD_HA_COMMANDS": commands, "COUNT": count}
    done = subprocess.run(
        words, env={"PATH": "/usr/bin:/bin", **facts}, capture_output=True, text=True, check=True
    )
    assert way in done.stdout
