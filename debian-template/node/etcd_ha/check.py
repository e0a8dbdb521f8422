"""Whether a cluster is as it should be."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from etcd_ha.certificate_faults import certificate_faults
from etcd_ha.endpoint import Endpoint
from etcd_ha.endpoint_faults import endpoint_faults
from etcd_ha.errors import on_one_line
from etcd_ha.expected import Expected
from etcd_ha.finding import Finding, Gap, merged
from etcd_ha.look import Look, look
from etcd_ha.member_faults import member_faults

FINE, FAULTY, UNKNOWN = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Report:
    """What was seen, what is wrong with it, and what was not looked at."""

    look: Look
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]

    @property
    def status(self) -> int:
        """The exit status: nothing that was not looked at counts as fine."""
        if self.look.nobody_answered:
            return UNKNOWN
        return FAULTY if self.findings else UNKNOWN if self.gaps else FINE

    @property
    def verdict(self) -> str:
        """In a sentence."""
        if self.look.nobody_answered:
            return "No member could be asked."
        if self.findings:
            return f"{len(self.findings)} faults found." if len(self.findings) > 1 else "1 fault found."
        return "No fault found, but not everything could be checked." if self.gaps else "All is well."


def check(expected: Expected) -> Report:
    """Look at a cluster and judge it. Raises EtcdHaError where nothing could be asked at all."""
    return judge(look(expected), expected)


def judge(seen: Look, expected: Expected) -> Report:
    """What is wrong with what was seen."""
    judgements = [
        *endpoint_faults(seen, expected),
        *certificate_faults(seen, expected),
        *member_faults(seen, expected),
    ]
    findings = merged([one for one in judgements if isinstance(one, Finding)])
    return Report(seen, findings, tuple(dict.fromkeys(one for one in judgements if isinstance(one, Gap))))


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
    return "\n".join([*map(on_one_line, lines), "", report.verdict])


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
