"""What `repo verify` finds: each thing that a client, a person or the next publisher would stumble over."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.archives.publisher import SUITE, Publisher, signing_home
from tests.support.command import run
from tests.support.sample import sampled

DEB = "pool/3.6/etcd-ha_3.6.7-1_amd64.deb"
# The command in a fault: everything after the last ": ".
_MENDED_BY = re.compile(r": ((?:etcd-deb|ln|rm|chmod|chown) .*?)$")


def folder_instead_of_link(root: Path) -> None:
    link = root / "dists" / SUITE
    seen = link.resolve()
    link.unlink()
    shutil.copytree(seen, link)


def another_key(root: Path) -> None:
    with signing_home() as home:
        gpg = ["gpg", "--homedir", str(home), "--batch", "--passphrase", ""]
        run([*gpg, "--quick-generate-key", "another", "ed25519", "sign", "never"])
        key = subprocess.run([*gpg, "--armor", "--export"], capture_output=True, check=True).stdout
    (root / "etcd-ha-archive-keyring.asc").write_bytes(key)


def evil_sources(root: Path) -> None:
    file = root / f"{SUITE}.sources"
    file.write_text(re.sub("^URIs: .*$", "URIs: http://evil", file.read_text(), flags=re.MULTILINE))


def evil_page(root: Path) -> None:
    file = root / "index.html"
    file.write_text(re.sub("^URIs: .*$", "URIs: http://evil", file.read_text(), flags=re.MULTILINE))


def index_link_elsewhere(root: Path) -> None:
    link = root / f"dists/{SUITE}/3.6/binary-amd64/by-hash"
    link.unlink()
    link.symlink_to("/tmp")  # noqa: S108


DAMAGES: list[tuple[Callable[[Path], object], str]] = [
    (lambda root: (root / "dists" / SUITE).unlink(), rf"dists/{SUITE} is missing"),
    (folder_instead_of_link, rf"dists/{SUITE} is missing"),
    (
        lambda root: (root / f"dists/{SUITE}/3.6/binary-amd64/by-hash").unlink(),
        "3.6/binary-amd64/by-hash is missing",
    ),
    (index_link_elsewhere, "3.6/binary-amd64/by-hash is missing or points elsewhere"),
    (another_key, r"etcd-ha-archive-keyring.asc and etcd-ha-archive-keyring.gpg have different keys"),
    (lambda root: (root / "etcd-ha-archive-keyring.asc").write_bytes(b"\xff"), "has no key"),
    (lambda root: (root / "etcd-ha-archive-keyring.asc").unlink(), "keyring.asc is missing"),
    (lambda root: (root / "etcd-ha-archive-keyring.gpg").unlink(), "keyring.gpg is missing"),
    (evil_sources, rf"{SUITE}.sources is not what"),
    (lambda root: (root / f"{SUITE}.sources").write_bytes(b"\xff\xfe"), rf"{SUITE}.sources is not what"),
    (lambda root: (root / f"{SUITE}.sources").unlink(), rf"{SUITE}.sources is missing"),
    (evil_page, "index.html is not what"),
    (lambda root: (root / "index.html").unlink(), "index.html is missing"),
    (lambda root: (root / DEB).chmod(0o600), rf"can't read {DEB}"),
    (lambda root: (root / "pool/3.6").chmod(0o700), "can't read pool/3.6"),
    (lambda root: (root / "index.html").chmod(0o600), "can't read index.html"),
    (lambda root: os.chown(root / "index.html", 12345, 12345), "index.html belongs to 12345"),
    (lambda root: os.chown(root / ".etcd-deb/lock", 12345, 12345), ".etcd-deb/lock belongs to 12345"),
    (
        lambda root: (root / "pool/3.6/other_1_all.deb").touch(),
        "pool/3.6/other_1_all.deb was not written by this repository",
    ),
    (lambda root: (root / "pool/.htaccess").touch(), "pool/.htaccess was not written by this repository"),
    (lambda root: (root / "by-hash/SHA256/x").touch(), "by-hash/SHA256/x was not written by this repository"),
    (lambda root: (root / f"by-hash/SHA256/{'1' * 64}").touch(), "is an unused index"),
]


@pytest.fixture
def whole(publisher: Publisher) -> Publisher:
    assert publisher.publish(publisher.deb("3.6.7-1")).status == 0
    assert publisher.problems() == []
    return publisher


@pytest.mark.parametrize(
    ("damage", "found"), sampled(DAMAGES, *DAMAGES[::3]), ids=[found for _, found in DAMAGES]
)
def test_damage_is_found_and_mended_by_the_command_given(
    whole: Publisher, damage: Callable[[Path], object], found: str
) -> None:
    damage(whole.repository)
    problems = whole.problems()
    assert whole.repo("verify").status == 3
    (problem,) = (line for line in problems if re.search(found, line))
    command = _MENDED_BY.search(problem)
    assert command, problem
    words = command[1].replace(" DIR", f" {whole.repository}")
    if (whole.repository / "dists" / SUITE).is_dir() and not (
        whole.repository / "dists" / SUITE
    ).is_symlink():
        shutil.rmtree(whole.repository / "dists" / SUITE)
    environment = whole.account.environment()
    environment["PATH"] = f"{whole.account.program.parent}:{environment['PATH']}"
    run(["sh", "-c", words], env=environment)
    assert whole.problems() == []
    assert whole.publish(whole.deb("3.6.8-1")).status == 0


@pytest.mark.parametrize(
    "leads", ["nowhere", f"{SUITE}", "../generations/trixie/77", "../generations/trixie/x"]
)
def test_suite_that_leads_nowhere_is_said_by_every_command_without_a_change(
    whole: Publisher, leads: str
) -> None:
    link = whole.repository / "dists" / SUITE
    right = link.readlink()
    link.unlink()
    link.symlink_to(leads)
    assert any("points to nothing" in problem for problem in whole.problems())
    for words in (
        whole.publish_words(whole.deb("3.6.8-1")),
        ["repo", "list", whole.repository],
        ["repo", "resign", whole.repository],
        ["repo", "init", whole.repository, "--suite", SUITE],
    ):
        result = whole.run(*words)
        assert result.status == 1, words
        assert "points to nothing" in result.err, result.err
    link.unlink()
    link.symlink_to(right)
    assert whole.problems() == []
    assert whole.publish(whole.deb("3.6.8-1")).status == 0


@pytest.mark.parametrize("name", ["InRelease", "Release"])
def test_file_that_is_no_text_is_told_as_damaged(whole: Publisher, name: str) -> None:
    (whole.repository / "dists" / SUITE / name).write_bytes(b"\xff\xfe\n\n")
    result = whole.repo("verify")
    assert (result.status, result.err.count("Traceback")) == (3, 0), result.err
    assert name in result.out


def test_lost_link_of_a_suite_is_not_made_anew_over_what_was_published(whole: Publisher) -> None:
    link = whole.repository / "dists" / SUITE
    before = link.resolve()
    link.unlink()
    (whole.repository / ".etcd-deb/unfinished").touch()
    result = whole.init()
    assert result.status == 1
    (command,) = re.findall("hint: to restore it: (ln .*)", result.err)
    assert before.is_dir()
    run(command.split())
    assert whole.versions() == {"3.6.7-1"}
    assert whole.publish(whole.deb("3.6.8-1")).status == 0
    assert whole.problems() == []


@pytest.mark.parametrize(
    "name", [f".{SUITE}.sources.npj8_td6", ".index.html.npj8_td6", "by-hash/SHA256/." + "0" * 64]
)
def test_a_file_that_a_killed_publisher_had_begun_is_no_fault_and_that_of_a_stranger_is(
    whole: Publisher, name: str
) -> None:
    left = whole.repository / name
    left.touch(mode=0o600)
    assert f"a web server can't read {name}: chmod 644 {left}" in whole.problems()
    (whole.repository / ".etcd-deb/unfinished").touch()
    assert whole.problems() == []
    assert whole.publish(whole.deb("3.6.8-1")).status == 0
    assert not left.exists()
    assert whole.problems() == []


def test_the_link_that_a_killed_publisher_left_is_no_fault_and_that_of_a_stranger_is(
    whole: Publisher,
) -> None:
    left = whole.repository / "dists" / f".{SUITE}"
    left.symlink_to(f"../generations/{SUITE}/7")
    assert whole.problems() == [f"dists/.{SUITE} is not a suite of this repository"]
    (whole.repository / ".etcd-deb/unfinished").touch()
    assert whole.problems() == []
    assert whole.publish(whole.deb("3.6.8-1")).status == 0
    assert not left.is_symlink()
    assert whole.problems() == []
