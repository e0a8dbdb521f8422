"""Which backups are kept: the newest of each of so many hours, days and weeks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Keep:
    """Of how many hours, days and weeks (ISO 8601) that have a backup the newest one is kept. By UTC."""

    hourly: int = 0
    daily: int = 7
    weekly: int = 4


def kept(times: Iterable[datetime], keep: Keep) -> frozenset[datetime]:
    """The times (in UTC) of the backups to keep. The newest is always one of them."""
    newest_first = sorted(set(times), reverse=True)
    periods: tuple[tuple[int, Callable[[datetime], object]], ...] = (
        (keep.hourly, lambda at: (at.date(), at.hour)),
        (keep.daily, lambda at: at.date()),
        (keep.weekly, lambda at: at.isocalendar()[:2]),
    )
    found = set(newest_first[:1])
    for count, period in periods:
        first_of = dict[object, datetime]()
        for at in newest_first:
            first_of.setdefault(period(at), at)
        found.update(list(first_of.values())[:count])
    return frozenset(found)
