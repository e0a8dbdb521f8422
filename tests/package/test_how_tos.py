"""The commands of docs/how-to, run as they stand there."""

from __future__ import annotations

import re
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
from builder.listing import ListedRelease
from tests.lab.account import ETCD_DEB, Account
from tests.lab.fake_release import VERSION, good_tarball, publish, sha256, tarball_name
from tests.lab.release_server import ReleaseServer

HOW_TO = Path(__file__).parents[2] / "docs/how-to"
_COMMAND = re.compile(r"^ {4}((?:etcd-deb|\(cd) .*)$", re.MULTILINE)
_VERSION = re.compile(r"\bv3\.\d+\.\d+\b")


def commands(document: str, heading: str) -> list[str]:
    """The commands below a heading, about the release that the test has."""
    sections = re.split(r"^## ", (HOW_TO / document).read_text(encoding="utf-8"), flags=re.MULTILINE)
    (section,) = (text for text in sections if text.startswith(heading))
    found = _COMMAND.findall(section)
    assert found, f"{document} has no command below {heading}"
    return [_VERSION.sub(f"v{VERSION}", command) for command in found]


class Shell:
    """Runs commands in one folder, with the environment of an account."""

    def __init__(self, account: Account, folder: Path, variables: dict[str, str]) -> None:
        folder.mkdir()
        self.folder = folder
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


def test_a_release_is_built_behind_a_firewall(server: ReleaseServer, outside: Shell, behind: Shell) -> None:
    document = "build-behind-a-firewall.md"
    (fetch,) = commands(document, "1. Fetch")
    outside.succeed(fetch)
    release = f"releases/v{VERSION}"
    witness = urlsplit(server.other_url).netloc
    assert outside.there() == {
        f"{release}/{name}" for name in (tarball_name(), "SHA256SUMS", f"SHA256SUMS.{witness}")
    }

    (pin,) = commands(document, "2. Carry")
    outside.succeed(pin)
    (outside.folder / "releases").rename(behind.folder / "releases")
    (outside.folder / "pins").rename(behind.folder / "pins")

    (build,) = commands(document, "3. Build")
    said = behind.succeed(build).stderr
    assert "vouched for by pin in pins" in said
    assert f"dist/etcd-ha_{VERSION}-1_amd64.deb" in behind.there()


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


def test_a_new_release_is_pinned_and_then_built_with_its_pin_alone(outside: Shell) -> None:
    document = "pin-a-release.md"
    (own, shared) = commands(document, "2. Record")
    line = f"{sha256(good_tarball())}  {tarball_name()}\n"
    assert outside.succeed(own).stdout == line

    (outside.folder / "conf").mkdir()
    outside.succeed(shared)
    assert (outside.folder / "conf/SHA256SUMS").read_text() == line

    (build,) = commands(document, "3. Build")
    assert "vouched for by pin in SHA256SUMS" in outside.succeed(build).stderr


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
    text = (HOW_TO / "pin-a-release.md").read_text(encoding="utf-8")
    shown = re.search(r"^( {4}VERSION.*\n(?: {4}v.*\n)+)", text, re.MULTILINE)
    assert shown
    releases = tuple(
        ListedRelease(full_version(tag), date.fromisoformat(day), pin == "pinned", supported=True)
        for tag, day, pin in re.findall(r"^ {4}v(\S+) +(\S+) +(\S+)", shown[1], re.MULTILINE)
    )
    assert len(releases) > 1
    assert releases_as_text(releases, shipped_faults()) == textwrap.dedent(shown[1]).rstrip()
