"""The texts of a repository: indices, Release, .sources, and the order of what they name."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from debian.deb822 import Deb822

from builder.errors import EtcdDebError, UsageError
from builder.repository.announcement.sources_file import component_order
from builder.repository.state.generation import Generation, Listed, next_date, read_generation, release_text
from builder.repository.state.index import Damaged, Entry, IndexKey, index_entry, index_files, read_index
from builder.repository.state.layout import check_component_name, check_suite_name, open_repository

DAY = datetime(2026, 11, 24, 9, 5, 7, tzinfo=UTC)
LISTED = Listed("a" * 64, 12)
STANZA = f"""Package: etcd-ha
Version: 3.6.7-1
Architecture: amd64
Filename: pool/3.6/etcd-ha_3.6.7-1_amd64.deb
Size: 1
SHA256: {"a" * 64}
"""


def entry(version: str, architecture: str = "amd64") -> Entry:
    control = Deb822(
        f"Package: etcd-ha\nVersion: {version}\nArchitecture: {architecture}\n"
        "Description: a summary\n a line\n .\n Filename: no field, but text\n"
    )
    return index_entry(control, f"pool/3.6/etcd-ha_{version}_{architecture}.deb", 12, "b" * 64)


def generation(folder: Path) -> Generation:
    return Generation("trixie", 7, folder, DAY, {"3.6/binary-amd64/Packages": LISTED})


def test_an_index_is_read_back_as_it_was_written() -> None:
    entries = (entry("3.6.7-1"), entry("3.6.8~rc.0-1"))
    plain, packed = index_files(IndexKey("3.6", "amd64"), entries)
    assert (plain.name, packed.name) == ("3.6/binary-amd64/Packages", "3.6/binary-amd64/Packages.gz")
    assert tuple(read_index(plain.content.decode())) == entries


def test_the_same_entries_give_the_same_bytes() -> None:
    key = IndexKey("3.6", "amd64")
    assert index_files(key, [entry("3.6.7-1")])[1].content == index_files(key, [entry("3.6.7-1")])[1].content


def test_fields_of_the_description_are_text() -> None:
    (read,) = read_index(entry("3.6.7-1").text)
    assert read.filename == "pool/3.6/etcd-ha_3.6.7-1_amd64.deb"


def test_an_index_with_a_damaged_stanza_is_refused() -> None:
    with pytest.raises(Damaged, match="SHA256"):
        list(read_index(STANZA.replace(f"SHA256: {'a' * 64}\n", "")))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Version", "3.6.7 1"),
        ("Version", "3.6.7\u00e9-1"),
        ("Architecture", "../amd64"),
        ("Filename", "x/y"),
        ("Filename", "pool/../etcd-ha_3.6.7-1_amd64.deb"),
        ("Filename", "pool/3.6/../../secret.deb"),
        ("Size", "-1"),
        ("Size", "9" * 5000),
        ("SHA256", "nonsense"),
    ],
)
def test_a_stanza_with_a_value_that_we_never_write_is_damaged(field: str, value: str) -> None:
    with pytest.raises(Damaged, match=field):
        list(read_index(re.sub(f"^{field}: .*$", f"{field}: {value}", STANZA, flags=re.MULTILINE)))


def test_versions_are_ordered_as_dpkg_orders_them() -> None:
    versions = ["3.6.10-1", "3.6.9-1", "3.6.10~rc.0-1", "3.6.9-2"]
    ordered = sorted((entry(version) for version in versions), key=Entry.order)
    assert [one.version for one in ordered] == ["3.6.9-1", "3.6.9-2", "3.6.10~rc.0-1", "3.6.10-1"]


def test_series_are_ordered_by_number_after_other_components() -> None:
    assert sorted(["3.10", "3.9", "main"], key=component_order) == ["main", "3.9", "3.10"]


def test_release_has_what_apt_asks_for(tmp_path: Path) -> None:
    folder = tmp_path / "7"
    folder.mkdir()
    text = release_text(generation(folder), origin="etcd-ha", valid_days=0)
    (folder / "Release").write_text(text)
    assert read_generation("trixie", folder) == generation(folder)
    fields = Deb822(text)
    assert fields["Acquire-By-Hash"] == "yes"
    assert fields["Components"] == "3.6"
    assert fields["Date"] == "Tue, 24 Nov 2026 09:05:07 UTC"
    assert "Valid-Until" not in fields


def test_validity_is_counted_from_the_date() -> None:
    text = release_text(generation(Path("7")), origin="etcd-ha", valid_days=7)
    assert Deb822(text)["Valid-Until"] == "Tue, 01 Dec 2026 09:05:07 UTC"


def test_release_without_a_date_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "Release").write_text("Suite: trixie\n")
    with pytest.raises(Damaged, match="Date"):
        read_generation("trixie", tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "Date: Tue, 24 Nov 2026 09:05:07 +0100\n",
        "Date: Tue, 24 Nov 2026 09:05:07 CET\n",
        "Date: Tue, 24 Nov 2026 09:05:07 -0000\n",
        "Date: Fri, 31 Dec 9999 23:59:59 UTC\n",
        "Date: yesterday\n",
        "Date: Tue, 24 Nov 2026 09:05:07 UTC\nSHA256:\n aa 1 3.6/binary-amd64/Packages\n",
        f"Date: Tue, 24 Nov 2026 09:05:07 UTC\nSHA256:\n {'a' * 64} x 3.6/binary-amd64/Packages\n",
        f"Date: Tue, 24 Nov 2026 09:05:07 UTC\nSHA256:\n {'a' * 64} 1 ../../x/binary-amd64/Packages\n",
        f"Date: Tue, 24 Nov 2026 09:05:07 UTC\nSHA256:\n {'a' * 64} 1 Packages\n",
    ],
)
def test_release_with_a_value_that_we_never_write_is_damaged(tmp_path: Path, text: str) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7/Release").write_text(text)
    with pytest.raises(Damaged):
        read_generation("trixie", tmp_path / "7")


def test_date_never_goes_back() -> None:
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    before = Generation("trixie", 1, Path(), ahead, {})
    assert next_date(before) == ahead
    assert next_date(replace(before, date=DAY - timedelta(days=1000))) > DAY - timedelta(days=1000)


def test_date_has_whole_seconds_and_is_not_in_the_future() -> None:
    assert next_date(None).microsecond == 0
    assert next_date(None) <= datetime.now(UTC)


@pytest.mark.parametrize("name", ["../etc", "Trixie", "a/b", "", ".hidden"])
def test_suite_that_is_no_folder_of_its_own_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        check_suite_name(name)


@pytest.mark.parametrize("name", ["..", "a/b", "", ".hidden", "a b"])
def test_component_that_is_no_folder_of_its_own_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        check_component_name(name)


def test_folder_that_is_no_repository_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(EtcdDebError) as refused:
        open_repository(tmp_path)
    assert "etcd-deb repo init" in str(refused.value.hint)
