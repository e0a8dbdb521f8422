"""Linters find nothing. A linter that is not installed is a failure: ci/prepare installs them all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.cache import CACHE
from tests.unit.checkout.files import ROOT, python_files, shell_scripts

BESIDE_PYTHON = Path(sys.executable).parent


def assert_finds_nothing(*argv: str | Path) -> None:
    """A linter's complaints in full where it has any."""
    done = subprocess.run(list(map(str, argv)), cwd=ROOT, capture_output=True, text=True, check=False)
    assert not done.returncode, f"\n{done.stdout}{done.stderr}"


def test_every_kind_of_script_is_linted() -> None:
    linted = {str(path) for path in (*shell_scripts(), *python_files())}
    assert {
        *("ci/prepare", "ci/test", "ci/demo", ".ci/run", "ci/lab-releases"),
        *(
            "debian-template/sbin/etcd-ha",
            "debian-template/etcd-ha.config",
            "debian-template/etcd-ha.postinst",
        ),
        *("debian-template/node/lib/yaml.sh", "debian-template/node/commands/status"),
        *("builder/cli/main.py", "tests/unit/checkout/test_lint.py"),
    } <= linted


def test_ruff_finds_nothing() -> None:
    assert_finds_nothing(BESIDE_PYTHON / "ruff", "check", "--quiet", *python_files())


def test_ruff_format_would_change_nothing() -> None:
    assert_finds_nothing(BESIDE_PYTHON / "ruff", "format", "--quiet", "--diff", *python_files())


def test_mypy_strict_finds_nothing() -> None:
    # A fresh clone reads the libraries from the cache of an earlier one.
    assert_finds_nothing(sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", CACHE / "mypy")


def test_shellcheck_finds_nothing() -> None:
    assert_finds_nothing("shellcheck", "--external-sources", "--format=gcc", *shell_scripts())


def test_shfmt_would_change_nothing() -> None:
    assert_finds_nothing("shfmt", "-i", "4", "-ci", "-d", *shell_scripts())


def test_no_python_file_excuses_itself_from_a_whole_linter() -> None:
    excuses = ("# ruff" + ": noqa", "# mypy" + ": ignore-errors", "# type" + ": ignore\n")
    assert [
        (path, excuse) for path in python_files() for excuse in excuses if excuse in (ROOT / path).read_text()
    ] == []
