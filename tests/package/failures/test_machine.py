"""A machine that has not enough is never the tarball's fault: no status 3, no traceback, the cache stays."""

from __future__ import annotations

import os

import pytest

from tests.package.failures.conftest import Origins
from tests.support.account import Account, Result
from tests.support.releases.fake_release import VERSION, tarball_name
from tests.support.sample import sampled

READ_ONLY = 'mkdir -p "$1"; mount -t tmpfs -o ro tmpfs "$1"; shift; exec "$@"'


def build_under(account: Account, origins: Origins, *under: str) -> Result:
    """A build whose tarball is in the cache already."""
    words = ("fetch", VERSION, "--source", origins.source, "--output", account.folder / "kept")
    assert account.run(*words).status == 0
    account.trusts(origins.file(origins.tarball))
    return account.run(*account.build_words(VERSION, origins.source), under=under)


def assert_the_machine_is_named(account: Account, result: Result, *words: str) -> None:
    assert (result.status, result.out) == (1, ""), result
    assert "Traceback" not in result.err, result.err
    assert "etcd-deb: error: " in result.err, result.err
    assert "hint: " in result.err, result.err
    for word in words:
        assert word in result.err, result.err
    assert account.made() == set(), result
    assert account.cached() == {tarball_name()}


@pytest.mark.parametrize("kibibytes", sampled([60_000, 100_000, 200_000], 100_000))
def test_too_little_memory_is_said(account: Account, origins: Origins, kibibytes: int) -> None:
    limit = f'ulimit -v {kibibytes}; exec "$@"'
    result = build_under(account, origins, "sh", "-c", limit, "sh")
    if result.status:
        assert_the_machine_is_named(account, result, "ulimit")


@pytest.mark.parametrize("files", sampled([6, 9, 12], 9))
def test_too_few_files_are_said(account: Account, origins: Origins, files: int) -> None:
    result = build_under(account, origins, "sh", "-c", f'ulimit -n {files}; exec "$@"', "sh")
    if result.status:
        assert_the_machine_is_named(account, result, "ulimit")


@pytest.mark.parametrize("place", ["dist", "cache/etcd-deb"])
def test_a_read_only_file_system_is_said_with_the_place_to_change(
    account: Account, origins: Origins, place: str
) -> None:
    assert os.geteuid() == 0, "mounting needs root"
    folder = account.folder / place
    under = ("unshare", "--mount", "sh", "-ec", READ_ONLY, "sh", str(folder))
    account.trusts(origins.file(origins.tarball))
    result = account.run(*account.build_words(VERSION, origins.source), under=under)
    assert (result.status, result.out) == (1, ""), result
    hint = "XDG_CACHE_HOME=DIR" if place != "dist" else "choose another folder"
    assert "Read-only file system" in result.err
    assert hint in result.err
