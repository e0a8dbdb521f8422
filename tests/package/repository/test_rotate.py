"""A repository changes its key, and nodes follow with their updates and upgrades alone."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.repository.check import check
from builder.repository.state.layout import open_repository
from builder.system.progress import Progress
from tests.package.repository.test_apt_refuses import PLACE
from tests.package.repository.test_kills import CALLS, KILLED, SAMPLE
from tests.support.archives.apt_client import AptClient
from tests.support.archives.publisher import SUITE, Publisher, signing_home
from tests.support.machines.chroot import Chroot, chroot
from tests.support.sample import sampled

SOURCES = "etc/apt/sources.list.d/etcd-ha.sources"
APT = ("apt-get", "-y", "-o", "APT::Update::Error-Mode=any", "-o", "APT::Sandbox::User=root")
KEYRING = "etcd-ha-archive-keyring"


class Node:
    """apt of one Debian, which was set up once; what it reads is the repository of the moment."""

    def __init__(self, debian: Chroot, publisher: Publisher) -> None:
        self.debian = debian
        self.publisher = publisher
        for path in (debian.root / "etc/apt").glob("sources.list*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.see()
        sources = publisher.sources.replace(publisher.repository.as_uri(), f"file://{PLACE}")
        (debian.root / SOURCES).parent.mkdir(parents=True, exist_ok=True)
        (debian.root / SOURCES).write_text(sources)

    def see(self) -> None:
        """The repository as it is now."""
        there = self.debian.root / PLACE.lstrip("/")
        shutil.rmtree(there, ignore_errors=True)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(self.publisher.repository, there, symlinks=True)

    def follow(self) -> str:
        """apt update, apt upgrade; the version of etcd-ha after them."""
        self.see()
        self.debian.run(*APT, "update")
        self.debian.run(*APT, "upgrade")
        return self.version("etcd-ha")

    def version(self, package: str) -> str:
        return self.debian.run("dpkg-query", "-W", "-f", "${Version}", package).stdout


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Publisher]:
    """A repository whose keys no other test has."""
    with signing_home() as home:
        publisher = Publisher(tmp_path, home)
        assert publisher.init().status == 0
        yield publisher


def begin(publisher: Publisher) -> None:
    done = publisher.repo("rotate-key", "--new-key")
    assert done.status == 0, done.err
    assert len(re.findall("^signs   [0-9A-F]{40}$", done.out, re.MULTILINE)) == 2


def finish(publisher: Publisher) -> None:
    done = publisher.repo("rotate-key", "--finish")
    assert done.status == 0, done.err
    assert len(re.findall("^signs   ", done.out, re.MULTILINE)) == 1
    assert "retired " in done.out


def release(publisher: Publisher, version: str) -> None:
    assert publisher.publish(publisher.deb(version)).status == 0
    assert publisher.problems() == []


@pytest.mark.parametrize("debian", sampled(["bookworm", "trixie", "forky"], "trixie"))
def test_nodes_follow_through_rotations_by_update_and_upgrade(own: Publisher, debian: str) -> None:
    release(own, "3.6.1-1")
    with chroot(debian) as root:
        node = Node(root, own)
        root.run(*APT, "update")
        root.run(*APT, "install", "etcd-ha", KEYRING)
        assert f"Signed-By: /usr/share/keyrings/{KEYRING}.gpg\n" in (root.root / SOURCES).read_text()
        patch = 1
        for _ in range(2):
            for step in (begin, finish):
                step(own)
                patch += 1
                release(own, f"3.6.{patch}-1")
                assert node.follow() == f"3.6.{patch}-1"
        assert node.version(KEYRING) == "5"


def test_node_made_during_the_change_follows_to_its_end(
    own: Publisher, apt: AptClient, tmp_path: Path
) -> None:
    release(own, "3.6.1-1")
    apt.use(own.sources)
    begin(own)
    release(own, "3.6.2-1")
    fresh = AptClient(tmp_path / "fresh")
    fresh.use(own.sources)
    for client in (apt, fresh):
        client.update()
        assert client.versions() == {"3.6.1-1", "3.6.2-1"}
    finish(own)
    release(own, "3.6.3-1")
    fresh.update()
    assert "3.6.3-1" in fresh.versions()
    refused = apt.update(check=False)
    assert refused.returncode != 0, "it has seen the new key nowhere"


def test_steps_that_make_no_sense_are_refused_with_the_one_that_does(own: Publisher) -> None:
    nothing = own.repo("rotate-key", "--finish")
    assert nothing.status == 2
    assert f"hint: etcd-deb repo rotate-key {own.repository} --new-key" in nothing.err
    for words in ([], ["--new-key", "--finish"]):
        assert own.repo("rotate-key", *words).status == 2
    same = own.repo("rotate-key", "--key", "archive signing")
    assert (same.status, "can't change the key of" in same.err) == (2, True)
    begin(own)
    before = (own.repository / ".etcd-deb/repository.json").read_text()
    begin(own)
    assert (own.repository / ".etcd-deb/repository.json").read_text() == before, "it goes on with its key"
    assert own.problems() == []


def test_rollback_over_a_change_of_keys_lists_the_keys_of_today(own: Publisher, apt: AptClient) -> None:
    release(own, "3.6.1-1")
    begin(own)
    finish(own)
    generation = (own.repository / "dists" / SUITE).resolve().name
    assert own.repo("rollback", SUITE, "--generation", str(int(generation) - 2)).status == 0
    assert own.problems() == []
    apt.use(own.sources)
    apt.update()
    listed = apt.apt("apt-cache", "madison", KEYRING).stdout
    assert re.search(rf"{KEYRING} \| +3 \|", listed), listed


@pytest.mark.parametrize("step", sampled(["--new-key", "--finish"], "--finish"))
def test_change_that_is_killed_at_any_step_is_run_again(own: Publisher, apt: AptClient, step: str) -> None:
    assert own.init(suites=["testing"]).status == 0
    release(own, "3.6.1-1")
    if step == "--finish":
        begin(own)
    apt.use(own.sources)
    kept = own.folder / "kept"
    own.repository.rename(kept)
    words = ("repo", "rotate-key", own.repository, step)
    log = own.folder / "calls"
    own.restore(kept)
    counted = ("strace", "-f", "-b", "execve", "-o", str(log), "-e", f"trace={','.join(CALLS)}")
    assert own.run(*words, under=counted).status == 0
    made = re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.MULTILINE)
    steps = [(call, number) for call in CALLS for number in range(1, made.count(call) + 1)]
    for call, number in sorted(random.sample(steps, SAMPLE)):
        what = f"killed at {call} {number}"
        own.restore(kept)
        under = (
            "strace",
            "-f",
            "-b",
            "execve",
            "-o",
            str(log),
            "-e",
            f"inject={call}:signal=SIGKILL:when={number}",
        )
        own.run(*words, under=under)
        client = AptClient(own.folder / what)
        client.use((kept / f"{SUITE}.sources").read_text())
        client.update()
        assert client.versions() == {"3.6.1-1"}, what
        again = own.run(*words)
        # The end may have been reached before the kill.
        assert again.status == 0 or (step == "--finish" and "no key change to finish" in again.err), what
        assert [
            line for line in check(open_repository(own.repository), Progress()) if KILLED not in line
        ] == [], what
        assert own.publish(own.deb("3.6.2-1")).status == 0, what
        assert own.problems() == [], what
