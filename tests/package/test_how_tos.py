"""The commands of docs/how-to, run as they stand there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from builder.cli.report import releases_as_text
from builder.known_faults import full_version, shipped_faults
from builder.release.listing import ListedRelease
from tests.support.account import ETCD_DEB, Account
from tests.support.documents import Followed, find_how_to
from tests.support.releases.fake_release import VERSION, good_tarball, publish, sha256, tarball_name
from tests.support.releases.release_server import ReleaseServer

_COMMAND = re.compile(r"^ {4}((?:etcd-deb|\(cd) .*)$", re.MULTILINE)
WORDS = {
    "witness": "storage.googleapis.com",
    "mirror": "https://mirror.example.org/etcd",
    "releases": "/srv/releases",
    "pins": "/etc/etcd-deb/pins",
}
_VERSION = re.compile(r"\bv3\.\d+\.\d+\b")


def commands(document: str, heading: str) -> list[str]:
    """The commands below a heading, about the release that the test has."""
    sections = re.split(r"^## ", find_how_to(document).read_text(encoding="utf-8"), flags=re.MULTILINE)
    (section,) = (text for text in sections if text.startswith(heading))
    found = _COMMAND.findall(section)
    assert found, f"{document} has no command below {heading}"
    return [_VERSION.sub(f"v{VERSION}", command) for command in found]


class Shell:
    """Runs commands in one folder, with the environment of an account."""

    def __init__(self, account: Account, folder: Path, variables: dict[str, str]) -> None:
        folder.mkdir()
        self.folder = folder
        self.home = account.folder / "home"
        environment = account.environment(variables)
        self._environment = environment | {"PATH": f"{ETCD_DEB.parent}:{environment['PATH']}"}

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def succeed(self, command: str) -> subprocess.CompletedProcess[str]:
        done = self.run(command)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done

    def there(self) -> set[str]:
        return {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ReleaseServer]:
    """A source and a witness that agree, over https."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "www").mkdir()
    with ReleaseServer(tmp_path / "www", ca) as server:
        publish(server.root / "mirror", {"amd64": good_tarball()})
        publish(server.root / "witness", {"amd64": good_tarball()})
        yield server


@pytest.fixture
def outside(server: ReleaseServer, tmp_path: Path) -> Shell:
    """A machine with a way out."""
    variables = {
        "REQUESTS_CA_BUNDLE": str(tmp_path / "ca.pem"),
        "ETCD_DEB_SOURCE": f"{server.url}/mirror",
        "ETCD_DEB_WITNESS": f"{server.other_url}/witness",
        "ETCD_DEB_API": f"{server.other_url}/api",
    }
    return Shell(Account(tmp_path / "outside-account"), tmp_path / "outside", variables)


@pytest.fixture
def behind(tmp_path: Path) -> Shell:
    """A machine without one: whatever it asks is refused at once."""
    variables = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    return Shell(Account(tmp_path / "behind-account"), tmp_path / "behind", variables)


def followed(document: str, **here: str) -> Followed:
    """A how-to about the release that the test has. here: what else is said otherwise, each for one word."""

    def said_here(text: str) -> str:
        text = _VERSION.sub(f"v{VERSION}", text)
        for there, instead in here.items():
            text = text.replace(WORDS[there], instead)
        return text

    return Followed(find_how_to(document), said_here)


def test_a_release_is_built_behind_a_firewall(server: ReleaseServer, outside: Shell, behind: Shell) -> None:
    how_to = followed(
        "build-behind-a-firewall.md",
        witness=urlsplit(server.other_url).netloc,
        mirror=f"{server.url}/mirror",
        releases=f"{behind.folder}/releases",
        pins=f"{behind.folder}/pins",
    )
    outside.succeed(how_to.take("1. Fetch"))
    assert outside.there() == {line.split()[0] for line in how_to.take("1. Fetch").splitlines()}

    outside.succeed(how_to.take("2. Carry"))
    (outside.folder / "releases").rename(behind.folder / "releases")
    (outside.folder / "pins").rename(behind.folder / "pins")

    said = behind.succeed(how_to.take("3. Build")).stderr
    assert "vouched for by pin in pins" in said
    assert f"dist/etcd-ha_{VERSION}-1_amd64.deb" in behind.there()

    settings = behind.home / ".config/etcd-deb/etcd-deb.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(how_to.take("3. Build"))
    assert "vouched for by pin in pins" in behind.succeed(f"etcd-deb build v{VERSION}").stderr
    outside.succeed(f"export ETCD_DEB_PINS={behind.folder}/pins\n{how_to.take('A mirror')}")
    how_to.is_done()


def test_a_folder_that_was_changed_on_its_way_does_not_match_the_pin(outside: Shell, behind: Shell) -> None:
    document = "build-behind-a-firewall.md"
    for heading in ("1. Fetch", "2. Carry"):
        for command in commands(document, heading):
            outside.succeed(command)
    forged = good_tarball(padding=b"forged")
    folder = outside.folder / "releases" / f"v{VERSION}"
    (folder / tarball_name()).write_bytes(forged)
    for checksums in folder.glob("SHA256SUMS*"):
        checksums.write_text(f"{sha256(forged)}  {tarball_name()}\n")
    (outside.folder / "releases").rename(behind.folder / "releases")
    (outside.folder / "pins").rename(behind.folder / "pins")

    (build,) = commands(document, "3. Build")
    done = behind.run(build)
    assert done.returncode == 3
    assert "does not match the pin in pins" in done.stderr
    # What the how-to warns of: the folder alone vouches for what was put into it.
    unpinned = build.replace(" --pins pins --require-pin", "")
    assert unpinned != build
    behind.succeed(unpinned)


def test_a_new_release_is_pinned_and_then_built_with_its_pin_alone(
    outside: Shell, server: ReleaseServer
) -> None:
    how_to = followed("pin-a-release.md")
    (server.root / "api").mkdir()
    listed = [{"tag_name": f"v{VERSION}", "published_at": "2026-09-22T00:00:00Z"}]
    (server.root / "api/releases").write_text(json.dumps(listed))
    header, *_rows = how_to_output = outside.succeed(how_to.take("1. See")).stdout.splitlines()
    assert how_to.take("1. See").splitlines()[0] == header
    assert any(f"v{VERSION} " in row and " - " in row for row in how_to_output)
    line = f"{sha256(good_tarball())}  {tarball_name()}\n"
    assert outside.succeed(how_to.take("2. Record")).stdout == line

    outside.succeed("git init -q . && mkdir conf && touch conf/SHA256SUMS && git add conf")
    assert f"+{line}" in outside.succeed(how_to.take("2. Record")).stdout
    assert (outside.folder / "conf/SHA256SUMS").read_text() == line

    build = how_to.take("3. Build")
    assert "vouched for by pin in SHA256SUMS" in outside.succeed(build).stderr
    (outside.folder / "dist").rename(outside.folder / "built")
    shown = how_to.take("When a pin")
    publish(server.root / "mirror", {"amd64": good_tarball(padding=b"changed")})
    shutil.rmtree(outside.home.parent / "cache")
    assert shown.rstrip("…\n") in outside.run(build).stderr
    how_to.is_done()


def test_a_release_that_changes_after_its_pin_is_refused_and_stays_pinned(
    outside: Shell, server: ReleaseServer
) -> None:
    document = "pin-a-release.md"
    (own, _) = commands(document, "2. Record")
    (build,) = commands(document, "3. Build")
    outside.succeed(own)
    for origin in ("mirror", "witness"):
        publish(server.root / origin, {"amd64": good_tarball(padding=b"changed")})
    assert outside.run(own).returncode == 3
    done = outside.run(build)
    assert done.returncode == 3
    assert "does not match the pin in" in done.stderr


def test_versions_are_shown_as_the_how_to_shows_them() -> None:
    text = find_how_to("pin-a-release.md").read_text(encoding="utf-8")
    shown = re.search(r"^( {4}VERSION.*\n(?: {4}v.*\n)+)", text, re.MULTILINE)
    assert shown
    releases = tuple(
        ListedRelease(full_version(tag), date.fromisoformat(day), pin == "pinned", supported=True)
        for tag, day, pin in re.findall(r"^ {4}v(\S+) +(\S+) +(\S+)", shown[1], re.MULTILINE)
    )
    assert len(releases) > 1
    assert releases_as_text(releases, shipped_faults()) == textwrap.dedent(shown[1]).rstrip()
