"""An older minor version on newer data is refused, but for a downgrade that the cluster has been told of."""

from __future__ import annotations

import subprocess

import pytest

from builder.shipped import DEBIAN_TEMPLATE
from tests.package.node.node_functions import functions_of

PREINST = DEBIAN_TEMPLATE / "etcd-ha.preinst"
# The database that no registry's etcd can write: only what is looked up in it.
DATABASE = r"""
for part in message yaml member bbolt upgrade; do . "$1/$part.sh"; done
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
"""


def guarded(
    to: str, downgrade: str, *, cluster: str = "3.7.0", storage: str = "3.6.0", ran: str = ""
) -> subprocess.CompletedProcess[str]:
    """The guard's word on a version."""
    words = ["sh", "-euc", DATABASE, "sh", str(DEBIAN_TEMPLATE / "node/lib"), to, functions_of(PREINST)]
    facts = {"CLUSTER": cluster, "STORAGE": storage, "DOWNGRADE": downgrade, "RAN": ran}
    return subprocess.run(
        words, env={"PATH": "/usr/bin:/bin", **facts}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("to", "downgrade"),
    [
        ("3.6.14", ""),
        ("3.6.14", '{"target-version":"3.6.0","enabled":false}'),
        ("3.5.33", '{"target-version":"3.6.0","enabled":true}'),
        ("3.5.33", ""),
    ],
)
def test_older_minor_is_refused(to: str, downgrade: str) -> None:
    done = guarded(to, downgrade)
    assert done.returncode == 1
    assert f"etcd {to} can't run on the data of etcd 3.7.0" in done.stderr


def test_refusal_names_upstreams_downgrade_where_there_is_one() -> None:
    assert "etcdctl downgrade enable 3.6" in guarded("3.6.14", "").stderr
    assert "etcdctl downgrade" not in guarded("3.5.33", "").stderr


def test_older_minor_passes_while_the_cluster_is_in_a_downgrade_to_it() -> None:
    done = guarded("3.6.14", '{"target-version":"3.6.0","enabled":true}')
    assert (done.returncode, done.stderr) == (0, "")


def test_same_and_newer_minors_pass() -> None:
    assert guarded("3.7.2", "").returncode == 0
    assert guarded("3.8.0", "").returncode == 0


def test_older_minor_waits_until_the_storage_has_been_downgraded_as_well() -> None:
    done = guarded("3.6.14", '{"target-version":"3.6.0","enabled":true}', storage="3.7.0")
    assert done.returncode == 1
    assert "When all members show that storage version" in done.stderr


def test_what_ran_last_counts_where_the_data_says_nothing() -> None:
    assert guarded("3.6.14", "", cluster="", storage="", ran="3.7.1").returncode == 1
    assert guarded("3.6.14", "", cluster="", storage="", ran="3.6.11").returncode == 0
