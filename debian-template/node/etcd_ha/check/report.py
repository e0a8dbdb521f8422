"""The results of a check, as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

from etcd_ha.check.check import FAULTY, FINE, UNKNOWN, Report
from etcd_ha.check.look import Look
from etcd_ha.endpoint import Endpoint
from etcd_ha.errors import on_one_line

# Maximum characters of a line.
LONGEST = 4000


def as_json(report: Report) -> str:
    """As docs/reference/json/cluster-check.json describes it."""
    seen = report.look
    value = {
        "looked_at": f"{seen.at:%Y-%m-%dT%H:%M:%SZ}",
        "result": {FINE: "fine", FAULTY: "faulty", UNKNOWN: "unknown"}[report.status],
        "cluster_id": seen.cluster or None,
        "endpoints": [_endpoint(one, seen) for one in seen.endpoints],
        "findings": [asdict(one) for one in report.findings],
        "not_checked": [asdict(one) for one in report.gaps],
    }
    return json.dumps(value, indent=1)


def _endpoint(one: Endpoint, seen: Look) -> dict[str, object]:
    member, status = _member(one, seen), one.status
    return {
        "url": one.url,
        "member": member or None,
        "member_id": status.id if status else None,
        "refused": one.refused.refusal.value if one.refused else None,
        "healthy": one.healthy,
        "latency_ms": None if one.latency is None else round(one.latency * 1000, 1),
        "version": one.version,
        "is_leader": status.leader == status.id if status else None,
        "is_learner": status.is_learner if status else None,
        "database_bytes": status.database if status else None,
        "quota_bytes": status.quota if status else None,
        "certificate_until": f"{one.certificate.not_after:%Y-%m-%dT%H:%M:%SZ}" if one.certificate else None,
    }


def _member(one: Endpoint, seen: Look) -> str:
    member = seen.member(one.status.id) if one.status else seen.owner(one.url)
    return member.shown if member else ""


def as_text(report: Report) -> str:
    """A table of the endpoints, the findings, what was not checked, and the verdict."""
    rows: list[tuple[str, ...]] = [
        ("MEMBER", "ENDPOINT", "HEALTH", "LATENCY", "VERSION", "ROLE", "DATABASE", "CERTIFICATE UNTIL")
    ]
    rows += [_row(one, report.look) for one in report.look.endpoints]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    for one in report.findings:
        lines += [
            "",
            f"{one.fault}: {one.where}",
            f"  expected  {one.expected}",
            f"  found     {one.found}",
            f"  on {one.on}: {one.command}",
        ]
    if report.gaps:
        lines += ["", *(f"not checked: {one.what} ({one.why})" for one in report.gaps)]
    # Text from a server is already short; but one finding may contain several faults of a version.
    return "\n".join([*(on_one_line(line, LONGEST) for line in lines), "", report.verdict])


def _row(one: Endpoint, seen: Look) -> tuple[str, ...]:
    status = one.status
    health = {
        True: "healthy",
        False: "unhealthy",
        None: one.refused.refusal.value if one.refused else "unknown",
    }
    role = (
        "-"
        if not status
        else "learner"
        if status.is_learner
        else "leader"
        if status.leader == status.id
        else "follower"
    )
    used = f"{status.database / 1e6:.1f} MB" if status else "-"
    if status and status.quota:
        used += f" ({100 * status.database // status.quota} %)"
    return (
        _member(one, seen) or "-",
        one.url,
        health[one.healthy],
        "-" if one.latency is None else f"{one.latency * 1000:.0f} ms",
        one.version or "-",
        role,
        used,
        f"{one.certificate.not_after:%Y-%m-%d}" if one.certificate else "-",
    )
