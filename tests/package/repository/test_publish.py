"""What publishing makes, and what it refuses: apt is the judge."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from builder.errors import EtcdDebError
from builder.repository.change import add_to_pool, changing
from builder.repository.incoming import read_incoming
from builder.repository.state.layout import open_repository
from builder.system.progress import Progress
from tests.package.conftest import STATIC
from tests.support.archives.apt_client import AptClient
from tests.support.archives.publisher import Publisher, served
from tests.support.archives.tiny_deb import spoil
from tests.support.upload import Upload
from tests.support.wait import wait_for


def test_apt_updates_from_an_empty_suite(publisher: Publisher, apt: AptClient) -> None:
    apt.use(publisher.sources)
    apt.update()
    assert apt.versions() == set()


def test_apt_takes_every_published_version_over_http(publisher: Publisher, apt: AptClient) -> None:
    with served(publisher) as url:
        assert publisher.init("--url", url).status == 0
        for version in ("3.6.7-1", "3.6.8-1"):
            assert publisher.publish(publisher.deb(version)).status == 0
        apt.use(publisher.sources)
        apt.update()
        assert apt.versions() == {"3.6.7-1", "3.6.8-1"}
        for version in ("3.6.7-1", "3.6.8-1"):
            apt.download(version)
            assert (apt.folder / f"etcd-ha_{version}_amd64.deb").is_file()
    assert publisher.problems() == []


def test_changes_file_brings_the_package_it_lists(
    publisher: Publisher, apt: AptClient, upload: Callable[..., Upload]
) -> None:
    built = upload(STATIC)
    result = publisher.publish(built.changes, options=["--json"])
    said = json.loads(result.out)
    assert [entry["filename"] for entry in said["added"]] == [f"pool/3.7/{built.deb.name}"]
    apt.use(publisher.sources)
    apt.update()
    apt.download(f"{STATIC}-1")
    assert (apt.folder / built.deb.name).read_bytes() == built.deb.read_bytes()


def test_component_is_the_series_so_that_a_client_stays_on_it(publisher: Publisher, apt: AptClient) -> None:
    publisher.publish(publisher.deb("3.5.30-1"), publisher.deb("3.6.7-1"), publisher.deb("3.7.0~rc.0-1"))
    sources = publisher.sources
    assert "Components: 3.6\n" in sources, "the newest series that has a release"
    for component, versions in {"3.5": {"3.5.30-1"}, "3.6": {"3.6.7-1"}, "3.7": {"3.7.0~rc.0-1"}}.items():
        apt.use(sources.replace("Components: 3.6\n", f"Components: {component}\n"))
        apt.update()
        assert apt.versions() == versions


def test_same_bytes_again_change_nothing(publisher: Publisher) -> None:
    deb = publisher.deb("3.6.7-1")
    publisher.publish(deb)
    before = (publisher.repository / "dists/trixie").resolve()
    result = publisher.publish(deb)
    assert (result.status, result.out) == (0, "trixie is already up to date\n")
    assert (publisher.repository / "dists/trixie").resolve() == before


def test_other_bytes_of_a_published_version_are_refused_with_the_revision_to_use(
    publisher: Publisher,
) -> None:
    publisher.publish(publisher.deb("3.6.7-1"))
    result = publisher.publish(publisher.deb("3.6.7-1", note="Other bytes."))
    assert result.status == 1
    assert "etcd-ha_3.6.7-1_amd64.deb is already published, with different bytes" in result.err
    assert "etcd-deb build v3.6.7 --revision 2" in result.err
    assert publisher.problems() == []


def test_two_files_of_one_version_with_other_bytes_are_refused(publisher: Publisher) -> None:
    result = publisher.publish(publisher.deb("3.6.7-1"), publisher.deb("3.6.7-1", note="Other bytes."))
    assert result.status == 1
    assert "are the same version with different bytes" in result.err
    assert publisher.versions() == set()


def test_same_file_named_twice_is_published_once(publisher: Publisher) -> None:
    deb = publisher.deb("3.6.7-1")
    link = deb.with_name("etcd-ha_3.6.7.deb")
    link.symlink_to(deb.name)
    assert publisher.publish(deb, link).status == 0
    assert publisher.versions() == {"3.6.7-1"}


def test_other_component_is_no_way_round_the_pool(publisher: Publisher) -> None:
    publisher.publish(publisher.deb("3.6.7-1"))
    deb = publisher.deb("3.6.7-1", note="Other bytes.")
    assert publisher.publish(deb, options=["--component", "main"]).status == 1


def test_each_architecture_has_an_index_of_its_own(publisher: Publisher, apt: AptClient) -> None:
    publisher.publish(publisher.deb("3.6.7-1", architecture="arm64"))
    apt.use(publisher.sources)
    apt.update()
    assert apt.versions() == set(), "amd64 has none"
    publisher.publish(publisher.deb("3.6.7-1"))
    apt.update()
    assert apt.versions() == {"3.6.7-1"}


def refused(publisher: Publisher, result_status: int, before: str) -> None:
    assert result_status != 0
    assert (publisher.repository / "dists/trixie/InRelease").read_text() == before
    assert publisher.problems() == []
    assert publisher.publish(publisher.deb("3.6.9-1")).status == 0
    assert publisher.versions() == {"3.6.7-1", "3.6.9-1"}


@pytest.fixture
def before(publisher: Publisher) -> str:
    """InRelease of a repository with one package."""
    publisher.publish(publisher.deb("3.6.7-1"))
    return (publisher.repository / "dists/trixie/InRelease").read_text()


def test_changes_whose_digests_do_not_match_are_refused(
    publisher: Publisher, before: str, upload: Callable[..., Upload], tmp_path: Path
) -> None:
    built = upload(STATIC)
    copies = [tmp_path / path.name for path in built.files]
    for source, copy in zip(built.files, copies, strict=True):
        copy.write_bytes(source.read_bytes())
    spoil(copies[0])
    result = publisher.publish(copies[-1])
    assert f"checksum of {copies[0].name} does not match {copies[-1].name}" in result.err
    refused(publisher, result.status, before)


def test_changes_without_its_package_is_refused(
    publisher: Publisher, before: str, upload: Callable[..., Upload], tmp_path: Path
) -> None:
    alone = tmp_path / upload(STATIC).changes.name
    alone.write_bytes(upload(STATIC).changes.read_bytes())
    result = publisher.publish(alone)
    assert "which is missing" in result.err
    refused(publisher, result.status, before)


def test_package_of_another_name_is_refused(publisher: Publisher, before: str) -> None:
    result = publisher.publish(publisher.deb("3.6.8-1", package="etcd-server"))
    assert "etcd-server_3.6.8-1_amd64.deb is not etcd-ha" in result.err
    refused(publisher, result.status, before)


def test_package_that_changes_while_it_is_published_is_refused(publisher: Publisher, before: str) -> None:
    repository, deb = open_repository(publisher.repository), publisher.deb("3.6.8-1")
    packages = read_incoming([deb], None)
    spoil(deb)
    with (
        pytest.raises(EtcdDebError, match=r"etcd-ha_3\.6\.8-1_amd64\.deb was changed while"),
        changing(repository, Progress()),
    ):
        add_to_pool(repository, packages)
    assert [path.name for path in repository.pool.glob("*/*")] == ["etcd-ha_3.6.7-1_amd64.deb"]
    refused(publisher, 1, before)


def test_unknown_suite_is_refused_with_those_there_are(publisher: Publisher, before: str) -> None:
    result = publisher.publish(publisher.deb("3.6.8-1"), suite="trxie")
    assert "has no suite 'trxie'" in result.err
    assert "one of trixie" in result.err
    refused(publisher, result.status, before)


def test_file_that_is_no_package_is_refused(publisher: Publisher, before: str, tmp_path: Path) -> None:
    broken = tmp_path / "etcd-ha_3.6.8-1_amd64.deb"
    broken.write_bytes(b"no ar archive")
    result = publisher.publish(broken)
    assert "as a Debian package" in result.err
    refused(publisher, result.status, before)


def test_missing_key_is_said_and_nothing_changes(publisher: Publisher, before: str, tmp_path: Path) -> None:
    settings = publisher.repository / ".etcd-deb/repository.json"
    right = settings.read_text()
    (tmp_path / "empty").mkdir(mode=0o700)
    settings.write_text(right.replace(str(publisher.gnupg_home), str(tmp_path / "empty")))
    result = publisher.publish(publisher.deb("3.6.8-1"))
    assert "gpg could not sign" in result.err
    settings.write_text(right)
    refused(publisher, result.status, before)


def with_gpg(publisher: Publisher, folder: Path, script: str) -> list[str]:
    """What runs etcd-deb with this script in gpg's place."""
    folder.mkdir()
    (folder / "gpg").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "gpg").chmod(0o755)
    return ["env", f"PATH={folder}:{publisher.account.environment()['PATH']}"]


def test_gpg_that_fails_leaves_the_old_state(publisher: Publisher, before: str, tmp_path: Path) -> None:
    under = with_gpg(publisher, tmp_path / "shim", "echo 'gpg: card is gone' >&2; exit 2")
    result = publisher.run(*publisher.publish_words(publisher.deb("3.6.8-1")), under=under)
    assert "card is gone" in result.err
    refused(publisher, result.status, before)


def test_ctrl_c_ends_a_gpg_that_waits_for_a_card(publisher: Publisher, before: str, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    under = with_gpg(publisher, tmp_path / "shim", f"echo $$ >{asked}; exec sleep 600")
    started = publisher.account.start(*publisher.publish_words(publisher.deb("3.6.8-1")), under=under)
    pid = wait_for("gpg to begin", lambda: asked.exists() and asked.read_text().strip(), within=30)
    started.press_ctrl_c()
    result = started.finish(within=10)
    assert result.status == 128 + signal.SIGINT
    assert not Path(f"/proc/{pid}").exists()
    refused(publisher, result.status, before)


@pytest.mark.parametrize("suite", ["trixie", "bookworm"])
@pytest.mark.parametrize(
    ("damaged", "content"),
    [
        ("3.6/binary-amd64/Packages", b"Package: etcd-ha\nVersion: 3.6.7-1\n"),
        ("3.6/binary-amd64/Packages", b"\xff\xfe"),
        ("Release", b"Origin: etcd-ha\n"),
    ],
)
def test_damaged_file_of_any_suite_is_said_before_clients_see_a_change(
    publisher: Publisher, before: str, suite: str, damaged: str, content: bytes
) -> None:
    assert publisher.init(suites=["bookworm"]).status == 0
    assert publisher.publish(publisher.deb("3.6.6-1"), suite="bookworm").status == 0
    file = publisher.repository / "dists" / suite / damaged
    right = file.read_bytes()
    # In place, since an index has a twin in by-hash.
    file.write_bytes(content)
    result = publisher.publish(publisher.deb("3.6.8-1"))
    assert re.search(r"damaged.*\n(.*\n)*hint: .*etcd-deb repo verify", result.err), result.err
    file.write_bytes(right)
    refused(publisher, result.status, before)


def test_secret_key_inside_the_repository_is_refused(publisher: Publisher) -> None:
    result = publisher.repo("init", "--new-key", "--gnupg-home", str(publisher.repository / "gnupg"))
    assert result.status == 2
    assert "the secret key would be published" in result.err


def test_two_publishers_at_once_both_succeed(publisher: Publisher) -> None:
    versions = [f"3.6.{number}-1" for number in range(1, 7)]
    debs = [publisher.deb(version) for version in versions]
    started = [publisher.account.start(*publisher.publish_words(deb)) for deb in debs]
    assert [one.finish().status for one in started] == [0] * len(debs)
    assert publisher.versions() == set(versions)
    assert publisher.problems() == []
