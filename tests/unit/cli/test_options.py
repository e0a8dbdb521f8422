"""Options that every command has, usage errors, and spellings of before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from builder.cli.main import cli
from tests.unit.cli.command import SOURCE, run


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
        f"etcd-deb: warning: --to of etcd-deb {command} is now --output; the next release will refuse --to\n"
    )
    assert result.stdout.startswith(f"{tmp_path}/")
    assert "--to" not in run(command, "--help").stdout
