"""Rollback, promotion, removal, retention and new signatures, as apt sees them."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

import pytest

from builder.repository.state.sweep import GRACE, KEPT_GENERATIONS
from tests.support.archives.apt_client import AptClient
from tests.support.archives.publisher import SUITE, Publisher


@pytest.fixture
def client(publisher: Publisher, apt: AptClient) -> AptClient:
    """A client of a suite with two versions."""
    for version in ("3.6.7-1", "3.6.8-1"):
        assert publisher.publish(publisher.deb(version)).status == 0
    apt.use(publisher.sources)
    apt.update()
    assert apt.versions() == {"3.6.7-1", "3.6.8-1"}
    return apt


def age(publisher: Publisher, seconds: int) -> None:
    """Make every generation older than it is."""
    for file in (publisher.repository / "generations").glob("*/*/InRelease"):
        when = file.stat().st_mtime - seconds
        os.utime(file, (when, when))


def pool(publisher: Publisher) -> set[str]:
    return {path.name.split("_")[1] for path in (publisher.repository / "pool").glob("*/*.deb")}


def test_rollback_takes_clients_back_under_a_date_that_they_accept(
    publisher: Publisher, client: AptClient
) -> None:
    assert publisher.repo("rollback", "trixie").status == 0
    client.update()
    assert client.versions() == {"3.6.7-1"}
    assert publisher.problems() == []


def test_rollback_names_the_generations_there_are(publisher: Publisher, client: AptClient) -> None:
    result = publisher.repo("rollback", "trixie", "--generation", "77")
    assert result.status == 1
    assert "no generation 77 to go back to" in result.err
    assert client.versions() == {"3.6.7-1", "3.6.8-1"}


def test_removed_version_is_gone_for_clients_and_its_file_stays_while_a_generation_names_it(
    publisher: Publisher, client: AptClient
) -> None:
    assert publisher.repo("remove", "trixie", "3.6.7-1").status == 0
    client.update()
    assert client.versions() == {"3.6.8-1"}
    assert pool(publisher) == {"3.6.7-1", "3.6.8-1"}, "a client may have the Release before this one"
    assert publisher.repo("rollback", "trixie").status == 0
    client.update()
    client.download("3.6.7-1")


def test_removing_an_unknown_version_names_those_there_are(publisher: Publisher, client: AptClient) -> None:
    result = publisher.repo("remove", "trixie", "3.6.9-1")
    assert result.status == 2
    assert "one of 3.6.7-1, 3.6.8-1" in result.err
    assert client.versions() == {"3.6.7-1", "3.6.8-1"}


def test_prune_keeps_the_newest_of_each_series_and_architecture(publisher: Publisher) -> None:
    for version in ("3.5.9-1", "3.5.10-1", "3.6.7-1", "3.6.7-2"):
        publisher.publish(publisher.deb(version), publisher.deb(version, architecture="arm64"))
    assert publisher.repo("prune", "trixie", "--keep", "1").status == 0
    assert publisher.versions() == {"3.5.10-1", "3.6.7-2"}
    assert publisher.problems() == []


def test_file_of_a_pruned_version_goes_when_no_generation_names_it(publisher: Publisher) -> None:
    for patch in range(KEPT_GENERATIONS + 2):
        publisher.publish(publisher.deb(f"3.6.{patch}-1"))
    assert publisher.repo("prune", "trixie", "--keep", "1").status == 0
    for _ in range(KEPT_GENERATIONS):
        age(publisher, GRACE)
        assert publisher.repo("resign").status == 0
    assert pool(publisher) == {f"3.6.{KEPT_GENERATIONS + 1}-1"}
    kept = list((publisher.repository / "generations/trixie").iterdir())
    assert len(kept) == KEPT_GENERATIONS
    assert publisher.problems() == []


def test_generations_of_the_last_minutes_stay_however_many_there_are(publisher: Publisher) -> None:
    changes = KEPT_GENERATIONS + 3
    for patch in range(changes):
        publisher.publish(publisher.deb(f"3.6.{patch}-1"))
    assert len(list((publisher.repository / "generations/trixie").iterdir())) == changes + 1


def test_promotion_brings_one_version_to_another_suite(publisher: Publisher, client: AptClient) -> None:
    assert publisher.init(suites=["stable"]).status == 0
    assert publisher.repo("promote", "trixie", "stable", "--version", "3.6.7-1").status == 0
    assert publisher.versions("stable") == {"3.6.7-1"}
    assert publisher.repo("promote", "trixie", "stable").status == 0
    client.use((publisher.repository / "stable.sources").read_text())
    client.update()
    assert client.versions() == {"3.6.7-1", "3.6.8-1"}


def test_new_signature_ends_an_expired_validity(publisher: Publisher, client: AptClient) -> None:
    assert publisher.init("--valid-days", "7").status == 0
    client.update()
    release = publisher.repository / "dists/trixie/Release"
    assert "Valid-Until: " in release.read_text()
    assert publisher.repo("resign").status == 0
    client.update()


def test_second_change_of_one_second_looks_newer_to_a_web_client(publisher: Publisher) -> None:
    times = []
    for patch in (1, 2, 3):
        publisher.publish(publisher.deb(f"3.6.{patch}-1"))
        times.append(int((publisher.repository / "dists/trixie/InRelease").stat().st_mtime))
    assert times == sorted(set(times))


def test_leftovers_of_a_killed_publisher_are_removed_by_the_next(
    publisher: Publisher, client: AptClient
) -> None:
    root = publisher.repository
    empty = hashlib.sha256().hexdigest()
    left = [
        root / "pool/3.6/.etcd-ha_3.6.9-1_amd64.deb",
        root / "pool/3.6/etcd-ha_3.6.9-1_amd64.deb",
        root / f"by-hash/SHA256/.{'0' * 64}",
        root / f"by-hash/SHA256/{'1' * 64}",
        root / "generations/trixie/99/Release",
        root / "generations/trixie/.1/Release",
        root / ".index.html.abcd_123",
        root / ".etcd-deb/.pool-files.abcd_123",
    ]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    with (root / ".etcd-deb/pool-files").open("a") as ledger:
        ledger.write(f"{empty}  pool/3.6/etcd-ha_3.6.9-1_amd64.deb\n")
    (root / "dists/.trixie").symlink_to("nowhere")
    (root / ".etcd-deb/unfinished").touch()
    assert publisher.publish(publisher.deb("3.6.9-1")).status == 0
    assert [path for path in left if path.exists() and path.stat().st_size == 0] == []
    assert not (root / "dists/.trixie").is_symlink()
    assert publisher.problems() == []
    client.update()
    assert "3.6.9-1" in client.versions()


def test_verify_finds_a_package_that_was_changed(publisher: Publisher, client: AptClient) -> None:
    deb = next((publisher.repository / "pool").glob("*/*.deb"))
    deb.write_bytes(deb.read_bytes()[:-1])
    result = publisher.repo("verify")
    assert result.status == 3
    assert deb.name in result.out
    assert client.download(deb.name.split("_")[1], check=False).returncode != 0


def test_settings_that_cannot_be_read_are_an_error_of_their_own(publisher: Publisher) -> None:
    Path(publisher.repository / ".etcd-deb/repository.json").write_text("{}")
    result = publisher.repo("list")
    assert result.status == 1
    assert "the settings of the repository in" in result.err


@pytest.mark.usefixtures("client")
def test_withheld_version_comes_back_by_no_command_but_release_and_rollback(publisher: Publisher) -> None:
    deb = publisher.deb("3.6.9-1")
    assert publisher.publish(deb).status == 0
    assert publisher.init(suites=["testing"]).status == 0
    assert publisher.repo("promote", "trixie", "testing").status == 0
    assert publisher.repo("remove", "trixie", "3.6.9-1").status == 0
    named = publisher.repo("promote", "testing", "trixie", "--version", "3.6.9-1")
    refused = publisher.publish(deb)
    assert (named.status, refused.status) == (1, 1)
    assert "trixie withholds" in named.err
    everything = publisher.repo("promote", "testing", "trixie")
    assert everything.status == 0
    assert "trixie withholds 3.6.9-1 for amd64" in everything.err
    assert publisher.versions() == {"3.6.7-1", "3.6.8-1"}
    (command,) = re.findall("hint: etcd-deb (repo release .*)", refused.err)
    assert publisher.run(*command.split()).status == 0
    assert publisher.publish(deb).status == 0
    assert publisher.repo("remove", "trixie", "3.6.9-1").status == 0
    assert publisher.repo("rollback", "trixie").status == 0
    assert publisher.versions() == {"3.6.7-1", "3.6.8-1", "3.6.9-1"}
    assert "withheld" not in publisher.repo("list").out
    assert publisher.problems() == []


@pytest.mark.usefixtures("client")
def test_pruned_version_is_not_withheld(publisher: Publisher) -> None:
    assert publisher.repo("prune", "trixie", "--keep", "1").status == 0
    assert "withheld" not in publisher.repo("list", "trixie").out


def test_repository_of_before_keeps_the_series_that_it_told(publisher: Publisher) -> None:
    assert publisher.publish(publisher.deb("3.6.7-1")).status == 0
    release = publisher.repository / "dists/trixie/Release"
    assert "Etcd-Deb-Component: 3.6\n" in release.read_text()
    release.write_text(release.read_text().replace("Etcd-Deb-Component: 3.6\n", ""))
    assert publisher.publish(publisher.deb("3.7.0-1")).status == 0
    assert "\nComponents: 3.6\n" in publisher.sources


def test_foreign_architecture_of_a_node_is_not_asked_for(publisher: Publisher, client: AptClient) -> None:
    unnamed = re.sub("^Architectures: .*\n", "", publisher.sources, flags=re.MULTILINE)
    said = {}
    for sources in (unnamed, publisher.sources):
        client.use(sources)
        # Notices are for terminals.
        foreign = ("-o", "quiet=0", "-o", "APT::Architectures=amd64,i386,riscv64")
        said[sources] = client.apt("apt-get", *foreign, "update").stdout
        assert client.versions() == {"3.6.7-1", "3.6.8-1"}
    assert "Skipping acquire" in said[unnamed]
    assert "Skipping acquire" not in said[publisher.sources]


def test_old_spellings_work_with_a_warning(publisher: Publisher) -> None:
    for version in ("3.6.7-1", "3.6.8-1"):
        assert publisher.publish(publisher.deb(version)).status == 0
    first = json.loads(publisher.repo("list", SUITE, "--json").out)[SUITE]["kept"][-1]
    back = publisher.repo("rollback", SUITE, "--to", str(first))
    assert (back.status, publisher.versions()) == (0, {"3.6.7-1"})
    assert "warning: --to of etcd-deb repo rollback is now --generation" in back.err
    shown = publisher.repo("show", SUITE, "--json")
    assert "warning: repo show is now repo list" in shown.err
    assert json.loads(shown.out) == json.loads(publisher.repo("list", "--json").out)[SUITE]
    assert publisher.repo("show", SUITE).out == publisher.repo("list", SUITE).out
    assert " show" not in publisher.run("repo", "--help").out


def test_a_warning_is_shown_where_stages_are_not(publisher: Publisher) -> None:
    assert publisher.init(suites=("testing",)).status == 0
    deb = publisher.deb("3.6.7-1")
    for suite in (SUITE, "testing"):
        assert publisher.publish(deb, suite=suite).status == 0
    assert publisher.repo("remove", SUITE, "3.6.7-1").status == 0
    said = publisher.repo("promote", "testing", SUITE, "-q").err
    assert said == f"etcd-deb: warning: {SUITE} withholds 3.6.7-1 for amd64\n"
