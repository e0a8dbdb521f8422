"""What is read from a bbolt database is of one transaction that bbolt would take; else nothing is read."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from builder.shipped import DEBIAN_TEMPLATE
from tests.support.releases.bbolt_file import Meta, database, leaf_of_buckets

READ = '. "$1/bbolt.sh"; bbolt_pairs "$2" cluster'
OLD, NEW, OTHER = ({"cluster": {"clusterVersion": version}} for version in ("3.5.0", "3.6.0", "9.9.0"))
SAYS_OLD, SAYS_NEW = ("clusterVersion\t3.5.0\n", "clusterVersion\t3.6.0\n")
AWKS = ("mawk", "busybox awk")


def program(folder: Path, name: str, script: str) -> None:
    """A program of that name for the reader's PATH."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def read(file: Path, tools: Path | None = None) -> tuple[int, str, str]:
    """Status, the pairs of the bucket, and the reason."""
    path = f"{tools}:{os.environ['PATH']}" if tools else os.environ["PATH"]
    words = ["sh", "-uc", READ, "sh", str(DEBIAN_TEMPLATE / "node/lib"), str(file)]
    done = subprocess.run(words, env={"PATH": path}, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, *(("", done.stdout) if done.returncode == 2 else (done.stdout, ""))


def states(*, torn: Sequence[int] = ()) -> bytes:
    """Transaction 10 says 3.5.0 at page 3, transaction 11 says 3.6.0 at page 4."""
    metas = [Meta(number, root).page(torn=number in torn) for number, root in ((10, 3), (11, 4))]
    return database(metas, leaf_of_buckets(3, OLD), leaf_of_buckets(4, NEW), leaf_of_buckets(5, OTHER))


@pytest.mark.parametrize("awk", AWKS)
@pytest.mark.parametrize(
    ("torn", "expected"), [((), SAYS_NEW), ((11,), SAYS_OLD), ((10,), SAYS_NEW)], ids=str
)
def test_newest_meta_page_with_the_right_checksum_counts(
    tmp_path: Path, awk: str, torn: tuple[int, ...], expected: str
) -> None:
    program(tmp_path / "bin", "awk", f'exec {awk} "$@"')
    (tmp_path / "db").write_bytes(states(torn=torn))
    assert read(tmp_path / "db", tmp_path / "bin") == (0, expected, "")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (states(torn=(10, 11)), "both meta pages are damaged\n"),
        (states()[: 4096 * 4], "a page of the newest transaction is damaged\n"),
        (states()[: 4096 * 4 + 20], "a page of the newest transaction is damaged\n"),
        (b"no database" * 1000, "it is not a bbolt database\n"),
        (b"", "it is not a bbolt database\n"),
    ],
    ids=["both metas torn", "page missing", "page cut", "text", "empty"],
)
def test_database_that_is_damaged_is_unreadable_with_a_reason_and_not_empty(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "db").write_bytes(content)
    assert read(tmp_path / "db") == (2, "", reason)


def test_page_that_is_written_over_during_the_walk_is_not_taken(tmp_path: Path) -> None:
    # Transactions 11 and 12 come between the meta pages and the root: 12 uses the page of 10 anew.
    before = database(
        [Meta(10, 3).page(), Meta(9, 5).page()],
        leaf_of_buckets(3, OLD), leaf_of_buckets(4, OTHER), leaf_of_buckets(5, OTHER),
    )  # fmt: skip
    after = database(
        [Meta(12, 5).page(), Meta(11, 4).page()],
        leaf_of_buckets(3, OTHER), leaf_of_buckets(4, OTHER), leaf_of_buckets(5, NEW),
    )  # fmt: skip
    file = tmp_path / "db"
    file.write_bytes(before)
    (tmp_path / "after").write_bytes(after)
    od = shlex.quote(str(shutil.which("od")))
    commit = f'{od} "$@"; cat {shlex.quote(str(tmp_path / "after"))} >{shlex.quote(str(file))}'
    program(tmp_path / "bin", "od", commit)
    assert read(file, tmp_path / "bin") == (0, SAYS_NEW, "")


def test_database_that_changes_during_each_try_is_unreadable(tmp_path: Path) -> None:
    file, queue = tmp_path / "db", tmp_path / "queue"
    queue.mkdir()
    file.write_bytes(states())
    for transaction in range(20, 30, 2):
        metas = [Meta(transaction, 3).page(), Meta(transaction + 1, 3).page()]
        (queue / str(transaction)).write_bytes(database(metas, leaf_of_buckets(3, OLD)))
    od = shlex.quote(str(shutil.which("od")))
    # Each look finds the next of the states, which come round again.
    commit = f"""{od} "$@"
        cd {shlex.quote(str(queue))}
        next=$(ls -tr | head -n 1)
        cat "$next" >../db
        touch "$next"
    """
    program(tmp_path / "bin", "od", commit)
    assert read(file, tmp_path / "bin") == (2, "", "it changed during each of 30 tries\n")


def test_file_that_is_not_there_is_unreadable_and_not_without_the_bucket(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == (2, "", f"can't read {tmp_path / 'none'}\n")


def test_value_that_cannot_be_read_is_not_absent(tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(states(torn=(10, 11)))
    get = '. "$1/bbolt.sh"; bbolt_get "$2" cluster clusterVersion'
    words = ["sh", "-uc", get, "sh", str(DEBIAN_TEMPLATE / "node/lib"), str(tmp_path / "db")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "both meta pages are damaged", "")
