"""Lintian of Debian 12 and 13 finds nothing; what it would find is overridden with a reason."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.package.conftest import DYNAMIC, STATIC
from tests.package.deb import Deb
from tests.support.command import run
from tests.support.machines.chroot import chroot
from tests.support.sample import sampled
from tests.support.upload import Upload

SUITES = ("bookworm", "trixie")
LINTIAN = ("lintian", "-EvIL", "+pedantic")
# What it prints besides tags: of itself, and of what is overridden.
CHATTER = re.compile(r"N: |running with root privileges is not recommended!$")
ENDED_WELL = (0, 2)
OVERRIDES = "usr/share/lintian/overrides/etcd-ha"

# Takes files that belong together, the one to check first; gives the lines with tags.
Check = Callable[[Sequence[Path]], list[str]]


@contextmanager
def lintian_of(suite: str) -> Iterator[Check]:
    """A suite's lintian: the one of this machine, or one in a root of that suite."""
    if platform.freedesktop_os_release().get("VERSION_CODENAME") == suite:
        yield lambda files: tags(run([*LINTIAN, files[0]], check=False, within=300))
        return
    with chroot(suite, "lintian") as root:

        def check(files: Sequence[Path]) -> list[str]:
            for file in files:
                root.put(file, f"/upload/{file.name}")
            return tags(root.run(*LINTIAN, f"/upload/{files[0].name}", check=False, within=300))

        yield check


def tags(result: CompletedProcess[str]) -> list[str]:
    """Every line that is not known to be harmless, so that warnings of perl are among them."""
    assert result.returncode in ENDED_WELL, result.stdout
    return [line for line in result.stdout.splitlines() if not CHATTER.match(line)]


@pytest.fixture(scope="module", params=sampled(SUITES, "trixie"))
def suite(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def check(suite: str) -> Iterator[Check]:
    """The lintian of the suite."""
    with lintian_of(suite) as check:
        yield check


@pytest.fixture(params=sampled(["static", "dynamic", "foreign"], "static"))
def subject(request: pytest.FixtureRequest, upload: Callable[..., Upload]) -> Upload:
    """Upstream's own programs, Debian's dynamic ones, and what stands for upstream's on arm64."""
    if request.param == "foreign":
        foreign: Upload = request.getfixturevalue("foreign_upload")
        return foreign
    # Compressed as users do.
    return upload({"static": STATIC, "dynamic": DYNAMIC}[request.param], "xz")


def test_lintian_finds_nothing_in_the_changes(check: Check, subject: Upload) -> None:
    assert check([subject.changes, subject.deb, subject.buildinfo]) == []


@pytest.mark.soak
def test_lintian_finds_what_the_overrides_hide(check: Check, foreign_upload: Upload, tmp_path: Path) -> None:
    deb = Deb(foreign_upload.deb)
    bare = without_overrides(deb, tmp_path)
    found = {tag.split()[2] for tag in check([bare])}
    assert "statically-linked-binary" in found
    overrides = reasons_of(deb.contents()[OVERRIDES].decode())
    assert {line.split()[1] for line in overrides} <= found


def without_overrides(deb: Deb, folder: Path) -> Path:
    """The same package but for its lintian overrides."""
    tree = folder / "tree"
    run(["dpkg-deb", "--raw-extract", deb.path, tree])
    (tree / OVERRIDES).unlink()
    bare = folder / deb.path.name
    run(["dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "--build", tree, bare])
    return bare


def test_every_override_has_a_comment_that_says_why(deb: Deb) -> None:
    text = deb.contents()[OVERRIDES].decode()
    reasons = reasons_of(text)
    assert reasons, text
    assert {line: reason for line, reason in reasons.items() if len(reason.split()) < 5} == {}


def reasons_of(text: str) -> Mapping[str, str]:
    """Each override with the comment above it; overrides that follow each other share theirs."""
    found: dict[str, str] = {}
    reason, reading = "", False
    for line in text.splitlines():
        if line.startswith("#"):
            reason = f"{reason} {line[1:].strip()}" if reading else line[1:].strip()
            reading = True
        elif line.strip():
            found[line] = reason
            reading = False
        else:
            reason, reading = "", False
    return found
