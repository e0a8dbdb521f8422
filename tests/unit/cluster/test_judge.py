"""Certificates are judged as etcd judges them; tests/package/cluster asks Go about the same ones."""

from __future__ import annotations

import pytest

from builder.cluster.tls.judge import faults
from tests.unit.cluster.planted_certificates import NOW, cases

CASES = cases()


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_named_and_what_serves_has_none(name: str) -> None:
    case = CASES[name]
    found = faults(
        [made.certificate for made in case.chain],
        [made.certificate for made in case.trusted],
        case.subject,
        NOW,
    )
    if case.fault:
        assert any(case.fault in fault for fault in found), found
    else:
        assert found == ()
