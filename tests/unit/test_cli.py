"""The command line: help at once, results alone on standard output, documented exit codes."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from builder.cli import cli
from builder.errors import EtcdDebError
from builder.known_faults import shipped_faults
from builder.repository.serve import serve
from tests.lab.fake_release import good_tarball, publish, tarball_name
from tests.unit.samples import version

SOURCE = ("v3.6.99", "--arch", "amd64")
ETCD_DEB = str(Path(sys.executable).with_name("etcd-deb"))
COMMANDS = sorted(cli.commands)
HELP_WITHIN = 0.25
# Loading one of these takes longer than all of --help may.
HEAVY = ("requests", "jinja2", "elftools", "debian", "tarfile", "email")
SHOW_MODULES = """
import sys
from builder.cli import main
main()
print(*sys.modules, file=sys.stderr)
"""


def run(
    *arguments: str | Path, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ETCD_DEB, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(variables or {})},
    )


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a release that two witnesses vouch for."""
    root = publish(tmp_path_factory.mktemp("releases"), {"amd64": good_tarball()})
    (folder,) = root.iterdir()
    (folder / "SHA256SUMS.storage.invalid").write_bytes((folder / "SHA256SUMS").read_bytes())
    return root


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


def shell(command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ETCD_DEB": ETCD_DEB, **variables},
    )


@pytest.mark.parametrize("words", ["--help", "--version", "doctor", "doctor --json", "build --help"])
@pytest.mark.parametrize("where", [">/dev/full", ">&-"])
def test_a_result_that_could_not_be_printed_is_an_error_of_its_own(words: str, where: str) -> None:
    result = shell(f'"$ETCD_DEB" {words} {where}')
    assert result.returncode == 74
    assert result.stderr.startswith("etcd-deb: error: the result could not be printed\n")
    assert "hint: the command itself has ended" in result.stderr


def test_what_was_not_printed_was_done_all_the_same(release: Path, tmp_path: Path) -> None:
    words = f"fetch v3.6.99 --arch amd64 --source {release} --output {tmp_path}/kept"
    assert shell(f'"$ETCD_DEB" {words} >/dev/full').returncode == 74
    assert (tmp_path / f"kept/v3.6.99/{tarball_name()}").exists()


@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-"])
def test_messages_that_nobody_can_be_shown_stop_no_work(release: Path, tmp_path: Path, where: str) -> None:
    words = f"fetch v3.6.99 --arch amd64 --source {release} --output {tmp_path}/kept"
    assert shell(f'"$ETCD_DEB" {words} {where}').returncode == 0
    assert shell(f'"$ETCD_DEB" build 3.6.x {where}').returncode == 2


def test_no_file_takes_the_number_of_a_standard_file_that_is_closed(release: Path, tmp_path: Path) -> None:
    words = f"fetch v3.6.99 --arch amd64 --source {release} --output {tmp_path}/kept"
    assert shell(f'"$ETCD_DEB" {words} <&- >&- 2>&-').returncode == 74
    kept = tmp_path / f"kept/v3.6.99/{tarball_name()}"
    assert kept.read_bytes() == good_tarball()


@pytest.mark.parametrize("coding", ["ascii", "latin-1"])
def test_a_path_that_is_no_text_is_printed_as_it_is(release: Path, tmp_path: Path, coding: str) -> None:
    folder = os.fsencode(tmp_path) + b"/\xff-\xc3\xa9"
    done = subprocess.run(
        [ETCD_DEB, "fetch", "v3.6.99", "--arch", "amd64", "--source", str(release), "--output", folder],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": coding},
    )
    assert done.stdout == folder + f"/v3.6.99/{tarball_name()}\n".encode(), done.stderr


def test_a_fault_of_its_own_is_said_with_its_place_and_never_as_a_traceback() -> None:
    broken = "import builder.doctor as d; del d.NEEDS; from builder.cli import main; raise SystemExit(main())"
    done = subprocess.run(
        [sys.executable, "-c", broken, "doctor"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr.startswith("etcd-deb: error: a fault of etcd-deb's own: ImportError: ")
    assert "\n  at        builder/cli/looking.py:" in done.stderr
    assert "hint: report this message" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_said_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(EtcdDebError) as caught:
            serve(tmp_path, "127.0.0.1", taken.getsockname()[1], print)
    assert "Address already in use" in caught.value.render()
    assert "--port 0" in str(caught.value.hint)


@pytest.mark.parametrize("address", ["x" * 300, "no-such-host.invalid", "192.0.2.1"])
def test_an_address_that_is_not_there_is_said(tmp_path: Path, address: str) -> None:
    with pytest.raises(EtcdDebError, match="can't listen on"):
        serve(tmp_path, address, 0, print)


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (("biuld",), "did you mean etcd-deb build?"),
        (("repo", "lst"), "did you mean etcd-deb repo list?"),
        (("versions", "--jsn"), "did you mean --json?"),
        (("repo", "list"), "etcd-deb repo list --help"),
        (("fetch", "v3.6.7", "--output"), "etcd-deb fetch --help"),
    ],
)
def test_a_usage_error_says_what_to_type(words: tuple[str, ...], advice: str) -> None:
    assert run(*words).stderr.splitlines()[-1] == f"hint: {advice}"
    if advice.endswith("--help"):
        assert run(*advice.split()[1:]).returncode == 0


def all_commands(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*before, name)
        if isinstance(command, click.Group):
            yield from all_commands(command, (*before, name))


def test_every_command_takes_verbosity_before_its_name_and_after_it() -> None:
    for words in all_commands(cli):
        command: click.Command = cli
        for word in words:
            assert isinstance(command, click.Group)
            command = command.commands[word]
            flags = {flag for option in command.params for flag in option.opts}
            assert {"-v", "--verbose", "-q", "--quiet"} <= flags


@pytest.mark.parametrize(
    "spelt",
    [
        ("-q", "source", *SOURCE),
        ("source", "-q", *SOURCE),
        ("source", *SOURCE, "--quiet"),
        ("-v", "source", *SOURCE, "-q"),
    ],
    ids=" ".join,
)
def test_a_quiet_command_prints_results_alone(release: Path, tmp_path: Path, spelt: tuple[str, ...]) -> None:
    words = ("--source", str(release), "--output", str(tmp_path))
    result = run(*spelt, *words)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{tmp_path}/etcd-ha-3.6.99\n"


def test_the_verbosity_that_was_given_last_counts(release: Path, tmp_path: Path) -> None:
    words = (*SOURCE, "--source", str(release), "--output", str(tmp_path))
    assert "etcd-deb: verifying" in run("-q", "source", *words, "-v").stderr


def test_a_quiet_command_says_errors() -> None:
    result = run("-q", "fetch", "v3.6.7", "--output", "x", "--source", "/nowhere")
    assert result.stderr.startswith("etcd-deb: error: ")


@pytest.mark.parametrize("old", ["--to {}", "--to={}"])
@pytest.mark.parametrize("command", ["fetch", "source"])
def test_an_old_spelling_works_with_a_warning(release: Path, tmp_path: Path, command: str, old: str) -> None:
    words = (command, "v3.6.99", "--arch", "amd64", "--source", str(release), *old.format(tmp_path).split())
    result = run(*words, "-q")
    assert result.returncode == 0
    assert result.stderr == (
        f"etcd-deb: warning: --to of etcd-deb {command} is --output now, and refused in the next release\n"
    )
    assert result.stdout.startswith(f"{tmp_path}/")
    assert "--to" not in run(command, "--help").stdout
