"""Completions: the copies against the newest real programs, the hand-written ones in the shells."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from builder import shipped
from builder.completions import FILE_NAMES, OWN, PROGRAMS, SHIPPED
from tests.lab import releases
from tests.lab.command import run
from tests.package.manual import unpack_programs

NEWEST = "3.5.30"
USAGE = """\
Usage: etcd-ha COMMAND [ARGUMENT]...

  etcd-ha config get KEY
      print a value
  etcd-ha config set KEY VALUE
      change a value
  etcd-ha migrate [--to DIR] [--dry-run]
      take over
  etcd-ha status [--json]
      one screen
"""
KEYS = "# keys\nclient-transport-security.cert-file string\nname string\n"
Complete = Callable[[str], set[str]]

BASH = """
compopt() { :; }
. "$1"
# As readline splits a line: COMP_WORDBREAKS holds the equals sign.
read -ra COMP_WORDS <<<"${2//=/ = }"
[[ $2 != *[\\ =] ]] || COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_PROGRAM
printf '%s\\n' "${COMPREPLY[@]}"
"""
# compadd works in a completion widget only; this one prints what fits the word.
ZSH = """
compadd() {
    local word fits=1
    [[ $1 == -- ]] && shift
    for word; do [[ $word == $words[CURRENT]* ]] && print -r -- $word && fits=0; done
    return $fits
}
_files() { print -l -- $words[CURRENT]*(N) }
_call_program() { shift; eval "$@" }
complete_line() { words=("${(@s: :)2}"); CURRENT=$#words; . "$1" }
complete_line "$@"
"""
FISH = "source $argv[1]; complete --do-complete $argv[2]"


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return unpack_programs(NEWEST, tmp_path_factory.mktemp(NEWEST))


@pytest.fixture(scope="module")
def path(newest: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with a real etcd, and an etcd-ha that has a help and no more."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "etcd").symlink_to(newest["etcd"])
    (folder / "usage").write_text(USAGE)
    (folder / "etcd-ha").write_text(f"#!/bin/sh\n[ \"$1\" != help ] || cat '{folder}/usage'\n")
    (folder / "etcd-ha").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.fixture(params=sorted(FILE_NAMES))
def complete(request: pytest.FixtureRequest, path: str, tmp_path: Path) -> Complete:
    """complete(line) is what the shell offers at the end of the line."""
    shell: str = request.param
    (tmp_path / "keys").write_text(KEYS)

    def of(line: str) -> set[str]:
        program = line.split()[0]
        script = SHIPPED / shell / FILE_NAMES[shell].format(program)
        here = tmp_path / script.name
        text = script.read_text(encoding="utf-8")
        here.write_text(text.replace("/usr/share/etcd-ha/config-keys", str(tmp_path / "keys")))
        code = {"bash": BASH.replace("PROGRAM", program.replace("-", "_")), "zsh": ZSH, "fish": FISH}[shell]
        name = [] if shell == "fish" else [shell]
        shown = run(
            [shell, "-c", code, *name, here, line],
            env={"PATH": path, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "TERM": "dumb"},
            cwd=tmp_path,
            check=False,
        ).stdout
        return {re.split(r"\t| ", found)[0] for found in shown.splitlines() if found}

    return of


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("shell", sorted(FILE_NAMES))
def test_the_copy_is_what_the_newest_program_prints(newest: dict[str, Path], name: str, shell: str) -> None:
    copy = SHIPPED / shell / FILE_NAMES[shell].format(name)
    assert copy.read_text(encoding="utf-8") == run([newest[name], "completion", shell]).stdout


def test_no_other_release_that_the_registries_hold_is_newer() -> None:
    versions = releases.ensure().values()
    assert max(versions, key=lambda version: tuple(map(int, version.split(".")))) == NEWEST


def test_each_program_has_a_completion_for_each_shell() -> None:
    there = {path.relative_to(SHIPPED).as_posix() for path in SHIPPED.rglob("*") if path.is_file()}
    assert there == {
        f"{shell}/{pattern.format(name)}"
        for shell, pattern in FILE_NAMES.items()
        for name in (*PROGRAMS, *OWN)
    }


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("etcd --initial-cluster-s", {"--initial-cluster-state"}),
        ("etcd --initial-cluster-state ", {"new", "existing"}),
        ("etcd g", {"gateway", "grpc-proxy"}),
        ("etcd gateway start --retry", {"--retry-delay"}),
        ("etcd grpc-proxy start --advertise", {"--advertise-client-url"}),
        ("etcd --config-file ke", {"keys"}),
        ("etcd-ha ", {"config", "migrate", "status"}),
        ("etcd-ha config ", {"get", "set"}),
        ("etcd-ha config set ", {"client-transport-security.cert-file", "name"}),
        ("etcd-ha config get na", {"name"}),
        ("etcd-ha status --", {"--json"}),
        ("etcd-ha migrate --dry-run --", {"--to", "--dry-run"}),
    ],
)
def test_shell_offers(complete: Complete, line: str, offered: set[str]) -> None:
    assert complete(line) == offered


def test_bash_completes_a_value_behind_the_equals_sign(path: str) -> None:
    script = SHIPPED / "bash/etcd"
    code = BASH.replace("PROGRAM", "etcd")
    shown = run(["bash", "-c", code, "bash", script, "etcd --log-format=co"], env={"PATH": path}).stdout
    assert shown.split() == ["console"]


@pytest.mark.parametrize("name", OWN)
def test_each_shell_takes_the_hand_written_file(name: str) -> None:
    for shell, pattern in FILE_NAMES.items():
        assert run([shell, "-n", SHIPPED / shell / pattern.format(name)]).stdout == ""


def test_bash_completions_are_clean_to_the_linters() -> None:
    for name in OWN:
        file = shipped.DEBIAN_TEMPLATE / "completions/bash" / name
        run(["shellcheck", file])
        run(["shfmt", "-d", "-i", "4", "-ci", file])
