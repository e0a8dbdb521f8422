"""Whether the data of Debian's etcd may be taken over: by its version, and not where that can't be read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from builder.shipped import DEBIAN_TEMPLATE
from tests.package.node.node_functions import functions_of
from tests.support.releases.bbolt_file import Meta, database, leaf_of_buckets

MIGRATE = DEBIAN_TEMPLATE / "node/commands/migrate"
CHECK = r"""
LIB=$1 KEEP=$2
fail() { echo "refused: $1"; exit 1; }
for part in yaml bbolt member upgrade; do . "$LIB/$part.sh"; done
eval "$3"
version_of() { echo 3.6.7; }
dpkg-query() { echo "$INSTALLED"; }
check_versions "$KEEP"
"""


def checked(folder: Path, content: bytes, installed: str) -> str:
    """What is said to a migration of that database to etcd 3.6.7."""
    (folder / "member/snap").mkdir(parents=True)
    (folder / "member/snap/db").write_bytes(content)
    # A function with a hyphen in its name is bash's.
    words = [
        "bash",
        "-euc",
        CHECK,
        "sh",
        str(DEBIAN_TEMPLATE / "node/lib"),
        str(folder),
        functions_of(MIGRATE),
    ]
    environment = {"PATH": "/usr/bin:/bin", "INSTALLED": installed}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.strip()


def holding(pairs: dict[str, str], *, torn: bool = False) -> bytes:
    metas = [Meta(10, 3).page(torn=torn), Meta(9, 3).page(torn=True)]
    return database(metas, leaf_of_buckets(3, {"cluster": pairs}))


@pytest.mark.parametrize(
    ("content", "installed", "said"),
    [
        (holding({"clusterVersion": "3.5.0"}), "3.5.30-2", ""),
        (holding({"clusterVersion": "3.5.0"}), "3.5.16-4", "refused: etcd 3.6.7 can't follow 3.5.16"),
        (holding({"clusterVersion": "3.7.0"}), "3.5.30-2", "refused: the data was written by etcd 3.7.0"),
        # A young cluster says nothing yet; what was installed is known all the same.
        (holding({}), "3.4.23-4", "refused: etcd 3.6.7 can't follow 3.4.23"),
        (holding({}), "", ""),
        (holding({}, torn=True), "3.5.30-2", "refused: the database in "),
    ],
)
def test_version_of_the_data_decides_and_a_database_that_cannot_be_read_is_refused(
    tmp_path: Path, content: bytes, installed: str, said: str
) -> None:
    found = checked(tmp_path, content, installed)
    assert found.startswith(said)
    assert bool(found) == bool(said)
