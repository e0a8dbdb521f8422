"""Check a cluster."""

from __future__ import annotations

from dataclasses import dataclass

from etcd_ha.check.certificate_faults import certificate_faults
from etcd_ha.check.endpoint_faults import endpoint_faults
from etcd_ha.check.expected import Expected
from etcd_ha.check.finding import Finding, Gap, merged
from etcd_ha.check.look import Look, look
from etcd_ha.check.member_faults import member_faults

FINE, FAULTY, UNKNOWN = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Report:
    """What was seen, what is wrong, and what was not checked."""

    look: Look
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]

    @property
    def status(self) -> int:
        """The exit status: what was not checked never counts as fine."""
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
    """Look at a cluster and judge it. Raises EtcdHaError if nothing could be asked at all."""
    return judge(look(expected), expected)


def judge(seen: Look, expected: Expected) -> Report:
    """The faults in what was seen."""
    judgements = [
        *endpoint_faults(seen, expected),
        *certificate_faults(seen, expected),
        *member_faults(seen, expected),
    ]
    findings = merged([one for one in judgements if isinstance(one, Finding)])
    return Report(seen, findings, tuple(dict.fromkeys(one for one in judgements if isinstance(one, Gap))))
