"""Faults that a version of etcd is known to have, and the version that fixes each.

What comes with etcd-deb is in conf/known-faults.toml; builder/advisories.py keeps what GitHub has
told since.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache

from builder import shipped
from builder.errors import EtcdDebError, UsageError
from builder.version import Series, UpstreamVersion, parse_version

TABLE = shipped.CONF / "known-faults.toml"
END_OF_LIFE = "https://etcd.io/blog/2026/june-patch-release/"


@dataclass(frozen=True, slots=True)
class KnownFault:
    """A fault of one version. source: a URL; fixed: empty where no version is known to be without it."""

    what: str
    source: str
    fixed: str

    def __str__(self) -> str:
        return f"{self.what}; {f'fixed in {self.fixed}' if self.fixed else 'not fixed in any version'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """Versions from first to last or to before another one, but for the fixed ones of a series.

    A bound that is None bounds nothing.
    """

    first: UpstreamVersion | None = None
    last: UpstreamVersion | None = None
    before: UpstreamVersion | None = None
    fixed: tuple[UpstreamVersion, ...] = ()

    def __contains__(self, version: UpstreamVersion) -> bool:
        return (
            (self.first is None or self.first <= version)
            and (self.last is None or version <= self.last)
            and (self.before is None or version < self.before)
            and all(one.series != version.series or version < one for one in self.fixed)
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of several versions. name: an advisory's ID, or one of etcd-deb's."""

    name: str
    what: str
    source: str
    affected: tuple[Affected, ...]

    def of(self, version: UpstreamVersion) -> KnownFault | None:
        """None where the version has it not."""
        found = [one for one in self.affected if version in one]
        if not found:
            return None
        fixed = min((later for one in found for later in one.fixed if later > version), default="")
        return KnownFault(self.what, self.source, str(fixed))


@dataclass(frozen=True, slots=True)
class Faults:
    """All that are known. as_of: the day on which they were looked up."""

    as_of: date
    table: tuple[Fault, ...]

    def of(self, version: UpstreamVersion) -> tuple[KnownFault, ...]:
        """Those of a version."""
        return tuple(found for fault in self.table if (found := fault.of(version)))

    def warnings(self, version: UpstreamVersion) -> tuple[KnownFault, ...]:
        """Those of a version, and that upstream no longer maintains it."""
        if not (ended := ended_on(version.series)):
            return self.of(version)
        what = f"faults found after upstream ended support for etcd {version.series} {ended}"
        return (*self.of(version), KnownFault(what, END_OF_LIFE, ""))

    def of_package(self, version: str) -> tuple[KnownFault, ...]:
        """The warnings of a package's version, such as 3.6.7-1; none if it is not a release of etcd."""
        try:
            return self.warnings(full_version(version.rpartition("-")[0].replace("~", "-")))
        except UsageError:
            return ()

    def renewed(self, as_of: date, fresh: Iterable[Fault]) -> Faults:
        """With faults that were looked up later, each in the place of the one of its name."""
        by_name = {fault.name: fault for fault in (*self.table, *fresh)}
        return Faults(max(as_of, self.as_of), tuple(by_name.values()))


@cache
def shipped_faults() -> Faults:
    """Those that come with etcd-deb: the same for each build. Raises EtcdDebError for a broken table."""
    try:
        return _parse(tomllib.loads(TABLE.read_text(encoding="utf-8")))
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise EtcdDebError(
            f"can't read {TABLE}",
            details=(f"found     {error!r}",),
            hint="reinstall etcd-deb",
        ) from error


def ended_on(series: Series) -> str:
    """When upstream ended a series, in words; empty where it is still maintained."""
    ends = _ends_of_life()
    if series in ends:
        return f"on {ends[series]}"
    return f"before {ends[min(ends)]}" if series < max(ends) else ""


@cache
def _ends_of_life() -> dict[Series, date]:
    file = shipped.CONF / "end-of-life.toml"
    table: dict[str, object] = tomllib.loads(file.read_text(encoding="utf-8"))
    ends: dict[Series, date] = {}
    for name, day in table.items():
        series = parse_version(name)
        if not isinstance(series, Series) or not isinstance(day, date):
            raise EtcdDebError(f"{file}: {name} is not a series with a date", hint='"3.4" = 2026-06-01')
        ends[series] = day
    return ends


def _parse(table: dict[str, object]) -> Faults:
    as_of, faults = table["as-of"], table["fault"]
    if not isinstance(as_of, date) or not isinstance(faults, list):
        raise TypeError("as-of is not a date, or fault is not a list")
    return Faults(as_of, tuple(map(_fault, faults)))


def _fault(entry: dict[str, object]) -> Fault:
    name, what, source = (str(entry[key]) for key in ("name", "what", "source"))
    if set('|"\\') & set(what + source):
        raise ValueError(f"{name}: the file of the package has fields between bars, and JSON as it stands")
    return Fault(name, what, source, tuple(_affected(entry["versions"])))


def _affected(rows: object) -> Iterator[Affected]:
    for row in rows if isinstance(rows, list) else ():
        last, fixed = full_version(row["to"]), full_version(row["fixed"])
        first = (
            full_version(row["from"])
            if "from" in row
            else UpstreamVersion(last.major, last.minor, 0, "alpha", 0)
        )
        yield Affected(first=first, last=last, fixed=(fixed,))


def full_version(text: str) -> UpstreamVersion:
    """A full version. Raises UsageError."""
    version = parse_version(text)
    if not isinstance(version, UpstreamVersion):
        raise UsageError(f"{text!r} is not a full version of etcd")
    return version
