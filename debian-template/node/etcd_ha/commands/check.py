"""etcd-ha check: what is wrong with the cluster of this node."""

from __future__ import annotations

import os

from etcd_ha.check.check import check
from etcd_ha.check.report import as_json, as_text
from etcd_ha.errors import EtcdHaError
from etcd_ha.node import expected_of


def main(arguments: list[str]) -> int:
    """Print what is wrong with the cluster of this node. Returns the exit status."""
    if arguments not in ([], ["--json"]):
        raise EtcdHaError("etcd-ha check accepts only --json", hint="usage: etcd-ha check [--json]")
    report = check(expected_of(os.environ))
    print(as_json(report) if arguments else as_text(report))  # noqa: T201
    return report.status
