"""What the checkout as a whole keeps to: short files, a short README, nothing of one machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.unit.checkout.files import ROOT, files, python_files, shell_scripts

PYTHON_LINES, SHELL_LINES, README_LINES = 300, 150, 150
# These hold the chapters that they alone need, and may have as many lines as a module. The list may shrink.
LONG_SHELL = {
    Path("debian-template", name)
    for name in (
        *("etcd-ha.config", "etcd-ha.postinst", "etcd-ha.preinst"),
        *(f"node/commands/{name}" for name in ("config", "migrate", "preflight", "status")),
        *(f"node/lib/{name}.sh" for name in ("answers", "bbolt", "certificates", "cluster-view")),
        *(f"node/lib/{name}.sh" for name in ("setup", "takeover")),
    )
}
# Hosts that the product itself talks to, whatever the machine's settings say.
OURS = {"github.com", "storage.googleapis.com", "localhost"}


def lines(path: Path) -> int:
    return files()[path].count(b"\n")


@pytest.mark.parametrize(
    ("paths", "limit"),
    [
        (python_files(), PYTHON_LINES),
        ([path for path in shell_scripts() if path not in LONG_SHELL], SHELL_LINES),
        ([path for path in shell_scripts() if path in LONG_SHELL], PYTHON_LINES),
    ],
    ids=["python", "shell", "long shell"],
)
def test_no_file_is_over_its_limit(paths: list[Path], limit: int) -> None:
    assert paths
    assert {str(path): lines(path) for path in paths if lines(path) > limit} == {}


def test_script_that_may_be_long_is() -> None:
    assert {path for path in shell_scripts() if lines(path) > SHELL_LINES} == LONG_SHELL


def test_the_readme_is_short() -> None:
    assert 0 < lines(Path("README.md")) < README_LINES


def printed(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def hosts(text: str) -> set[str]:
    """The hosts of the URLs in a text."""
    found = {urlsplit(url).hostname for url in re.findall(r"\b(?:https?|ftp)://[^\s'\"]+", text)}
    return {host for host in found if host} - OURS


def registry_hosts() -> set[str]:
    """Where apt and pip of this machine get packages, straight and by a proxy."""
    apt = printed("apt-get", "indextargets", "--format", "$(REPO_URI)")
    proxies = "\n".join(
        line for line in printed("apt-config", "dump").splitlines() if "proxy" in line.lower()
    )
    pip = printed(sys.executable, "-m", "pip", "config", "list")
    variables = "\n".join(
        value
        for name, value in os.environ.items()
        if name.lower().endswith("_proxy") or name.startswith("PIP_")
    )
    return hosts("\n".join((apt, proxies, pip, variables)))


def test_no_registry_of_this_machine_is_named_in_any_file() -> None:
    wanted = registry_hosts()
    assert wanted, "apt of this machine has no source at all"
    assert [
        (str(path), host) for path, content in files().items() for host in wanted if host.encode() in content
    ] == []


def test_no_file_names_the_folder_of_this_checkout() -> None:
    found = re.compile(rb"(?<![\w/.-])" + re.escape(str(ROOT)).encode() + rb"(?![\w-])")
    assert [str(path) for path, content in files().items() if found.search(content)] == []


def test_no_file_is_a_leftover() -> None:
    leftover = re.compile(r"(~|\.orig|\.rej|\.bak|\.swp|\.pyc|\.deb|\.tar\.gz)$")
    assert [str(path) for path in files() if leftover.search(path.name)] == []


def test_no_conflict_is_left_in_any_file() -> None:
    mark = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)
    assert [str(path) for path, content in files().items() if mark.search(content)] == []


def test_commands_import_what_lies_in_this_checkout(tmp_path: Path) -> None:
    places = subprocess.run(
        [sys.executable, "-P", "-c", "import builder, etcd_ha; print(builder.__file__, etcd_ha.__file__)"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert places == [
        str(ROOT / "builder/__init__.py"),
        str(ROOT / "debian-template/node/etcd_ha/__init__.py"),
    ]
