"""Versions with a known fault: the table that is shipped, what GitHub tells, and what the node says of it."""

from __future__ import annotations

import json
import subprocess
from datetime import date
from pathlib import Path

import pytest

from builder import shipped
from builder.advisories import kept_file, known_faults, parse
from builder.errors import DownloadFailed
from builder.known_faults import Faults, shipped_faults
from builder.release.github import PER_PAGE, GitHub, keep_advisories
from builder.release.origin import RemoteOrigin
from builder.system.progress import Progress
from tests.package.node.node_functions import functions_of
from tests.support.faults.answers import Fault as Answer
from tests.support.faults.answers import Status
from tests.support.releases.release_server import ReleaseServer
from tests.unit.samples import Heard, version

LIBRARY = shipped.DEBIAN_TEMPLATE / "node/lib"
WATCH = "GHSA-xg4h-6gfc-h4m8"
FRESH = "GHSA-aaaa-bbbb-cccc"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def github(server: ReleaseServer) -> GitHub:
    return GitHub(RemoteOrigin(f"{server.url}/api"), timeout=5)


def advisory(
    name: str = FRESH, affected: str = "< 3.6.17", patched: str = "3.6.17", **more: object
) -> dict[str, object]:
    row = {
        "package": {"ecosystem": "go", "name": "go.etcd.io/etcd/server/v3"},
        "vulnerable_version_range": affected,
        "patched_versions": patched,
    }
    return {"ghsa_id": name, "summary": "Something", "state": "published", "vulnerabilities": [row], **more}


def answered(server: ReleaseServer, *entries: object) -> None:
    server.script("/api/security-advisories", Status(200, body=json.dumps(list(entries)).encode()))


def fixed(faults: Faults, text: str) -> dict[str, str]:
    return {fault.source.rpartition("/")[2]: fault.fixed for fault in faults.of(version(text))}


@pytest.mark.parametrize(
    ("text", "source", "wanted"),
    [
        ("3.5.2", "13766", "3.5.4"),
        ("3.5.3", "13766", None),
        ("3.6.9", "21516", "3.6.10"),
        ("3.6.8", "21516", None),
        ("3.6.13", WATCH, "3.6.14"),
        ("3.6.14", WATCH, None),
        ("3.6.14", "22340", "3.6.15"),
        ("3.7.0-rc.0", WATCH, "3.7.1"),
        ("3.7.2", "v3.7.2...v3.7.3", "3.7.3"),
        ("3.8.0-alpha.0", WATCH, None),
    ],
)
def test_a_fault_is_known_of_each_version_that_has_it_with_the_one_that_fixes_it(
    text: str, source: str, wanted: str | None
) -> None:
    assert fixed(shipped_faults(), text).get(source) == wanted


@pytest.mark.parametrize("text", ["3.5.35", "3.6.16", "3.7.3"])
def test_the_version_that_fixes_every_fault_has_none(text: str) -> None:
    assert shipped_faults().warnings(version(text)) == ()


def test_a_series_that_upstream_has_ended_is_a_fault_that_nothing_fixes() -> None:
    (ended,) = shipped_faults().warnings(version("3.4.45"))
    assert "upstream ended support for etcd 3.4 on 2026-06-01; not fixed in any version" in str(ended)
    assert shipped_faults().of_package("3.3.27-1")[-1].fixed == ""


def test_each_fault_is_fixed_by_a_version_that_has_it_not() -> None:
    for fault in shipped_faults().table:
        assert fault.source.startswith("https://")
        for rows in fault.affected:
            assert all(fault.of(later) is None for later in rows.fixed), fault.name


def test_an_advisory_of_githubs_is_known_from_then_on(server: ReleaseServer, github: GitHub) -> None:
    answered(server, advisory())
    keep_advisories(github, Progress())
    faults = known_faults(Progress())
    assert fixed(faults, "3.6.16") == {FRESH: "3.6.17"}
    assert faults.as_of >= shipped_faults().as_of
    assert shipped_faults().of(version("3.6.16")) == ()


def test_github_is_right_of_an_advisory_that_is_shipped_too(server: ReleaseServer, github: GitHub) -> None:
    answered(
        server,
        advisory(WATCH, ">= 3.6.0, <= 3.6.16", "3.6.17"),
        advisory("GHSA-6vch-q96h-7gc3", withdrawn_at="2026-11-01T00:00:00Z"),
    )
    keep_advisories(github, Progress())
    assert fixed(known_faults(Progress()), "3.6.13").get(WATCH) == "3.6.17"
    assert "GHSA-6vch-q96h-7gc3" not in fixed(known_faults(Progress()), "3.6.13")


@pytest.mark.parametrize(
    ("affected", "patched", "text", "wanted"),
    [
        ("< 3.6.9", "3.4.42, 3.5.28, 3.6.9", "3.5.27", "3.5.28"),
        ("< 3.6.9", "3.4.42, 3.5.28, 3.6.9", "3.5.28", None),
        (">= 3.6.0, < 3.6.9", "3.6.9", "3.5.1", None),
        ("= 3.5.5", "v3.5.6", "3.5.5", "3.5.6"),
        ("3.5.5", "3.5.6", "3.5.4", None),
        ("<= 3.6.16", "", "3.6.16", ""),
    ],
)
def test_a_range_of_versions_is_read_as_github_means_it(
    affected: str, patched: str, text: str, wanted: str | None
) -> None:
    (fault,) = parse([advisory(affected=affected, patched=patched)]).faults
    found = fault.of(version(text))
    assert (found and found.fixed) == wanted


@pytest.mark.parametrize(
    "entry",
    [
        advisory(WATCH, "<= 3.5.32, <= 3.6.13", "3.5.33, 3.6.14"),
        advisory(WATCH, "all before 3.7", "3.7.1"),
        advisory(WATCH, "< 3.7.1", "main"),
        advisory(WATCH, "", "3.7.1"),
        advisory(WATCH, "< 3.7.1, 3.7.1", "3.7.2"),
        {"ghsa_id": WATCH, "summary": "Nothing"},
    ],
    ids=["two upper bounds", "words", "a branch", "nothing", "two kinds", "no versions"],
)
def test_an_advisory_whose_versions_are_not_understood_is_named_and_changes_nothing(
    server: ReleaseServer, github: GitHub, entry: object
) -> None:
    answered(server, entry)
    progress = Heard()
    keep_advisories(github, progress)
    assert [step for step in progress.steps if WATCH in step]
    assert fixed(known_faults(Progress()), "3.6.13").get(WATCH) == "3.6.14"


@pytest.mark.parametrize(
    "answer",
    [
        Status(403),
        Status(404),
        Status(200, body=b"{}"),
        Status(200, body=b"<html>"),
        Status(200, body=b'["junk"]'),
        Status(200, body=json.dumps([advisory()] * PER_PAGE).encode()),
    ],
    ids=["refused", "nothing there", "an object", "a page", "junk", "a full page without the next"],
)
def test_where_the_advisories_cant_be_read_that_is_said_and_what_is_known_stays(
    server: ReleaseServer, github: GitHub, answer: Answer
) -> None:
    answered(server, advisory())
    keep_advisories(github, Progress())
    before = kept_file().read_bytes()
    server.script_always("/api/security-advisories", answer)
    progress = Heard()
    keep_advisories(github, progress)
    assert progress.steps[-1].endswith(f"using the known faults as of {known_faults(Progress()).as_of}")
    assert kept_file().read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"read": "today", "advisories": []}', b"[" * 10**5])
def test_advisories_that_were_kept_and_are_damaged_are_said_and_not_believed(content: bytes) -> None:
    kept_file().parent.mkdir()
    kept_file().write_bytes(content)
    progress = Heard()
    assert known_faults(progress) == shipped_faults()
    assert str(kept_file()) in progress.steps[0]


def test_what_an_advisory_says_moves_no_cursor() -> None:
    (fault,) = parse([advisory(summary="A\x1b[2J\nB")]).faults
    assert fault.what.isprintable()


def test_an_advisory_without_a_name_is_no_list_of_advisories() -> None:
    with pytest.raises(DownloadFailed, match="without a name"):
        parse([{"ghsa_id": "../../x"}])


def test_of_two_lists_the_later_day_counts() -> None:
    early = shipped_faults().renewed(date(2020, 1, 1), ())
    assert early.as_of == shipped_faults().as_of


def told(function: str, file: Path) -> str:
    """What status prints of a package's file."""
    script = f"""
        line() {{ printf '%-11s %s\\n' "$1" "$2"; }}
        installed_version=3.6.7
        . "$LIB/status-json.sh"
        {functions_of(shipped.DEBIAN_TEMPLATE / "node/commands/status")}
        {function}
    """
    return subprocess.run(
        ["/bin/sh", "-eu", "-c", script],
        env={"LIB": str(LIBRARY), "FAULTS": str(file), "PATH": "/nothing"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    file = tmp_path / "known-faults"
    file.write_text("# Known faults\n3.6.14|it breaks|https://a.example\n|it's old|https://b.example\n")
    return file


def test_status_says_each_fault_once_without_starting_a_program(packed: Path) -> None:
    assert told("report_faults", packed).splitlines() == [
        "known fault etcd 3.6.7: it breaks; fixed in 3.6.14",
        "known fault etcd 3.6.7: it's old; fixed in no version",
    ]
    assert json.loads(told("json_faults", packed)) == [
        {"what": "it breaks", "source": "https://a.example", "fixed_in": "3.6.14"},
        {"what": "it's old", "source": "https://b.example", "fixed_in": None},
    ]


def test_status_of_a_version_without_a_fault_says_nothing_of_it(packed: Path) -> None:
    packed.write_text("# Known faults\n")
    assert told("report_faults", packed) == ""
    assert told("json_faults", packed) == "[]"


def test_status_that_cant_read_the_faults_says_so(packed: Path) -> None:
    packed.unlink()
    assert f"unknown: {packed} can't be read" in told("report_faults", packed)
    assert told("json_faults", packed) == "null"
