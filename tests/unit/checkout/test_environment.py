"""make_venv of ci/prepare, by a Python whose pip notes what it is told to install."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PYTHON = """#!/bin/sh
[ "$1 $2" = "-m venv" ] || exec {python} "$@"
{python} -m venv --without-pip "$3"
cp {pip} "$3"/lib/python3*/site-packages/
"""
PIP = """
import os, pathlib, sys
with open({log!r}, "a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
if os.environ.get("NETWORK") == "down":
    sys.exit(1)
for name in ("etcd-deb", "tool"):
    program = pathlib.Path(sys.executable).with_name(name)
    if name == "etcd-deb" or "--no-deps" not in sys.argv:
        program.write_text(f"#!{{sys.executable}}\\n")
        program.chmod(0o755)
"""
SHOWN = 'make_venv test; echo "$VENV"; '
NEEDS, CHECKOUT = "-q install -e .[test]", "-q install --no-deps -e ."


class Checkouts:
    """Of one user, with one cache."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "log"
        (folder / "bin").mkdir()
        program = folder / "bin/python3"
        program.write_text(PYTHON.format(python=sys.executable, pip=folder / "pip.py"), encoding="utf-8")
        program.chmod(0o755)
        (folder / "pip.py").write_text(PIP.format(log=str(self.log)), encoding="utf-8")

    def add(self, name: str) -> Path:
        """Another one, with the same pyproject.toml."""
        where = self.folder / name
        where.mkdir()
        shutil.copy(ROOT / "pyproject.toml", where)
        return where

    def make(self, where: Path, *, calls: int = 1, network: str = "up") -> list[Path]:
        """The environment that each call in one shell has made or found; none where it failed."""
        done = subprocess.run(
            ["sh", "-ec", f". {ROOT}/ci/prepare; {SHOWN * calls}"],
            cwd=where,
            env={
                "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
                "XDG_CACHE_HOME": str(self.folder / "cache"),
                "NETWORK": network,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode == 0) == (network == "up"), done.stderr
        return [Path(line) for line in done.stdout.splitlines()]

    def installed(self) -> list[str]:
        """What pip was told, each time."""
        return self.log.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def checkouts(tmp_path: Path) -> Checkouts:
    """None yet, and an empty cache."""
    return Checkouts(tmp_path)


def test_what_checkouts_need_is_installed_once_for_all(checkouts: Checkouts) -> None:
    (one,), (two,) = (checkouts.make(checkouts.add(name)) for name in ("one", "two"))
    assert one != two
    assert checkouts.installed() == [NEEDS, CHECKOUT, CHECKOUT]
    assert (one / "bin/python").samefile(two / "bin/python")


def test_environment_is_found_from_inside_it_and_by_the_next_run(checkouts: Checkouts) -> None:
    one = checkouts.add("one")
    assert len({*checkouts.make(one, calls=2), *checkouts.make(one)}) == 1
    assert checkouts.installed() == [NEEDS, CHECKOUT]


def test_programs_of_an_environment_run_by_its_own_python(checkouts: Checkouts) -> None:
    for name in ("one", "two"):
        (made,) = checkouts.make(checkouts.add(name))
        for program in ("etcd-deb", "tool"):
            first, *_ = (made / "bin" / program).read_text(encoding="utf-8").splitlines()
            assert Path(first.removeprefix("#!")).parent == made / "bin"


def test_environment_that_failed_is_made_again(checkouts: Checkouts) -> None:
    one = checkouts.add("one")
    assert checkouts.make(one, network="down") == []
    assert list((checkouts.folder / "cache/etcd-deb/venv").iterdir()) == []
    (made,) = checkouts.make(one)
    assert (made / "bin/tool").exists()


def test_what_a_killed_run_left_is_cleared_by_the_next_that_makes_one(checkouts: Checkouts) -> None:
    one = checkouts.add("one")
    (made,) = checkouts.make(one)
    made.rename(made.with_suffix(".killed"))
    made.with_suffix(".young").mkdir()
    os.utime(made.with_suffix(".killed"), (0, 0))
    checkouts.make(one)
    assert sorted(path.suffix for path in made.parent.iterdir()) == ["", "", ".young"]
