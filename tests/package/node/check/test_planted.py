"""One fault planted in each cluster, found, and mended by the command that the finding has."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from etcd_ha.check.check import FAULTY, FINE, UNKNOWN, check
from etcd_ha.check.expected import KnownFault
from etcd_ha.check.report import as_text
from etcd_ha.identity import Identity

from builder.known_faults import full_version, shipped_faults
from tests.package.node.check.clusters import HOST, NEWEST, Cluster, faults, planned, running, the
from tests.support.wait import wait_for


def test_a_stopped_member_is_found_and_the_round_trip_goes_through_the_others(
    tmp_path: Path,
) -> None:
    members = planned(tmp_path, 3)
    with running(members) as cluster:
        members[1].stop()
        wait_for("the others to serve", lambda: len(check(cluster.expected()).findings) == 1, within=30)
        report = check(cluster.expected())
        found = the(report, "not-listening")
        assert (found.where, found.on) == (f"pg2 ({members[1].url})", "pg2")
        assert found.command == "systemctl start etcd"
        assert [one.failure for one in report.look.steps] == [""] * 4
        members[2].stop()
        wait_for("the quorum to be lost", lambda: is_lost(cluster), within=30)
        report = check(cluster.expected())
        assert ("unhealthy", f"pg1 ({members[0].url})") in faults(report)
        assert report.status == FAULTY
        members[0].stop()
        report = check(cluster.expected())
        assert (report.status, report.verdict) == (UNKNOWN, "No member could be asked.")


def is_lost(cluster: Cluster) -> bool:
    return check(cluster.expected()).look.endpoints[0].healthy is False


def test_a_member_that_never_started_is_found_and_removed_by_the_command(
    tmp_path: Path,
) -> None:
    with running(planned(tmp_path, 1)) as cluster:
        cluster.etcdctl("member", "add", "pg2", f"--peer-urls=http://{HOST}:1", "--learner")
        report = check(cluster.expected())
        assert {kind for kind, _ in faults(report)} == {"member-not-started", "learner", "member-extra"}
        cluster.type(the(report, "member-extra"))
        assert check(cluster.expected()).status == FINE


def test_a_url_that_is_advertised_and_leads_nowhere_is_found_with_the_one_that_does(tmp_path: Path) -> None:
    (member,) = planned(tmp_path, 1)
    with running([replace(member, changed={"advertise-client-urls": f"http://{HOST}:1"})]) as cluster:
        report = check(replace(cluster.expected(), members=None))
        found = the(report, "advertised-url")
        assert found.command == f"etcd-ha config set advertise-client-urls {member.url} && etcd-ha restart"
        assert f"it answers at {member.url}" in found.found


def test_a_url_that_leads_to_another_member_is_found(tmp_path: Path) -> None:
    first, second = planned(tmp_path, 2)
    with running([first, replace(second, changed={"advertise-client-urls": first.url})]) as cluster:
        report = check(replace(cluster.expected(), members=None, urls=(second.url, first.url)))
        found = the(report, "advertised-url")
        assert (found.where, found.found) == ("pg2", "pg1 answers there")
        assert second.url in found.command


def test_a_gateway_that_is_off_is_found(tmp_path: Path) -> None:
    (member,) = planned(tmp_path, 1)
    with running([replace(member, changed={"enable-grpc-gateway": "false"})]) as cluster:
        report = check(cluster.expected())
        found = the(report, "gateway-off")
        assert found.command == "etcd-ha config set enable-grpc-gateway true && etcd-ha restart"
        assert found.on == "pg1"
        assert report.status == FAULTY


def test_a_quota_that_is_reached_is_found_and_the_alarm_is_cleared_by_the_command(tmp_path: Path) -> None:
    (member,) = planned(tmp_path, 1)
    with running([replace(member, changed={"quota-backend-bytes": "400000"})]) as cluster:
        value = tmp_path / "value"
        value.write_text("x" * 60000)
        wait_for("the alarm", lambda: "alarm" in {kind for kind, _ in filled(cluster, value)}, within=30)
        report = check(cluster.expected())
        assert {kind for kind, _ in faults(report)} >= {"alarm", "database"}
        found = the(report, "alarm")
        assert found.where == "pg1"
        assert "NOSPACE" in found.found
        cluster.type(found)
        assert check(cluster.expected()).status == FINE, as_text(check(cluster.expected()))


def filled(cluster: Cluster, value: Path) -> set[tuple[str, str]]:
    """Faults after the same key was written once more; after the alarm nothing is written."""
    cluster.etcdctl("put", "filler", f'"$(cat {value})"', "|| true")
    return faults(check(cluster.expected()))


def test_two_versions_and_one_with_known_faults_are_found(tmp_path: Path) -> None:
    first, second = planned(tmp_path, 2)
    with running([first, replace(second, version="3.6.7")]) as cluster:
        report = check(replace(cluster.expected(), faults_of=shipped))
        found = the(report, "versions")
        assert found.found == f"{NEWEST} on pg1; 3.6.7 on pg2"
        assert found.on == "pg2"
        known = the(report, "known-fault")
        assert known.where == "pg2"
        assert "etcd 3.6.7: " in known.found


def shipped(version: str) -> tuple[KnownFault, ...]:
    """As etcd-deb knows them."""
    return tuple(
        KnownFault(one.what, one.source, one.fixed) for one in shipped_faults().of(full_version(version))
    )


@pytest.mark.parametrize("kind", ["simple", "jwt"])
def test_authentication_without_a_user_is_found_and_with_one_all_is_checked(
    tmp_path: Path, kind: str
) -> None:
    (member,) = planned(tmp_path, 1)
    # A token of that kind is several hundred characters long.
    key = tmp_path / "token.key"
    subprocess.run(["openssl", "genrsa", "-out", key, "4096"], check=True, capture_output=True)
    options = f"jwt,priv-key={key},sign-method=RS512,ttl=10m" if kind == "jwt" else kind
    with running([replace(member, changed={"auth-token": options})]) as cluster:
        cluster.etcdctl("user", "add", "root:secret")
        cluster.etcdctl("user", "grant-role", "root", "root")
        cluster.etcdctl("auth", "enable")
        report = check(cluster.expected())
        found = the(report, "authentication")
        assert "no user given" in found.found
        assert found.command.endswith("--credentials FILE")
        assert report.status == FAULTY
        as_root = check(cluster.expected(Identity(user="root:secret")))
        assert as_root.status == FINE, as_text(as_root)
        wrong = check(cluster.expected(Identity(user="root:guess")))
        assert "user root" in the(wrong, "authentication").found
        assert "guess" not in as_text(wrong)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_url_where_no_etcd_answers_is_no_member(tmp_path: Path, scheme: str) -> None:
    (member,) = planned(tmp_path, 1)
    with running([member]) as cluster:
        url = f"{scheme}://{HOST}:{member.peer_port if scheme == 'http' else member.port}"
        report = check(replace(cluster.expected(), urls=(url,), members=None))
        kinds = {kind for kind, _ in faults(report)}
        assert kinds >= ({"speaks-plain"} if scheme == "https" else {"gateway-off"}), as_text(report)
