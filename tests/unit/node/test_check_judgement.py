"""What the check of a cluster makes of what was seen, without a cluster."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from etcd_ha.certificate import CLIENT, SERVER, Certificate
from etcd_ha.check.check import FAULTY, FINE, UNKNOWN, judge
from etcd_ha.check.expected import Expected
from etcd_ha.check.finding import Command
from etcd_ha.check.look import Look, Peer
from etcd_ha.check.report import as_text
from etcd_ha.check.round_trip import Step
from etcd_ha.connection import NotReached, Refusal
from etcd_ha.endpoint import Endpoint, Member, Status
from etcd_ha.identity import Identity

from builder import shipped

NOW = datetime(2026, 11, 27, tzinfo=UTC)
URLS = ("https://192.0.2.1:2379", "https://192.0.2.2:2379")
REFERENCE = Path(__file__).parents[3] / "docs/reference/check.md"
HERE = Command("renew", "here")
EXPECTED = Expected(URLS, Identity("ca.pem"), None, lambda _: (), HERE, HERE, HERE)
STEPS = tuple(Step(done, URLS[0]) for done in ("put", "get", "delete", "gone"))
CERTIFICATE = Certificate(
    subject=b"pg1",
    common_name=None,
    issuer=b"ca",
    issuer_name="a CA",
    not_before=NOW - timedelta(days=1),
    not_after=NOW + timedelta(days=365),
    usages=frozenset({SERVER, CLIENT}),
    names=(),
    addresses=(),
)


def endpoint(number: int, **changed: object) -> Endpoint:
    """A member that nothing is wrong with."""
    status = Status(f"{number}", "c", "1", False, 1000, 1000, 1 << 31, 7, frozenset(), 7)
    fine = Endpoint(
        URLS[number - 1], version="3.6.16", healthy=True, latency=0.001, clock=(-0.5, 0.5), status=status
    )
    return replace(fine, **changed)  # type: ignore[arg-type]


def seen(*endpoints: Endpoint, **changed: object) -> Look:
    """Two members, seen at these endpoints."""
    members = tuple(
        Member(f"{number}", f"pg{number}", (f"http://192.0.2.{number}:2380",), (URLS[number - 1],), False)
        for number in (1, 2)
    )
    fine = Look(NOW, endpoints or (endpoint(1), endpoint(2)), "c", members, (), STEPS, (), ())
    return replace(fine, **changed)  # type: ignore[arg-type]


def kinds(look: Look) -> list[tuple[str, str]]:
    return [(one.fault, one.where) for one in judge(look, EXPECTED).findings]


def test_what_is_fine_has_status_0() -> None:
    assert judge(seen(), EXPECTED).status == FINE


def test_what_was_not_looked_at_is_never_fine_and_a_fault_is_more_than_that() -> None:
    unread = seen(endpoint(1, unread_certificate="no DER"), endpoint(2))
    report = judge(unread, EXPECTED)
    assert (report.findings, report.status) == ((), UNKNOWN)
    assert "not checked: the certificate of https://192.0.2.1:2379 (no DER)" in as_text(report)
    assert judge(replace(unread, steps=(Step("put", URLS[0], "refused"),)), EXPECTED).status == FAULTY


def test_where_nobody_answered_nothing_is_known_whatever_was_found() -> None:
    refused = NotReached(Refusal.NO_ANSWER, "no answer in time")
    report = judge(seen(*(Endpoint(url, refused=refused) for url in URLS), members=None, steps=()), EXPECTED)
    assert (report.status, report.verdict) == (UNKNOWN, "No member could be asked.")
    assert {one.fault for one in report.findings} == {"no-answer"}


def test_one_clock_that_is_off_is_the_members_and_all_that_are_off_alike_are_ours() -> None:
    assert kinds(seen(endpoint(1, clock=(2.5, 3.5)), endpoint(2))) == [("clock", f"pg1 ({URLS[0]})")]
    assert kinds(seen(endpoint(1, clock=(2.5, 3.5)), endpoint(2, clock=(2.1, 3.1)))) == [
        ("clock", "this machine")
    ]
    # Both are off, and not by the same.
    assert len(kinds(seen(endpoint(1, clock=(2.5, 3.5)), endpoint(2, clock=(-9.0, -8.0))))) == 2
    # An answer that took long says little about the clock.
    assert kinds(seen(endpoint(1, clock=(-2.9, 1.1)), endpoint(2))) == []


def test_a_member_of_another_cluster_is_named_as_such() -> None:
    status = endpoint(2).status
    assert status is not None
    assert kinds(seen(endpoint(1), endpoint(2, status=replace(status, cluster="d")))) == [
        ("other-cluster", URLS[1])
    ]


def test_a_loopback_address_is_advertised_to_nobody_elsewhere() -> None:
    first = Member("1", "pg1", ("http://192.0.2.1:2380",), ("http://127.0.0.1:2379",), False)
    report = judge(seen(members=(first,), endpoints=(endpoint(1),)), EXPECTED)
    (found,) = report.findings
    assert (found.fault, found.on) == ("advertised-url", "pg1")
    assert "advertise-client-urls http://192.0.2.1:2379" in found.command


def test_a_quota_that_is_not_told_is_no_quota_that_is_far_away() -> None:
    status = endpoint(1).status
    assert status is not None
    report = judge(seen(endpoint(1, status=replace(status, quota=None)), endpoint(2)), EXPECTED)
    assert [one.why for one in report.gaps] == ["the member does not report its quota"]
    near = replace(status, database=80, quota=100, in_use=60)
    assert kinds(seen(endpoint(1, status=near), endpoint(2))) == [("database", f"pg1 ({URLS[0]})")]
    assert kinds(seen(endpoint(1, status=replace(near, database=79)), endpoint(2))) == []


@pytest.mark.parametrize(("days", "found"), [(29, ["certificate-ends-soon"]), (31, [])])
def test_a_ca_that_ends_within_thirty_days_is_found(days: int, found: list[str]) -> None:
    ending = replace(CERTIFICATE, not_after=NOW + timedelta(days=days))
    assert [kind for kind, _ in kinds(seen(authorities=(ending,)))] == found


def test_a_peer_certificate_needs_clientauth_where_the_member_wants_certificates() -> None:
    def found(wants: bool) -> list[tuple[str, str]]:
        certificate = replace(CERTIFICATE, usages=frozenset({SERVER}), names=("pg1",))
        members = (Member("1", "pg1", ("https://pg1:2380",), (URLS[0],), False),)
        peers = (Peer("https://pg1:2380", certificate, wants),)
        return kinds(seen(endpoint(1), members=members, peers=peers))

    assert found(True) == [("certificate-usage", "pg1 (https://pg1:2380)")]
    assert found(False) == []


def test_the_reference_has_each_kind_of_fault_and_no_other() -> None:
    rows = re.findall(r"^\| ([a-z, -]+) \| .* \|$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    documented = {kind for row in rows for kind in row.split(", ")} - {"kind"}
    made = {one.value for one in Refusal}
    for module in (shipped.DEBIAN_TEMPLATE / "node/etcd_ha").rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
                made |= {str(one.value) for one in node.args[:1] if isinstance(one, ast.Constant)}
    assert documented == made
