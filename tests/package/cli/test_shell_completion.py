"""`etcd-deb completion SHELL`: what it prints completes in the shell itself."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.support.account import ETCD_DEB
from tests.support.command import run

COMPLETE = {
    "bash": """
compopt() { :; }
complete() { :; }
. "$1"
read -ra COMP_WORDS <<<"$2"
[[ $2 != *\\  ]] || COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_etcd_deb_completion etcd-deb
printf '%s\\n' "${COMPREPLY[@]}"
""",
    "zsh": """
compdef() { :; }
_describe() { print -l -- $completions_with_descriptions }
compadd() { print -l -- $completions }
_path_files() { :; }
. "$1"
words=("${(@s: :)2}") CURRENT=$#words
_etcd_deb_completion
""",
    "fish": "source $argv[1]; complete --do-complete $argv[2]",
}


@pytest.fixture
def suites(tmp_path: Path) -> Path:
    """A folder with the links of a repository's suites."""
    for suite in ("bookworm", "trixie", "trixie-testing"):
        (tmp_path / "generations" / suite / "1").mkdir(parents=True)
        (tmp_path / "dists").mkdir(exist_ok=True)
        (tmp_path / "dists" / suite).symlink_to(f"../generations/{suite}/1")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("etcd-deb pub", {"publish"}),
        ("etcd-deb repo ro", {"rollback", "rotate-key"}),
        ("etcd-deb -q repo sh", set()),
        ("etcd-deb build v3.6.7 --compression z", {"zstd"}),
        ("etcd-deb fetch --out", {"--output"}),
        ("etcd-deb completion ", {"bash", "zsh", "fish"}),
        ("etcd-deb repo list {} tri", {"trixie", "trixie-testing"}),
        ("etcd-deb repo rollback {} ", {"bookworm", "trixie", "trixie-testing"}),
        ("etcd-deb repo promote {} trixie-testing b", {"bookworm"}),
        ("etcd-deb publish --repo {} --suite boo", {"bookworm"}),
        ("etcd-deb sync --repo {} --suite tri", {"trixie", "trixie-testing"}),
        ("etcd-deb repo list /nonexistent ", set()),
    ],
)
@pytest.mark.parametrize("shell", sorted(COMPLETE))
def test_shell_offers(suites: Path, tmp_path: Path, shell: str, line: str, offered: set[str]) -> None:
    script = tmp_path / "script"
    script.write_text(run([ETCD_DEB, "completion", shell]).stdout)
    environment = {"PATH": f"{ETCD_DEB.parent}:{os.environ['PATH']}", "HOME": str(tmp_path), "TERM": "dumb"}
    name = [] if shell == "fish" else [shell]
    shown = run([shell, "-c", COMPLETE[shell], *name, script, line.format(suites)], env=environment).stdout
    assert {re.split(r"[\t:]", found)[0] for found in shown.splitlines() if found} == offered
