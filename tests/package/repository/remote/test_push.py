"""A copy of the repository in a bucket and behind rsync, as clients and other publishers find it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from builder.repository.state.sweep import GRACE
from tests.package.repository.remote.pushing import client, must_push, push, wanted
from tests.package.repository.test_upkeep import age
from tests.support.archives.publisher import Publisher
from tests.support.archives.remotes import RemoteStore


def elsewhere(store: RemoteStore) -> str:
    """A bucket or module that is not there."""
    return re.sub(r"bucket-\d+|apt", "no-such-place", store.target, count=1)


@pytest.mark.parametrize("store", ["s3", "rsync"], indirect=True)
def test_clients_install_from_the_remote(publisher: Publisher, store: RemoteStore, tmp_path: Path) -> None:
    options = ("--to", store.target, *store.options)
    assert publisher.publish(publisher.deb("3.6.7-1"), options=options).status == 0
    assert publisher.publish(publisher.deb("3.6.8-1"), options=options).status == 0
    apt = client(publisher, tmp_path / "client")
    apt.update()
    assert apt.versions() == {"3.6.7-1", "3.6.8-1"}
    apt.download("3.6.7-1")
    there = store.files()
    assert {name: there[name] for name in wanted(publisher)} == wanted(publisher)


def test_a_client_that_has_the_last_state_sees_the_next_one(
    publisher: Publisher, store: RemoteStore, tmp_path: Path
) -> None:
    assert publisher.publish(publisher.deb("3.6.0-1")).status == 0
    must_push(publisher, store)
    apt = client(publisher, tmp_path / "client")
    apt.update()
    versions = {"3.6.0-1"}
    for version in ("3.6.1-1", "3.6.2-1", "3.6.3-1"):
        assert publisher.publish(publisher.deb(version)).status == 0
        must_push(publisher, store)
        versions.add(version)
        apt.update()
        assert apt.versions() == versions


def test_second_push_sends_nothing(publisher: Publisher, store: RemoteStore) -> None:
    assert publisher.publish(publisher.deb("3.6.7-1")).status == 0
    must_push(publisher, store)
    before = store.files()
    assert must_push(publisher, store) == f"{store.target} is already up to date\n"
    assert store.files() == before


def test_only_what_is_new_is_sent(publisher: Publisher, store: RemoteStore) -> None:
    assert publisher.publish(publisher.deb("3.5.9-1"), publisher.deb("3.6.7-1")).status == 0
    must_push(publisher, store)
    assert publisher.publish(publisher.deb("3.6.8-1")).status == 0
    done = publisher.repo("push", "--to", store.target, *store.options, "--json")
    (pushed,) = json.loads(done.out)["pushed"]
    assert [name for name in pushed["sent"] if name.startswith("pool/")] == [
        "pool/3.6/etcd-ha_3.6.8-1_amd64.deb"
    ]
    assert [name for name in pushed["sent"] if "by-hash" in name and "/3.5/" in name] == []
    assert pushed["switched"] == ["trixie"]
    assert pushed["sent"][-1] == "dists/trixie/InRelease"


def test_what_is_missing_there_is_sent_again(publisher: Publisher, store: RemoteStore) -> None:
    assert publisher.publish(publisher.deb("3.6.7-1")).status == 0
    must_push(publisher, store)
    store.put("pool/3.6/etcd-ha_3.6.8-1_amd64.deb", b"half of a pack")
    must_push(publisher, store)
    there = store.files()
    assert {name: there[name] for name in wanted(publisher)} == wanted(publisher)


def test_what_nothing_names_is_deleted_after_the_time_of_grace(
    publisher: Publisher, store: RemoteStore
) -> None:
    assert publisher.publish(publisher.deb("3.6.7-1"), publisher.deb("3.6.8-1")).status == 0
    must_push(publisher, store)
    old = set(store.files())
    assert publisher.repo("remove", "trixie", "3.6.7-1").status == 0
    must_push(publisher, store)
    # A client may have read the first InRelease just before.
    assert old <= set(store.files())
    must_push(publisher, store)
    assert old <= set(store.files())
    store.pass_time(GRACE + 60)
    store.put("pool/3.6/somebody-elses_1_all.deb", b"")
    must_push(publisher, store)
    # The local generations still name it, but no client of the remote does.
    assert set(store.files()) == {*wanted(publisher), "pool/3.6/somebody-elses_1_all.deb"}


def test_the_replaced_state_stays_however_old_it_is(publisher: Publisher, store: RemoteStore) -> None:
    assert publisher.publish(publisher.deb("3.6.7-1")).status == 0
    must_push(publisher, store)
    old = {name for name in store.files() if name.startswith("pool/") or "by-hash" in name}
    store.pass_time(GRACE + 60)
    assert publisher.publish(publisher.deb("3.6.8-1")).status == 0
    assert publisher.repo("remove", "trixie", "3.6.7-1").status == 0
    must_push(publisher, store)
    assert old <= set(store.files())


def test_another_publishers_state_is_not_overwritten(
    publisher: Publisher, store: RemoteStore, tmp_path: Path
) -> None:
    other = Publisher(tmp_path / "other", publisher.gnupg_home)
    other.account.variables.update(store.variables)
    assert other.init().status == 0
    assert other.publish(other.deb("3.6.9-1")).status == 0
    must_push(other, store)
    before = store.files()
    assert publisher.publish(publisher.deb("3.6.7-1")).status == 0
    refused = push(publisher, store)
    assert refused.status == 1
    assert "has files of another publisher" in refused.err
    assert store.files() == before


def test_suites_of_another_repository_are_not_touched(
    publisher: Publisher, store: RemoteStore, tmp_path: Path
) -> None:
    other = Publisher(tmp_path / "other", publisher.gnupg_home)
    other.account.variables.update(store.variables)
    assert other.init(suites=["forky"]).status == 0
    must_push(other, store)
    before = store.files()
    refused = push(publisher, store)
    assert refused.status == 1
    assert "has suites of another repository: forky" in refused.err
    assert store.files() == before


def test_a_remote_that_waited_longer_than_generations_are_kept_is_still_ours(
    publisher: Publisher, store: RemoteStore
) -> None:
    assert publisher.publish(publisher.deb("3.6.0-1")).status == 0
    must_push(publisher, store)
    for patch in range(1, 6):
        assert publisher.publish(publisher.deb(f"3.6.{patch}-1")).status == 0
        age(publisher, 2 * GRACE)
    must_push(publisher, store)
    assert store.files()["dists/trixie/InRelease"] == wanted(publisher)["dists/trixie/InRelease"]


def test_no_remote_is_said_with_the_next_step(publisher: Publisher, store: RemoteStore) -> None:
    nowhere = elsewhere(store)
    refused = publisher.repo("push", "--to", nowhere, *store.options)
    assert refused.status == 1
    assert "no-such-place" in refused.err
    assert "hint: " in refused.err
    assert "Traceback" not in refused.err


def test_one_remote_that_fails_stops_no_other(publisher: Publisher, store: RemoteStore) -> None:
    nowhere = elsewhere(store)
    assert publisher.publish(publisher.deb("3.6.7-1")).status == 0
    done = publisher.repo("push", "--to", nowhere, "--to", store.target, *store.options)
    assert done.status == 1
    assert store.target in done.out
    assert "dists/trixie/InRelease" in store.files()
