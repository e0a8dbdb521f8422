"""One member with TLS whose certificate is replaced while it runs: etcd reads it anew at each connection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from etcd_ha.check.check import FAULTY, UNKNOWN, Report, check
from etcd_ha.check.report import as_text

from tests.package.node.check.authority import CLIENT, SERVER, Authority, Pair
from tests.package.node.check.clusters import HOST, Cluster, faults, identity_of, planned, running, the


class Member:
    """A member and the files that it presents."""

    def __init__(self, cluster: Cluster, signer: Authority, pair: Pair) -> None:
        self.cluster, self.signer, self._pair = cluster, signer, pair

    @property
    def where(self) -> str:
        return f"pg1 ({self.cluster.members[0].url})"

    @property
    def peer(self) -> str:
        return f"pg1 ({self.cluster.members[0].peer_url})"

    def presents(self, pair: Pair) -> Report:
        """What is found when the member presents another certificate."""
        for new, old in ((pair.certificate, self._pair.certificate), (pair.key, self._pair.key)):
            old.write_bytes(new.read_bytes())
        return check(self.cluster.expected())


@pytest.fixture(scope="module")
def member(tmp_path_factory: pytest.TempPathFactory, signer: Authority, client: Pair) -> Iterator[Member]:
    pair = signer.issue("replaced", HOST)
    members = planned(tmp_path_factory.mktemp("one"), 1, (signer.file, pair))
    with running(members, identity_of(signer, client)) as cluster:
        yield Member(cluster, signer, pair)


def test_a_certificate_that_ends_in_ten_days_is_found_and_the_renewed_one_is_not(member: Member) -> None:
    report = member.presents(member.signer.issue("ending-server", HOST, days=10))
    assert {kind for kind, _ in faults(report)} == {"certificate-ends-soon"}
    found = the(report, "certificate-ends-soon")
    assert found.where == f"{member.where}, {member.peer}"
    assert "cluster certs cluster.yaml --renew" in found.command
    assert report.status == FAULTY
    assert member.presents(member.signer.issue("renewed-server", HOST)).findings == ()


def test_a_certificate_that_has_ended_is_found_with_its_day(member: Member) -> None:
    report = member.presents(member.signer.issue("ended", HOST, began=30, days=-2))
    found = the(report, "certificate-expired")
    assert found.where == f"{member.where}, {member.peer}" or found.where == member.where
    assert "it expired on " in found.found
    assert report.status == UNKNOWN


def test_a_certificate_that_is_not_valid_yet_is_found(member: Member) -> None:
    report = member.presents(member.signer.issue("early", HOST, began=-2))
    assert "it is valid from " in the(report, "certificate-not-yet-valid").found


def test_a_certificate_without_clientauth_is_found_before_the_restart_after_which_the_gateway_fails(
    member: Member,
) -> None:
    report = member.presents(member.signer.issue("server", HOST, usages=(SERVER,)))
    found = the(report, "certificate-usage")
    assert "clientAuth" in found.expected
    assert found.found == "serverAuth"
    assert {kind for kind, _ in faults(report)} == {"certificate-usage"}


def test_a_gateway_that_fails_for_want_of_clientauth_is_found_with_its_reason(
    tmp_path: Path, signer: Authority, client: Pair
) -> None:
    pair = signer.issue("never-a-client", HOST, usages=(SERVER,))
    with running(planned(tmp_path, 1, (signer.file, pair)), identity_of(signer, client)) as cluster:
        report = check(cluster.expected())
        assert {kind for kind, _ in faults(report)} == {"certificate-usage", "gateway"}, as_text(report)
        assert report.status == FAULTY


def test_a_certificate_without_serverauth_is_found(member: Member) -> None:
    report = member.presents(member.signer.issue("client-only", HOST, usages=(CLIENT,)))
    assert "serverAuth" in the(report, "certificate-usage").expected


def test_a_certificate_without_the_address_is_found_with_the_names_it_has(member: Member) -> None:
    report = member.presents(member.signer.issue("names", "pg1.example.org"))
    found = the(report, "certificate-name")
    assert (found.expected, found.found) == (f"a certificate for {HOST}", "one for pg1.example.org")
    # An address as a name is none: Go's TLS looks among the addresses alone.
    assert "certificate-chain" not in {kind for kind, _ in faults(report)}


def test_a_certificate_without_any_usage_serves_both(member: Member) -> None:
    assert member.presents(member.signer.issue("unlimited", HOST, usages=())).findings == ()
