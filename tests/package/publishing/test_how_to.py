"""The commands of docs/how-to/publish.md, run as they stand there, below a folder of the test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.lab.account import Account
from tests.lab.apt_client import AptClient
from tests.lab.publisher import Publisher, signing_home
from tests.package.test_how_tos import Shell, commands
from tests.package.uploads import Upload

DOCUMENT = "publish.md"


def test_repository_of_the_how_to_is_made_used_and_kept(
    tmp_path: Path, apt: AptClient, upload: Callable[..., Upload]
) -> None:
    built = upload("3.6.7", "zstd")
    account = Account(tmp_path / "account")
    shell = Shell(account, tmp_path / "here", {})
    (shell.folder / "dist").symlink_to(built.folder)
    root = tmp_path / "apt-repository"

    with signing_home() as home:

        def run(heading: str) -> None:
            for command in commands(DOCUMENT, heading):
                if " serve " not in command:
                    here = command.replace("/srv/apt", str(root)).replace("~/etcd-keys", str(home))
                    here = here.replace("/srv/www", str(tmp_path / "www"))
                    here = here.replace("http://apt.example.org", root.as_uri())
                    shell.succeed(here)

        for heading in ("1. Make", "2. Publish"):
            run(heading)
        apt.use((root / "trixie.sources").read_text())
        apt.update()
        assert apt.versions() == {"3.6.7-1"}
        for heading in ("4. Try", "Let old"):
            run(heading)
        shell.succeed(f"etcd-deb repo remove {root} trixie 3.6.7-1")
        apt.update()
        assert apt.versions() == set()
        run("Take back")
        apt.update()
        assert apt.versions() == {"3.6.7-1"}
        (tmp_path / "www").mkdir()
        run("Bring it")
    copy = AptClient(tmp_path / "client of the copy")
    copy.use((root / "trixie.sources").read_text().replace(root.as_uri(), (tmp_path / "www/apt").as_uri()))
    copy.update()
    assert copy.versions() == {"3.6.7-1"}
    for suite in ("trixie", "testing"):
        assert "Valid-Until: " in (root / "dists" / suite / "Release").read_text()


def test_key_of_the_how_to_is_changed_while_a_client_follows(tmp_path: Path, apt: AptClient) -> None:
    root = tmp_path / "apt-repository"
    with signing_home() as home:
        publisher = Publisher(tmp_path / "publisher", home)
        shell = Shell(publisher.account, tmp_path / "here", {})

        def run(document: str, heading: str) -> None:
            for command in commands(document, heading):
                here = command.replace("/srv/apt", str(root)).replace("~/etcd-keys", str(home))
                shell.succeed(here.replace("http://apt.example.org", root.as_uri()))

        run(DOCUMENT, "1. Make")
        old = (root / "trixie.sources").read_text()
        run("rotate-a-signing-key.md", "1. Have")
        for sources in (old, (root / "trixie.sources").read_text()):
            apt.use(sources)
            apt.update()
        run("rotate-a-signing-key.md", "3. Let")
        apt.update()
