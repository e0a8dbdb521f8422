"""What the node reads from etcd.yaml is what real etcd takes from it, or is said to be unreadable."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from tests.package.node.config.etcd_file_corners import CORNERS
from tests.package.node.config.etcd_files import READ_KEYS, etcd_files
from tests.package.node.node_shell import REFUSED, UNSET, Edit, NodeShell, Reading, node_shell
from tests.support.releases.judge import Judge, Value, Verdict, judge

NEWEST = "3.7.3"
ABSENT = 1
WRITTEN: dict[str, Value] = {"true": True, "12345": 12345}
FILES = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=100)
# Of these an empty text is no value to etcd.
EMPTY_IS_DEFAULT = ("initial-cluster-state",)


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """The newest etcd's own reader."""
    with judge(NEWEST, tmp_path_factory.mktemp("judge")) as running:
        yield running


@pytest.fixture(scope="module")
def busybox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeShell]:
    """The node's shell with the awk of busybox; that of the others is Debian's, mawk."""
    with node_shell(tmp_path_factory.mktemp("busybox"), "busybox") as running:
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


@pytest.mark.parametrize("document", CORNERS, ids=repr)
def test_no_corner_is_read_otherwise_than_by_etcd(
    shell: NodeShell, etcd: Judge, defaults: Verdict, document: bytes
) -> None:
    verdict = etcd.ask(document)
    assert bool(verdict.refusal) == (document in CORNERS[-2:]), verdict.refusal
    if not verdict.refusal:
        check(document, shell.values(document, READ_KEYS), verdict, defaults)


@settings(FILES)
@given(etcd_files())
def test_no_value_is_read_otherwise_than_by_etcd(
    shell: NodeShell, etcd: Judge, defaults: Verdict, document: bytes
) -> None:
    compare(shell, etcd, defaults, document)


@settings(FILES, max_examples=30)
@given(etcd_files())
def test_another_awk_reads_the_same(
    busybox: NodeShell, etcd: Judge, defaults: Verdict, document: bytes
) -> None:
    compare(busybox, etcd, defaults, document)


EDITS = st.lists(
    st.sampled_from(
        [
            *(
                Edit(key, "string", "/new")
                for key in ("name", "data-dir", "peer-transport-security.cert-file")
            ),
            *(Edit(key, operation=UNSET) for key in READ_KEYS if key.endswith(("-file", "-dir", "name"))),
            Edit("client-transport-security.client-cert-auth", "bool", "true"),
            Edit("snapshot-count", "int", "12345"),
        ]
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda edit: edit.key,
)


@settings(FILES, max_examples=50)
@given(etcd_files(), EDITS)
def test_an_edit_changes_its_own_key_for_etcd_and_no_other(
    shell: NodeShell, etcd: Judge, defaults: Verdict, document: bytes, edits: list[Edit]
) -> None:
    before = etcd.ask(document)
    assume(not before.refusal)
    outcome = shell.edit(document, edits)
    assume(outcome.status == 0)
    wanted = {
        edit.key: defaults.values[edit.key]
        if edit.operation == UNSET
        else WRITTEN.get(edit.value, edit.value)
        for edit in edits
    }
    after = etcd.ask(outcome.edited)
    assert after.refusal == "", f"{document!r} became {outcome.edited!r}: {after.refusal}"
    assert after.values == before.values | wanted, f"{document!r} became {outcome.edited!r}"


@pytest.mark.soak
@settings(FILES, max_examples=2000, derandomize=False)
@given(etcd_files())
def test_no_value_of_2000_files_is_read_otherwise_than_by_etcd(
    shell: NodeShell, etcd: Judge, defaults: Verdict, document: bytes
) -> None:
    compare(shell, etcd, defaults, document)
