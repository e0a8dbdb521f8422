"""Which backups are kept, and what the file of settings may say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from etcd_ha.backup.retention import Keep, kept
from etcd_ha.backup.settings import Settings, read_settings
from etcd_ha.errors import EtcdHaError

BEGIN = datetime(2026, 11, 2, 0, 30, tzinfo=UTC)  # A Monday.
HOURS = [BEGIN + timedelta(hours=number) for number in range(24 * 60)]


def days(times: Iterable[datetime]) -> list[str]:
    return sorted(f"{at:%m-%d %H}" for at in times)


def test_the_newest_of_each_of_the_last_days_is_kept() -> None:
    assert days(kept(HOURS[: 24 * 5], Keep(daily=3, weekly=0))) == ["11-04 23", "11-05 23", "11-06 23"]


def test_the_newest_of_each_of_the_last_weeks_is_kept() -> None:
    found = kept(HOURS[: 24 * 22], Keep(daily=0, weekly=3))
    assert days(found) == ["11-15 23", "11-22 23", "11-23 23"]


def test_hours_days_and_weeks_add_up() -> None:
    found = kept(HOURS, Keep(hourly=24, daily=7, weekly=4))
    # The last of the days is among the hours, two of the weeks are among the days.
    assert len(found) == 24 + 6 + 2
    assert set(HOURS[-24:]) <= found


def test_a_period_without_a_backup_does_not_count() -> None:
    gaps = [BEGIN, BEGIN + timedelta(days=20), BEGIN + timedelta(days=21)]
    assert kept(gaps, Keep(daily=3, weekly=0)) == frozenset(gaps)


def test_the_newest_is_kept_whatever_is_set() -> None:
    assert kept(HOURS[:3], Keep(0, 0, 0)) == frozenset(HOURS[2:3])
    assert kept([], Keep()) == frozenset()


def written(folder: Path, text: str) -> Path:
    (folder / "backup.toml").write_text(text)
    return folder / "backup.toml"


def test_without_a_file_the_cluster_makes_one_a_day(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "none.toml") == Settings(
        Path("/var/backups/etcd-ha"), 86400, Keep(0, 7, 4), with_keys=False
    )


def test_a_file_sets_each_of_them(tmp_path: Path) -> None:
    file = written(
        tmp_path, 'to = "/srv/backups"\nevery = "6h"\nhourly = 4\ndaily = 2\nweekly = 1\nwith-keys = true\n'
    )
    assert read_settings(file) == Settings(Path("/srv/backups"), 21600, Keep(4, 2, 1), with_keys=True)


@pytest.mark.parametrize(
    "text",
    [
        "to = 'backups'",
        "to = 3",
        "every = 86400",
        'every = "0d"',
        'every = "daily"',
        "daily = -1",
        "daily = true",
        'weekly = "4"',
        'with-keys = "no"',
        "dayly = 7",
        "daily 7",
    ],
)
def test_what_is_no_setting_is_refused_and_never_a_default(tmp_path: Path, text: str) -> None:
    with pytest.raises(EtcdHaError, match=r"backup\.toml can't be used") as refused:
        read_settings(written(tmp_path, text))
    assert "expected  " in refused.value.render()
    assert "hint: " in refused.value.render()
