"""Keys that a client refuses, now or soon, are told of at init, publish and verify, each with its way out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.archives.publisher import SUITE, Publisher, signing_home
from tests.support.command import run


@pytest.fixture
def home() -> Iterator[Path]:
    with signing_home() as folder:
        yield folder


def gpg(home: Path, *words: str, passphrase: str = "") -> None:
    run(
        [
            "gpg",
            "--homedir",
            str(home),
            "--batch",
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            passphrase,
            *words,
        ]
    )


def make(home: Path, kind: str, usage: str, ends: str, *options: str, passphrase: str = "") -> None:
    gpg(home, *options, "--quick-generate-key", "archive", kind, usage, ends, passphrase=passphrase)


def init(publisher: Publisher) -> list[str]:
    home = ("--gnupg-home", str(publisher.gnupg_home))
    return ["repo", "init", str(publisher.repository), *home, "--key", "archive", "--suite", SUITE]


@pytest.mark.parametrize(
    ("kind", "usage", "options", "said", "way_out"),
    [
        ("rsa1024", "sign", (), "is RSA of 1024 bits, which apt of Debian 13 refuses", "--new-key"),
        ("dsa1024", "sign", (), "is DSA of 1024 bits, which apt of Debian 13 refuses", "--new-key"),
        (
            "ed25519",
            "sign",
            ("--cert-digest-algo", "SHA1"),
            "is bound by a signature with SHA-1",
            "--new-key",
        ),
        ("ed25519", "cert", (), "may certify but not sign", "gpg --quick-add-key"),
    ],
)
def test_key_that_clients_refuse_makes_no_repository(
    tmp_path: Path, home: Path, kind: str, usage: str, options: tuple[str, ...], said: str, way_out: str
) -> None:
    make(home, kind, usage, "never", *options)
    publisher = Publisher(tmp_path, home)
    result = publisher.run(*init(publisher))
    assert result.status == 1
    assert said in result.err
    assert re.search(f"^hint: .*{way_out}", result.err, re.MULTILINE), result.err
    assert not publisher.repository.exists()


def test_signing_key_is_added_by_the_command_given(tmp_path: Path, home: Path) -> None:
    make(home, "ed25519", "cert", "never")
    publisher = Publisher(tmp_path, home)
    (command,) = re.findall("^hint: gpg (.*)$", publisher.run(*init(publisher)).err, re.MULTILINE)
    gpg(home, *command.split())
    assert publisher.run(*init(publisher)).status == 0
    assert publisher.problems() == []


def test_key_with_a_passphrase_is_said_before_anything_is_made(tmp_path: Path, home: Path) -> None:
    make(home, "ed25519", "sign", "never", passphrase="secret")  # noqa: S106
    run(["gpgconf", "--homedir", home, "--kill", "all"])
    publisher = Publisher(tmp_path, home)
    result = publisher.run(*init(publisher))
    assert result.status == 1
    assert "hint: the key has a passphrase" in result.err, result.err
    assert not publisher.repository.exists()


def test_key_that_is_about_to_expire_is_told_at_every_publication(tmp_path: Path, home: Path) -> None:
    make(home, "ed25519", "sign", "20d")
    publisher = Publisher(tmp_path, home)
    assert publisher.run(*init(publisher)).status == 0
    done = publisher.publish(publisher.deb("3.6.7-1"))
    assert done.status == 0
    assert re.search("the key [0-9A-F]{40} expires on .*: etcd-deb repo rotate-key", done.err), done.err
    (problem,) = publisher.problems()
    assert "expires on" in problem


def test_expired_key_signs_nothing_and_is_said_with_the_way_out(tmp_path: Path, home: Path) -> None:
    make(home, "ed25519", "sign", "40d")
    publisher = Publisher(tmp_path, home)
    assert publisher.run(*init(publisher)).status == 0
    later = ("faketime", "-f", "+41d")
    done = publisher.run(*publisher.publish_words(publisher.deb("3.6.7-1")), under=later)
    assert done.status == 1
    assert re.search("^hint: gpg --quick-set-expire", done.err, re.MULTILINE), done.err
    found = json.loads(publisher.run("repo", "verify", publisher.repository, "--json", under=later).out)
    (problem,) = (line for line in found["problems"] if "expired on" in line)
    # The way out, as it is told; the clock of gpg and etcd-deb is still ahead.
    (extend,) = re.findall(": gpg (--quick-set-expire [0-9A-F]+ 2y)", problem)
    run([*later, "gpg", "--homedir", str(home), "--batch", *extend.split()])
    for words in (["repo", "init"], ["repo", "resign"]):
        assert publisher.run(*words, publisher.repository, under=later).status == 0
    found = json.loads(publisher.run("repo", "verify", publisher.repository, "--json", under=later).out)
    assert found["problems"] == []


def test_weak_key_of_a_living_repository_is_told_and_does_not_stop_it(tmp_path: Path, home: Path) -> None:
    make(home, "ed25519", "sign", "never")
    publisher = Publisher(tmp_path, home)
    assert publisher.run(*init(publisher)).status == 0
    # As one that was made before anybody asked.
    make(home, "rsa1024", "sign", "never", "--yes")
    settings = publisher.repository / ".etcd-deb/repository.json"
    listed = run(["gpg", "--homedir", home, "--with-colons", "--list-keys"]).stdout
    weak = re.findall("^fpr:+([0-9A-F]+):", listed, re.MULTILINE)[-1]
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"key": weak}))
    assert publisher.repo("init").status == 0
    done = publisher.publish(publisher.deb("3.6.7-1"))
    assert done.status == 0
    assert "is RSA of 1024 bits" in done.err
    assert any("is RSA of 1024 bits" in problem for problem in publisher.problems())
