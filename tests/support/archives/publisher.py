"""A repository and who publishes into it, by the command line of etcd-deb."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.account import Account, Result
from tests.support.archives.tiny_deb import tiny_deb
from tests.support.command import run
from tests.support.machines.network import Network
from tests.support.wait import wait_for

SUITE = "trixie"


@contextlib.contextmanager
def signing_home() -> Iterator[Path]:
    """A GNUPGHOME, gone at the end with the agent that gpg starts for it.

    Its path is short: the agent makes a socket there, whose path may have 107 characters (unix(7)).
    """
    with tempfile.TemporaryDirectory(prefix="etcd-deb-") as folder:
        try:
            yield Path(folder)
        finally:
            subprocess.run(["gpgconf", "--homedir", folder, "--kill", "all"], check=False)


class Publisher:
    """etcd-deb, and one repository with the suite trixie."""

    def __init__(self, folder: Path, gnupg_home: Path) -> None:
        self.folder = folder
        self.repository = folder / "repository"
        self.gnupg_home = gnupg_home
        self.account = Account(folder / "account")
        self._made = 0

    @property
    def sources(self) -> str:
        """What a client is given, with the repository's files in place of a web server."""
        return (self.repository / f"{SUITE}.sources").read_text()

    def must(self, *words: str | Path) -> str:
        """What a command printed; CommandFailed where it failed."""
        done = run(self.account.command(*words), env=self.account.environment())
        return done.stdout

    def init(self, *options: str, suites: Sequence[str] = (SUITE,)) -> Result:
        """`repo init`, with the key that is in gnupg_home, or a new one where it is empty."""
        return self.run(*self.init_words(*options, suites=suites))

    def init_words(self, *options: str, suites: Sequence[str] = (SUITE,)) -> list[str]:
        has_key = any((self.gnupg_home / "private-keys-v1.d").glob("*"))
        return [
            *("repo", "init", str(self.repository), "--gnupg-home", str(self.gnupg_home)),
            *(() if "--key" in options else ("--key", "archive signing") if has_key else ("--new-key",)),
            *(word for suite in suites for word in ("--suite", suite)),
            *options,
        ]

    def deb(
        self, version: str, *, architecture: str = "amd64", package: str = "etcd-ha", note: str = "Nothing."
    ) -> Path:
        """A package that is not published yet."""
        self._made += 1
        folder = self.folder / f"made-{self._made}"
        return tiny_deb(folder, version, architecture=architecture, package=package, note=note)

    def publish(self, *files: Path, suite: str = SUITE, options: Sequence[str] = ()) -> Result:
        return self.run(*self.publish_words(*files, suite=suite), *options)

    def publish_words(self, *files: Path, suite: str = SUITE) -> list[str]:
        return ["publish", *map(str, files), "--repo", str(self.repository), "--suite", suite]

    def repo(self, verb: str, *words: str) -> Result:
        return self.run("repo", verb, self.repository, *words)

    def run(self, *words: str | Path, under: Sequence[str] = ()) -> Result:
        return self.account.run(*words, under=under)

    def versions(self, suite: str = SUITE) -> set[str]:
        """What the repository itself says it has."""
        listed = json.loads(self.repo("list", "--json").out)
        return {entry["version"] for entry in listed[suite]["packages"]}

    def problems(self) -> list[str]:
        """What `repo verify` finds."""
        found: list[str] = json.loads(self.repo("verify", "--json").out)["problems"]
        return found

    def restore(self, kept: Path) -> None:
        """Put the repository back to a copy of it, links and hard links as they were."""
        shutil.rmtree(self.repository, ignore_errors=True)
        subprocess.run(["cp", "-a", kept, self.repository], check=True)


@contextlib.contextmanager
def served(publisher: Publisher, network: Network | None = None, *, port: int = 0) -> Iterator[str]:
    """The URL of `etcd-deb serve` for the repository: on loopback, or on the bridge of a network of nodes.

    port: 0 takes a free one.
    """
    words = publisher.account.command("serve", publisher.repository, "--port", str(port))
    if network is not None:
        words = network.command(*words, "--address", network.address)
    log = publisher.folder / "serve.log"
    with log.open("w") as out:
        server = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield wait_for("etcd-deb serve to say where", lambda: log.read_text().strip(), within=10)
    finally:
        server.terminate()
        server.wait(10)
