"""The command line: help at once, results alone on standard output, documented exit codes."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from builder.cli.main import cli
from builder.known_faults import shipped_faults
from tests.support.releases.fake_release import tarball_name
from tests.unit.cli.command import run
from tests.unit.samples import version

COMMANDS = sorted(cli.commands)
HELP_WITHIN = 0.25
# Loading one of these takes longer than all of --help may.
HEAVY = ("requests", "jinja2", "elftools", "debian", "tarfile", "email", "cryptography", "yaml")
SHOW_MODULES = """
import sys
from builder.cli.main import main
main()
print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.alone
def test_help_comes_at_once() -> None:
    took = []
    for _ in range(5):
        start = time.monotonic()
        assert run("--help").returncode == 0
        took.append(time.monotonic() - start)
    assert statistics.median(took) <= HELP_WITHIN, took


@pytest.mark.parametrize("words", [(), *((name,) for name in COMMANDS)], ids=lambda words: " ".join(words))
def test_help_loads_nothing_heavy(words: tuple[str, ...]) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", SHOW_MODULES, *words, "--help"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.startswith("Usage: ")
    loaded = set(shown.stderr.split())
    assert "click" in loaded
    assert loaded & set(HEAVY) == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_explained_option_each(name: str) -> None:
    command = cli.commands[name]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def test_every_setting_that_an_option_sets_is_named_beside_it() -> None:
    shown = run("build", "--help").stdout
    for name in ("SOURCE", "PINS", "ARCHES", "MAINTAINER", "COMPRESSION", "OUTPUT", "KEY"):
        assert f"[ETCD_DEB_{name}]" in shown


def test_the_version_is_printed() -> None:
    result = run("--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert "0." in result.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("build",),
        ("build", "3.6.x"),
        ("build", "v3.6.7", "--arch", "x86_64"),
        ("build", "v3.6.7", "--compression", "bzip2"),
        ("build", "v3.6.7", "--revision", "a-b"),
        ("build", "v3.6.7", "--source", "ftp://mirror.invalid"),
        ("build", "v3.6.7", "--source", "http://[::1"),
        ("build", "v3.6.7", "--maintainer", "Jane"),
        ("build", "v3.6.7", "extra"),
        ("source", "v3.6.7"),
        ("source", "v3.6.7", "--output", ".", "--arch", "all"),
        ("fetch", "v3.6.7"),
        ("pin",),
        ("inspect", "/nonexistent.deb"),
        ("versions", "--unknown"),
        ("versions", "--source"),
        ("versions", "--json=yes"),
        ("serve", "/srv/apt", "--port", "x"),
        ("unknown",),
        (),
        ("repo",),
        ("repo", "unknown"),
        ("repo", "list"),
        ("repo", "rollback", "/srv/apt", "trixie", "--generation", "0"),
    ],
    ids=" ".join,
)
def test_a_usage_error_ends_with_2_and_prints_no_result(words: tuple[str, ...]) -> None:
    result = run(*words)
    assert (result.returncode, result.stdout) == (2, "")
    first, *details, last = result.stderr.splitlines()
    assert first.startswith("etcd-deb: error: ")
    assert details
    assert all(detail.startswith("  ") for detail in details)
    assert last.startswith("hint: ")


@pytest.mark.parametrize("text", ['sorce = "x"\n', "timeout = []\n", "not toml\n"])
def test_a_wrong_settings_file_ends_with_2(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    for words, variables in ((("--config", file), {}), ((), {"ETCD_DEB_CONFIG": str(file)})):
        result = run(*words, "versions", variables=variables)
        assert (result.returncode, result.stdout) == (2, "")
        assert str(file) in result.stderr


def test_a_settings_file_that_is_not_there_ends_with_1(tmp_path: Path) -> None:
    result = run("--config", tmp_path / "absent", "versions")
    assert (result.returncode, result.stdout) == (1, "")
    assert "etcd-deb: error: can't read the settings" in result.stderr


def test_an_error_has_a_summary_details_and_a_hint(tmp_path: Path) -> None:
    result = run("build", "v3.6.7", "--source", tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    first, *middle, last = [line for line in result.stderr.splitlines() if not line.startswith("etcd-deb: v")]
    assert first == f"etcd-deb: error: {tmp_path} has no etcd-v3.6.7-linux-amd64.tar.gz"
    assert middle
    assert all(line.startswith("  ") for line in middle)
    assert last.startswith("hint: etcd-deb fetch v3.6.7")


def test_pin_prints_what_it_recorded(release: Path, tmp_path: Path) -> None:
    result = run("pin", "v3.6.99", "--source", release, "--pins", tmp_path / "pins")
    assert result.returncode == 0
    assert result.stdout == (tmp_path / "pins").read_text()
    assert result.stdout.endswith(f"  {tarball_name()}\n")


def test_fetch_prints_the_paths_alone(release: Path, tmp_path: Path) -> None:
    result = run("fetch", "v3.6.99", "--arch", "amd64", "--source", release, "--output", tmp_path / "kept")
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{tmp_path}/kept/v3.6.99/{tarball_name()}\n"


def test_source_prints_the_tree_alone(release: Path, tmp_path: Path) -> None:
    words = ("source", "v3.6.99", "--arch", "amd64", "--source", release, "--output", tmp_path)
    result = run(*words)
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{tmp_path}/etcd-ha-3.6.99\n"
    again = run(*words)
    assert (again.returncode, again.stdout) == (1, "")
    assert f"{tmp_path}/etcd-ha-3.6.99 exists" in again.stderr


def test_versions_prints_json_where_asked(release: Path) -> None:
    result = run("versions", "--source", release, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == [
        {"version": "3.6.99", "date": None, "pinned": False, "supported": True, "known_faults": []}
    ]
    assert "v3.6.99" in run("versions", "--source", release).stdout


def test_versions_tells_which_one_fixes_the_known_faults_of_another(tmp_path: Path) -> None:
    for tag in ("v3.6.13", "v3.6.14", "v3.6.16"):
        (tmp_path / tag).mkdir()
    rows = run("versions", "--source", tmp_path).stdout.splitlines()
    assert [row.rpartition("supported")[2].strip() for row in rows[1:]] == [
        "-",
        "1, all fixed in 3.6.15",
        "3, all fixed in 3.6.15",
    ]
    found = json.loads(run("versions", "--source", tmp_path, "--json").stdout)
    assert [fault["fixed_in"] for fault in found[1]["known_faults"]] == ["3.6.15"]


def test_build_tells_each_known_fault_once(tmp_path: Path) -> None:
    (tmp_path / "v3.6.14").mkdir()
    for name in ("amd64", "arm64"):
        (tmp_path / f"v3.6.14/etcd-v3.6.14-linux-{name}.tar.gz").touch()
    said = run("build", "3.6", "--arch", "amd64", "--arch", "arm64", "--source", tmp_path).stderr
    (fault,) = shipped_faults().of(version("3.6.14"))
    assert said.count(f"known fault of etcd 3.6.14: {fault}\n") == 1


def test_a_release_that_is_not_trusted_ends_with_3(release: Path, tmp_path: Path) -> None:
    (tmp_path / "pins").write_text(f"{'1' * 64}  {tarball_name()}\n")
    result = run("build", "v3.6.99", "--arch", "amd64", "--source", release, "--pins", tmp_path / "pins")
    assert (result.returncode, result.stdout) == (3, "")
    assert f"checksum of {tarball_name()} does not match" in result.stderr


def test_a_place_that_cannot_be_written_is_named(release: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("source", "v3.6.99", "--arch", "amd64", "--source", release, "--output", tmp_path / "file")
    assert (result.returncode, result.stdout) == (1, "")
    assert str(tmp_path / "file") in result.stderr
    assert "hint: " in result.stderr
    assert "Traceback" not in result.stderr
