"""A package names the Debian release that made it, and what of that release its bytes depend on."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from builder.deb.repack import COMPRESSORS
from builder.package.toolchain import Toolchain, is_here, other_versions, parse_toolchain
from builder.settings import COMPRESSIONS
from tests.package.deb import Deb
from tests.support.account import Account
from tests.support.command import run
from tests.support.releases.fake_release import VERSION, good_tarball, publish, tarball_name
from tests.support.sample import sampled

TOOLCHAIN = "usr/share/doc/etcd-ha/toolchain"
REFERENCE = Path(__file__).resolve().parents[3] / "docs/reference/package.md"
# What else runs: shells, copying, sorting, converting to UTF-8, asking for a file's kind or a machine's name.
MAKE_NOTHING = {
    *(
        "bash",
        "coreutils",
        "dash",
        "file",
        "findutils",
        "libc-bin",
        "libc-dev-bin",
        "make",
        "perl-base",
        "sed",
    ),
}
# Asked by dpkg-architecture for the machine's name, where it is installed.
ASKED = re.compile(r"(gcc|cpp)(-[0-9]+)?")


def toolchain_of(deb: Deb) -> tuple[str, Toolchain]:
    text = deb.contents()[TOOLCHAIN].decode()
    return text, parse_toolchain(text)


def test_it_names_this_release_and_the_versions_that_dpkg_knows(static_deb: Deb) -> None:
    text, found = toolchain_of(static_deb)
    here = platform.freedesktop_os_release()
    assert str(found) == f"{here['ID']} {here['VERSION_CODENAME']}"
    lines = [
        run(["dpkg-query", "-W", "-f=${Package} ${source:Version}", package]).stdout
        for package in found.versions
    ]
    assert text.splitlines() == [str(found), *sorted(lines)]
    assert is_here(found)


def test_the_reference_lists_the_same_packages(static_deb: Deb) -> None:
    _, found = toolchain_of(static_deb)
    said = re.search(
        r"The file `toolchain` in /usr/share/doc/etcd-ha names .*? one package per line: (.*?), each",
        REFERENCE.read_text(),
        re.DOTALL,
    )
    assert said
    assert re.split(r",\s+", said[1]) == list(found.versions)


@pytest.mark.parametrize("compression", sampled(COMPRESSIONS, "xz"))
def test_every_program_that_makes_bytes_of_a_package_is_of_a_package_that_it_names(
    tmp_path: Path, compression: str
) -> None:
    source = publish(tmp_path / "releases", {"amd64": good_tarball()})
    account = Account(tmp_path / "account")
    account.trusts(source / f"v{VERSION}" / tarball_name())
    log = tmp_path / "programs"
    traced = [
        "strace",
        "-f",
        "-qq",
        "--seccomp-bpf",
        "-e",
        "trace=execve",
        "-e",
        "status=successful",
        "-o",
        str(log),
    ]
    words = account.build_words(VERSION, source, "--arch", "amd64", "--compression", compression)
    result = account.run(*words, under=traced)
    assert result.status == 0, result.err
    _, found = toolchain_of(Deb(account.output / f"etcd-ha_{VERSION}-1_amd64.deb"))
    packages = owners(set(re.findall(r'execve\("(/(?:usr/|s?bin/)[^"]*)"', log.read_text())))
    assert COMPRESSORS[compression].program[1] in packages, "the trace has the whole build"
    others = {name for name in packages - found.versions.keys() - MAKE_NOTHING if not ASKED.fullmatch(name)}
    # The program zstd is of the same source as its library, which is named.
    assert others <= {"zstd"}


def owners(programs: Iterable[str]) -> set[str]:
    """The Debian packages that the programs are of; those that no package owns are not Debian's."""
    # dpkg knows them by either path of a merged /usr.
    paths = {path for program in programs for path in (program, program.removeprefix("/usr"))}
    done = subprocess.run(["dpkg", "-S", *sorted(paths)], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if not line.startswith("diversion by ")]
    return {package for line in lines for package in line.split(":")[0].split(", ")}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "debian bookworm\n",
        "debian\nxz-utils 1\n",
        "debian ../x\nxz-utils 1\n",
        "debian --help\nxz-utils 1\n",
        "debian bookworm\n--admindir=/x 1\n",
        "debian bookworm\nxz-utils 1; evil\n",
        "debian bookworm\nxz-utils 1\nxz-utils 2\n",
    ],
)
def test_what_no_build_writes_is_no_toolchain(text: str) -> None:
    with pytest.raises(ValueError, match="line"):
        parse_toolchain(text)


def test_other_versions_are_told_by_package() -> None:
    wanted = parse_toolchain("debian trixie\ngzip 1.13-1\nxz-utils 5.8.1-1\n")
    got = parse_toolchain("debian trixie\ngzip 1.13-1\nxz-utils 5.8.1-2\n")
    assert other_versions(wanted, got) == ("xz-utils 5.8.1-1, and debian trixie has 5.8.1-2",)
    assert not is_here(wanted)
