"""etcd's security advisories as GitHub's API has them, kept for the builds that follow.

They add to conf/known-faults.toml, and take the place of an entry of the same name. The package carries none
of them: its bytes are those of its etcd-deb, on every day.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from builder.errors import DownloadFailed, EtcdDebError, UsageError, on_one_line
from builder.known_faults import Affected, Fault, Faults, full_version, shipped_faults
from builder.settings import read_small, xdg_folder
from builder.system.progress import Progress
from builder.version import UpstreamVersion

_NAME = re.compile(r"GHSA(-[0-9a-z]{4}){3}")
_BOUND = re.compile(r"(<=|>=|<|=)?\s*(v?[0-9][0-9A-Za-z.-]*)")
# What of an advisory is used, and kept (GitHub's REST API, repository security advisories).
FIELDS = ("ghsa_id", "summary", "state", "withdrawn_at", "vulnerabilities")


@dataclass(frozen=True, slots=True)
class Read:
    """Advisories that were understood, and the names of those whose versions were not."""

    faults: tuple[Fault, ...]
    unread: tuple[str, ...]


def kept_file() -> Path:
    """Where the answer of GitHub is kept. Raises EtcdDebError where the user has no home."""
    return xdg_folder("XDG_CACHE_HOME", "~/.cache") / "etcd-deb" / "advisories.json"


def known_faults(progress: Progress) -> Faults:
    """Those that come with etcd-deb, and what GitHub has reported to this user since. Damage is a warning."""
    try:
        return kept_faults(kept_file())
    except EtcdDebError as error:
        shipped = shipped_faults()
        progress.step(f"{error.summary}; using the known faults as of {shipped.as_of}")
        return shipped


def kept_faults(file: Path) -> Faults:
    """Those that come with etcd-deb, and what a file keeps of GitHub's.

    Raises EtcdDebError for a damaged one.
    """
    try:
        content: object = json.loads(read_small(file))
        if not isinstance(content, dict):
            raise ValueError("it is not an object")
        day = date.fromisoformat(str(content.get("read")))
        return shipped_faults().renewed(day, parse(content["advisories"]).faults)
    except FileNotFoundError:
        return shipped_faults()
    except (DownloadFailed, OSError, KeyError, ValueError, RecursionError) as error:
        raise EtcdDebError(
            f"can't read the advisories in {file}", details=(str(error),), hint=f"rm {file}"
        ) from error


def parse(answer: object) -> Read:
    """Raises DownloadFailed if it is not a list of advisories."""
    faults: list[Fault] = []
    unread: list[str] = []
    for entry in answer if isinstance(answer, Iterable) else ():
        name = str(entry.get("ghsa_id")) if isinstance(entry, dict) else ""
        if not _NAME.fullmatch(name):
            raise DownloadFailed(
                "the list of advisories has an entry without a name such as GHSA-xg4h-6gfc-h4m8"
            )
        if entry.get("state") not in (None, "published"):
            continue
        what = on_one_line(str(entry.get("summary"))).strip()
        if entry.get("withdrawn_at"):
            faults.append(Fault(name, what, advisory_url(name), ()))
            continue
        try:
            affected = tuple(map(_affected, _rows(entry.get("vulnerabilities"))))
        except UsageError:
            unread.append(name)
            continue
        faults.append(Fault(name, what, advisory_url(name), affected))
    return Read(tuple(faults), tuple(unread))


def advisory_url(name: str) -> str:
    return f"https://github.com/etcd-io/etcd/security/advisories/{name}"


def _rows(vulnerabilities: object) -> list[dict[str, object]]:
    rows = vulnerabilities if isinstance(vulnerabilities, list) else []
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise UsageError("no versions")
    return rows


def _affected(row: dict[str, object]) -> Affected:
    """A range of at most one lower and one upper bound, all of which hold (GitHub Advisory Database).

    Raises UsageError for any other: read as such it would leave versions out.
    """
    bounds: dict[str, UpstreamVersion] = {}
    for part in str(row.get("vulnerable_version_range") or "").split(","):
        match = _BOUND.fullmatch(part.strip())
        sign = "" if not match else {"<=": "last", "<": "before", ">=": "first"}.get(match[1], "only")
        if not match or sign in bounds:
            raise UsageError(f"{part!r} is not a version bound")
        bounds[sign] = full_version(match[2])
    if {"last", "before"} <= set(bounds) or ("only" in bounds and len(bounds) > 1):
        raise UsageError("more than one upper bound")
    patched = re.split(r"[,\s]+", str(row.get("patched_versions") or "").strip())
    return Affected(
        first=bounds.get("first", bounds.get("only")),
        last=bounds.get("last", bounds.get("only")),
        before=bounds.get("before"),
        fixed=tuple(full_version(one) for one in patched if one),
    )
