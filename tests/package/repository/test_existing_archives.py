"""The how-tos for archives of reprepro, mini-dinstall and aptly, done as they stand; apt is the judge."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.package.conftest import digest
from tests.package.repository.how_to_steps import Command, ShownFile, steps
from tests.package.test_how_tos import Shell
from tests.support.account import Account
from tests.support.archives.apt_client import AptClient
from tests.support.archives.publisher import signing_home
from tests.support.command import run
from tests.support.releases import releases
from tests.support.sample import sampled
from tests.support.upload import Upload

SIGNED, UNSIGNED, OTHER_SERIES = "3.6.7", "3.6.16", "3.7.3"
# Each how-to, and what its archive gives to the web server.
SERVED = {
    "upload-to-reprepro.md": "/srv/reprepro",
    "upload-to-mini-dinstall.md": "/srv/etcd",
    "upload-with-aptly.md": "/srv/aptly/public",
}
WITHOUT_BY_HASH = {"upload-to-reprepro.md"}


def _series(version: str) -> str:
    return version.rpartition(".")[0]


class Archive:
    """A how-to, and a machine on which one person follows it."""

    def __init__(self, document: str, folder: Path, keys: Path) -> None:
        variables = {
            "GNUPGHOME": str(keys),
            "ETCD_DEB_SOURCE": str(releases.RELEASES),
            "ETCD_DEB_PINS": str(releases.PINS),
            "ETCD_DEB_COMPRESSION": "zstd",
        }
        account = Account(folder / "account")
        self._shell = Shell(account, folder / "here", variables)
        self._folder = folder
        self._home = account.environment()["HOME"]
        self.document = document
        self._steps = tuple(steps(document))
        self._served = SERVED[document]
        listed = self._shell.succeed("gpg --with-colons --list-keys builder@example.org").stdout
        (self._key_id,) = (line.split(":")[4] for line in listed.splitlines() if line.startswith("pub:"))

    @property
    def dist(self) -> Path:
        return self._shell.folder / "dist"

    def follow(self, version: str) -> None:
        """Take every step, for the series of this version."""
        for step in self._steps:
            if isinstance(step, Command):
                self._shell.succeed(self._here(step.line, version))
            else:
                self._write(step, version)

    def upload_unsigned(self, upload: Upload) -> None:
        """Take the steps that upload, with a package that nobody signed."""
        lines = [self._here(step.line, upload.version) for step in self._steps if isinstance(step, Command)]
        (at,) = (index for index, line in enumerate(lines) if line.startswith("dput "))
        for file in upload.files:
            shutil.copy(file, self.dist)
        dput = lines[at]
        assert self._shell.run(dput).returncode, "dput itself asks for a signature"
        self._shell.succeed(dput.replace("dput ", "dput --unchecked "))
        # They differ in how they refuse it; what counts is what apt finds.
        for line in lines[at + 1 :]:
            self._shell.run(line)

    def node(self, version: str) -> AptClient:
        """apt of a node that was set up for the series of this version, updated."""
        (sources,) = (
            step.text
            for step in self._steps
            if isinstance(step, ShownFile) and step.path.endswith("/etcd-ha.sources")
        )
        keyring = Path(self._here("/etc/apt/keyrings/archive.gpg", version))
        keyring.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self._here(f"{self._served}/archive.gpg", version), keyring)
        client = AptClient(self._folder / f"apt-{_series(version)}")
        client.use(self._here(sources, version))
        client.update()
        return client

    def _write(self, shown: ShownFile, version: str) -> None:
        path = Path(self._here(shown.path, version))
        path.parent.mkdir(parents=True, exist_ok=True)
        text = self._here(shown.text, version)
        there = path.read_text() if path.exists() else ""
        # Who repeats the steps for another series adds what differs, and leaves what is there.
        if text not in there:
            path.write_text(f"{there}\n{text}" if there else text)

    def _here(self, text: str, version: str) -> str:
        """What a how-to says of 3.6.7 and of a machine, for this version and below the test's folder."""
        for there, here in (
            ("3.6.7", version),
            ("3.6", _series(version)),
            ("0123456789ABCDEF", self._key_id),
            ("http://apt.example.org", f"file://{self._served}"),
            ("/srv/", f"{self._folder}/srv/"),
            ("/etc/apt/", f"{self._folder}/node/"),
            ("~/", f"{self._home}/"),
        ):
            text = text.replace(there, here)
        return text


@pytest.fixture(scope="module")
def keys() -> Iterator[Path]:
    """A GNUPGHOME with the two keys that the how-tos name."""
    with signing_home() as home:
        for who in ("builder", "archive"):
            quick = ("--quick-generate-key", f"{who}@example.org", "ed25519", "sign", "never")
            run(["gpg", "--homedir", home, "--batch", "--passphrase", "", *quick])
        yield home


@pytest.fixture(scope="module", params=sampled(SERVED, "upload-to-reprepro.md"))
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, keys: Path) -> Archive:
    """An archive that has what its how-to uploads: one release of one series."""
    releases.ensure(SIGNED, OTHER_SERIES)
    document: str = request.param
    archive = Archive(document, tmp_path_factory.mktemp("archive"), keys)
    archive.follow(SIGNED)
    return archive


def test_node_gets_what_was_uploaded_and_nothing_that_nobody_signed(
    archive: Archive, upload: Callable[..., Upload]
) -> None:
    archive.upload_unsigned(upload(UNSIGNED, "zstd"))
    node = archive.node(SIGNED)
    assert node.versions() == {f"{SIGNED}-1"}
    node.download(f"{SIGNED}-1")
    (deb,) = node.folder.glob("*.deb")
    assert digest(deb) == digest(archive.dist / f"etcd-ha_{SIGNED}-1_amd64.deb")


def test_archive_has_by_hash_where_its_how_to_says_so(archive: Archive) -> None:
    (release,) = (archive.node(SIGNED).folder / "lists").glob("*InRelease")
    has = "\nAcquire-By-Hash: yes\n" in release.read_text()
    assert has == (archive.document not in WITHOUT_BY_HASH)


def test_node_stays_on_its_series_when_another_one_comes(archive: Archive) -> None:
    archive.follow(OTHER_SERIES)
    assert archive.node(OTHER_SERIES).versions() == {f"{OTHER_SERIES}-1"}
    assert archive.node(SIGNED).versions() == {f"{SIGNED}-1"}
