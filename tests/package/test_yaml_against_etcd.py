"""What the node reads from etcd.yaml is what real etcd takes from it, or is said to be unreadable."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, event, given, settings

from tests.lab.judge import Judge, Value, Verdict, judge
from tests.package.etcd_files import READ_KEYS, etcd_files
from tests.package.node_shell import REFUSED, NodeShell, Reading

NEWEST = "3.7.3"
ABSENT = 1
FILES = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=250)
# Of these an empty text is no value to etcd.
EMPTY_IS_DEFAULT = ("initial-cluster-state",)


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """The newest etcd's own reader."""
    with judge(NEWEST, tmp_path_factory.mktemp("judge")) as running:
        yield running


@pytest.fixture(scope="module")
def defaults(etcd: Judge) -> Verdict:
    """What etcd takes from an empty file."""
    return etcd.ask(b"")


def is_same(key: str, text: str, taken: Value, default: Value) -> bool:
    """Whether a text that was read means what etcd has taken."""
    if not text and (key.endswith("-urls") or key in EMPTY_IS_DEFAULT):
        return taken == default
    if key.endswith("-urls"):
        return sorted(map(str.strip, text.split(","))) == sorted(str(taken).split(","))
    if isinstance(taken, bool):
        return text == ("true" if taken else "false")
    return text == str(taken)


def check(document: bytes, readings: dict[str, Reading], verdict: Verdict, defaults: Verdict) -> None:
    """No value differs from what etcd takes, and no value that can't be read is taken for absent."""
    for key, reading in readings.items():
        taken, default = verdict.values[key], defaults.values[key]
        if reading.status == REFUSED:
            assert reading.text.startswith("line "), f"{key} of {document!r}: {reading}"
        elif reading.status == ABSENT:
            assert taken == default, f"{key} of {document!r} is {taken!r} to etcd, and was read as absent"
        else:
            assert is_same(key, reading.text, taken, default), (
                f"{key} of {document!r} is {taken!r} to etcd, and was read as {reading.text!r}"
            )


def compare(shell: NodeShell, etcd: Judge, defaults: Verdict, document: bytes) -> None:
    """Read a file and let etcd judge what was read."""
    verdict = etcd.ask(document)
    assume(not verdict.refusal)
    readings = shell.values(document, READ_KEYS)
    statuses = [reading.status for reading in readings.values()]
    event(
        "read whole"
        if REFUSED not in statuses
        else "read in part"
        if len(set(statuses)) > 1
        else "said to be unreadable"
    )
    check(document, readings, verdict, defaults)


@settings(FILES)
@given(etcd_files())
def test_no_value_is_read_otherwise_than_by_etcd(
    shell: NodeShell, etcd: Judge, defaults: Verdict, document: bytes
) -> None:
    compare(shell, etcd, defaults, document)


@pytest.mark.soak
@settings(FILES, max_examples=2000)
@given(etcd_files())
def test_no_value_of_2000_files_is_read_otherwise_than_by_etcd(
    shell: NodeShell, etcd: Judge, defaults: Verdict, document: bytes
) -> None:
    compare(shell, etcd, defaults, document)
