"""What apt of every Debian says to a repository that was tampered with, or that is held back."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.archives.publisher import Publisher, signing_home
from tests.support.archives.tiny_deb import spoil, spoil_gzip
from tests.support.command import run
from tests.support.machines.chroot import Chroot, chroot
from tests.support.sample import sampled

PLACE = "/srv/apt"
KEYRING = "/etc/apt/keyrings/known.gpg"
TWO_WEEKS_AGO = ("faketime", "-f", "-14d")
UPDATE = ("apt-get", "-o", "APT::Update::Error-Mode=any", "-o", "APT::Sandbox::User=root", "update")


@pytest.fixture(scope="module", params=sampled(["bookworm", "trixie", "forky"], "trixie"))
def debian(request: pytest.FixtureRequest) -> Iterator[Chroot]:
    """apt of one Debian, with the repository in its own file system."""
    with chroot(request.param) as root:
        for path in (root.root / "etc/apt").glob("sources.list*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        (root.root / "etc/apt/sources.list.d").mkdir(parents=True)
        yield root


class Client:
    """apt in a chroot, looking at a copy of a repository."""

    def __init__(self, debian: Chroot) -> None:
        self.debian = debian
        self.repository = debian.root / PLACE.lstrip("/")
        self.sources = debian.root / "etc/apt/sources.list.d/etcd-ha.sources"

    def copy(self, publisher: Publisher) -> None:
        shutil.rmtree(self.repository, ignore_errors=True)
        self.repository.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(publisher.repository, self.repository, symlinks=True)
        self.sources.write_text(publisher.sources.replace(publisher.repository.as_uri(), f"file://{PLACE}"))

    def trust(self, keyring: Path) -> None:
        """Only the keys of this file, in place of those that the repository gave."""
        there = self.debian.root / KEYRING.lstrip("/")
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(keyring, there)
        named, count = re.subn(r"Signed-By:\n( .*\n)+", f"Signed-By: {KEYRING}\n", self.sources.read_text())
        assert count == 1, named
        self.sources.write_text(named)

    def forget(self) -> None:
        """A client that has never seen the repository."""
        lists = self.debian.root / "var/lib/apt/lists"
        for path in lists.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def update(self) -> subprocess.CompletedProcess[str]:
        return self.debian.run(*UPDATE, check=False)

    def download(self) -> subprocess.CompletedProcess[str]:
        return self.debian.run("sh", "-c", 'cd "$(mktemp -d)" && apt-get download etcd-ha', check=False)


@pytest.fixture
def client(debian: Chroot, publisher: Publisher) -> Client:
    """A client that has not updated yet, of a repository with one package."""
    publisher.publish(publisher.deb("3.6.7-1"))
    client = Client(debian)
    client.copy(publisher)
    client.forget()
    return client


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def spoil_package(repository: Path) -> None:
    spoil(only(repository, "pool/*/*.deb"))


def spoil_index(repository: Path) -> None:
    target = (repository / "dists/trixie/3.6/binary-amd64/Packages.gz").read_bytes()
    # The hard links of the copy are files of their own.
    for path in (repository / "by-hash/SHA256").iterdir():
        if path.read_bytes() == target:
            spoil_gzip(path)
    spoil_gzip(repository / "dists/trixie/3.6/binary-amd64/Packages.gz")
    (repository / "dists/trixie/3.6/binary-amd64/Packages").unlink()


def spoil_release(repository: Path) -> None:
    inline = repository / "dists/trixie/InRelease"
    inline.write_text(inline.read_text().replace("Origin: etcd-ha", "Origin: etcd-hb"))


def test_untouched_repository_is_taken(client: Client) -> None:
    assert client.update().returncode == 0
    assert client.download().returncode == 0


def test_changed_package_is_refused(client: Client) -> None:
    spoil_package(client.repository)
    assert client.update().returncode == 0
    refused = client.download()
    assert refused.returncode != 0
    assert "Hash Sum mismatch" in refused.stdout, refused.stdout


@pytest.mark.parametrize(
    ("spoil_it", "said"),
    [(spoil_index, "Hash Sum mismatch"), (spoil_release, "BADSIG|has been manipulated")],
)
def test_changed_index_or_release_is_refused(
    client: Client, spoil_it: Callable[[Path], None], said: str
) -> None:
    spoil_it(client.repository)
    refused = client.update()
    assert refused.returncode != 0
    assert any(text in refused.stdout for text in said.split("|")), refused.stdout


def test_expired_key_is_refused(client: Client, tmp_path: Path) -> None:
    with signing_home() as home:
        publisher = Publisher(tmp_path / "expiring", home)
        gpg = ["gpg", "--homedir", str(home), "--batch", "--passphrase", ""]
        run([*TWO_WEEKS_AGO, *gpg, "--quick-generate-key", "archive signing", "ed25519", "sign", "1d"])
        as_it_was = tmp_path / "as-it-was.gpg"
        run([*gpg, "--output", str(as_it_was), "--export", "archive signing"])
        # sqv, apt's verifier since Debian 13, takes what a key signed while it lived; so the key lives on
        # with its owner, and the client has it as it was.
        listed = run([*gpg, "--with-colons", "--list-secret-keys"]).stdout
        (key,) = re.findall(r"^fpr:+(\w+):", listed, re.MULTILINE)
        run([*gpg, "--quick-set-expire", key, "1y"])
        publisher.must(*publisher.init_words("--key", "archive signing"))
        publisher.must(*publisher.publish_words(publisher.deb("3.6.7-1")))
    client.copy(publisher)
    taken = client.update()
    assert taken.returncode == 0, taken.stdout
    client.trust(as_it_was)
    client.forget()
    refused = client.update()
    assert refused.returncode != 0, refused.stdout
    assert "xpired" in refused.stdout or "EXPKEYSIG" in refused.stdout, refused.stdout


def test_old_inrelease_replayed_past_its_validity_is_refused(client: Client, tmp_path: Path) -> None:
    with signing_home() as home:
        publisher = Publisher(tmp_path / "old", home)
        old = publisher.publish_words(publisher.deb("3.6.7-1"))
        for words in (publisher.init_words("--valid-days", "7"), old):
            done = publisher.run(*words, under=TWO_WEEKS_AGO)
            assert done.status == 0, done.err
        kept = publisher.folder / "kept"
        shutil.copytree(publisher.repository, kept, symlinks=True)
        assert any("Valid-Until" in problem for problem in publisher.problems())
        assert publisher.publish(publisher.deb("3.6.8-1")).status == 0
        client.copy(publisher)
        assert client.update().returncode == 0
        publisher.restore(kept)
        client.copy(publisher)
        client.forget()
        refused = client.update()
    assert refused.returncode != 0
    assert "expired" in refused.stdout
