"""Completions: the copies and what real programs print, and the hand-written ones, in the shells."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from builder import shipped
from builder.package.completions import FILE_NAMES, OWN, PROGRAMS, SHIPPED
from tests.package.manual import unpack_programs
from tests.support.command import run
from tests.support.releases import releases

# Debian's. Its scripts ask the program at run time, so they suit every version: upstream's 3.5 prints none,
# and what 3.6 and 3.7 print for bash is a list of their own commands.
COPIED_FROM = "3.5.30"
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
# As cobra's scripts are called, with what they need of bash-completion and of zsh's completion system.
COBRA = {
    "bash": """
compopt() { :; }
_get_comp_words_by_ref() { cur=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD; }
. "$1"
read -ra COMP_WORDS <<<"$2"
[[ $2 != *\\  ]] || COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$2 COMP_POINT=${#2} COMP_TYPE=9
__start_etcdctl
printf '%s\\n' "${COMPREPLY[@]}"
""",
    "zsh": """
compdef() { :; }
_describe() { print -l -- ${(M)completions:#$words[CURRENT]*}; return 0 }
. "$1"
words=("${(@s: :)2}") CURRENT=$#words
_etcdctl
""",
    "fish": "source $argv[1]; complete --do-complete $argv[2]",
}
FISH = "source $argv[1]; complete --do-complete $argv[2]"


@pytest.fixture(scope="module")
def copied_from(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return unpack_programs(COPIED_FROM, tmp_path_factory.mktemp(COPIED_FROM))


@pytest.fixture(scope="module")
def path(copied_from: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with a real etcd, and an etcd-ha that has a help and no more."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "etcd").symlink_to(copied_from["etcd"])
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
def test_the_copy_is_what_a_program_prints(copied_from: dict[str, Path], name: str, shell: str) -> None:
    copy = SHIPPED / shell / FILE_NAMES[shell].format(name)
    assert copy.read_text(encoding="utf-8") == run([copied_from[name], "completion", shell]).stdout


@pytest.mark.parametrize("version", ["3.5.1", *releases.NEWEST.values()])
def test_the_copy_and_what_each_real_program_prints_complete_it(tmp_path: Path, version: str) -> None:
    programs = unpack_programs(version, tmp_path)
    environment = {"PATH": f"{programs['etcdctl'].parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    for shell, pattern in FILE_NAMES.items():
        own = tmp_path / shell
        printed = run([programs["etcdctl"], "completion", shell], check=False)
        own.write_text(printed.stdout)
        scripts = [SHIPPED / shell / pattern.format("etcdctl"), *([own] if not printed.returncode else [])]
        assert len(scripts) == (1 if version.startswith("3.5.") else 2)
        for script in scripts:
            for line, wanted in (
                ("etcdctl mem", {"member"}),
                ("etcdctl member ", {"add", "list", "promote", "remove", "update"}),
                ("etcdctl endpoint health --clu", {"--cluster"}),
            ):
                name = [] if shell == "fish" else [shell]
                shown = run(
                    [shell, "-c", COBRA[shell], *name, script, line], env=environment, cwd=tmp_path
                ).stdout
                assert {re.split(r"[\t: ]", found)[0] for found in shown.splitlines()} == wanted, shown


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
