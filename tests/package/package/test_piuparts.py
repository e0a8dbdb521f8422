"""piuparts finds no trace of the package that was installed, upgraded from the previous build, and purged."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.package.conftest import DYNAMIC, STATIC
from tests.support.command import run
from tests.support.machines.base import BOOTABLE, Base
from tests.support.machines.mirror import find_mirror
from tests.support.machines.scratch import scratch
from tests.support.upload import Upload

# debconf's own, where apt hands it the questions of a package before it is unpacked.
NOT_OURS = r"^/var/cache/debconf/tmp\.ci/"
ANSWERS = """#!/bin/sh
debconf-set-selections <<END
etcd-ha etcd-ha/setup select single
etcd-ha etcd-ha/address string 192.0.2.11
etcd-ha etcd-ha/purge-data boolean true
END
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where piuparts may leave mounts when it is ended."""
    with scratch() as folder:
        yield folder


@pytest.fixture
def repository(upload: Callable[..., Upload], folder: Path) -> Path:
    """A flat repository that holds the previous build."""
    made = folder / "repository"
    made.mkdir()
    shutil.copy2(upload(DYNAMIC).deb, made)
    packages = run(["dpkg-scanpackages", "."], cwd=made).stdout
    (made / "Packages").write_text(packages[packages.index("Package: ") : packages.rindex("\n\n") + 2])
    return made


@pytest.mark.soak
@pytest.mark.parametrize(("suite", "answered"), [("trixie", False), ("trixie", True), ("bookworm", True)])
def test_piuparts_finds_nothing_also_after_an_upgrade_from_the_previous_build(
    upload: Callable[..., Upload], folder: Path, repository: Path, suite: str, answered: bool
) -> None:
    scripts, log = folder / "scripts", folder / "log"
    scripts.mkdir()
    if answered:
        (scripts / "pre_test_answers").write_text(ANSWERS)
        (scripts / "pre_test_answers").chmod(0o755)
    with Base(suite, BOOTABLE).in_use() as base:
        result = run(
            [
                *("piuparts", "--existing-chroot", base, "--distribution", suite),
                *("--mirror", f"{find_mirror()} main", "--no-eatmydata", "--pedantic-purge-test"),
                *("--bindmount", repository, "--extra-repo", f"deb [trusted=yes] file://{repository} ./"),
                *("--tmpdir", folder, "--scriptsdir", scripts, "--ignore-regex", NOT_OURS, "--log-file", log),
                upload(STATIC).deb,
            ],
            check=False,
            within=300,
        )
    text = log.read_text(encoding="utf-8", errors="replace")
    assert result.returncode == 0, text[-4000:]
    assert "PASS: Installation, upgrade and purging tests." in text
    assert f"Unpacking etcd-ha ({STATIC}-1) over ({DYNAMIC}-1)" in text
    assert ("etcd is not configured" in text) != answered
