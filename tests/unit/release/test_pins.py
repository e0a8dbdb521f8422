"""Pins: read from lists that agree, recorded without ever changing a digest."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder import shipped
from builder.errors import EtcdDebError, VerificationFailed
from builder.release.pins import own_list, read_pins, record_pins

ONE, OTHER = "1" * 64, "2" * 64


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    return tmp_path / "pins"


@pytest.fixture
def shipped_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list that stands for the one that comes with etcd-deb."""
    monkeypatch.setattr(shipped, "CONF", tmp_path)
    return tmp_path / "SHA256SUMS"


def write_own(text: str) -> None:
    own_list().parent.mkdir(parents=True)
    own_list().write_text(text)


def test_without_a_setting_the_shipped_list_and_the_users_own_are_read(shipped_list: Path) -> None:
    shipped_list.write_text(f"{ONE}  one\n")
    write_own(f"{OTHER}  other\n")
    pins = read_pins("")
    one, other = pins.get("one"), pins.get("other")
    assert one is not None
    assert other is not None
    assert (one.sha256, one.file) == (ONE, shipped_list)
    assert (other.sha256, other.file) == (OTHER, own_list())
    assert pins.get("third") is None


def test_a_list_that_is_named_is_the_only_one(shipped_list: Path, pins: Path) -> None:
    shipped_list.write_text(f"{ONE}  one\n")
    write_own(f"{ONE}  own\n")
    pins.write_text(f"{OTHER}  other\n")
    assert set(read_pins(str(pins)).by_name) == {"other"}


def test_two_lists_that_disagree_are_refused(shipped_list: Path) -> None:
    shipped_list.write_text(f"{ONE}  one\n")
    write_own(f"{OTHER}  one\n")
    with pytest.raises(VerificationFailed) as caught:
        read_pins("")
    assert caught.value.render() == (
        "two lists pin different digests for one\n"
        f"  {shipped_list}  {ONE}\n"
        f"  {own_list()}  {OTHER}\n"
        f"hint: remove the wrong line from {own_list()}"
    )


def test_two_lists_may_hold_the_same_digest(shipped_list: Path) -> None:
    shipped_list.write_text(f"{ONE}  one\n")
    write_own(f"{ONE}  one\n")
    assert set(read_pins("").by_name) == {"one"}


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_list_that_cannot_be_read_is_named(pins: Path, content: bytes | None) -> None:
    if content is not None:
        pins.write_bytes(content)
    with pytest.raises(EtcdDebError) as caught:
        read_pins(str(pins))
    assert caught.value.summary == f"can't read the pins in {pins}"
    assert "--pins FILE" in caught.value.render()


def test_a_damaged_list_is_refused_rather_than_read_in_part(pins: Path) -> None:
    pins.write_text(f"{ONE}  one\nnonsense\n")
    with pytest.raises(VerificationFailed, match=f"line 2 of {pins} is not a checksum"):
        read_pins(str(pins))


def test_recording_makes_the_list_where_there_is_none(tmp_path: Path) -> None:
    made = tmp_path / "new" / "SHA256SUMS"
    record_pins(made, {"one": ONE})
    assert made.read_text() == f"{ONE}  one\n"
    assert made.stat().st_mode & 0o777 == 0o644


def test_recording_keeps_what_the_list_has_and_its_comments(pins: Path) -> None:
    pins.write_text(f"# looked at by Jane\n{OTHER}  other\n")
    record_pins(pins, {"one": ONE, "other": OTHER})
    assert pins.read_text() == f"# looked at by Jane\n{ONE}  one\n{OTHER}  other\n"


def test_recording_never_changes_a_digest(pins: Path) -> None:
    before = f"{ONE}  one\n"
    pins.write_text(before)
    with pytest.raises(VerificationFailed) as caught:
        record_pins(pins, {"other": OTHER, "one": OTHER})
    assert caught.value.summary == f"{pins} pins a different digest for one"
    assert pins.read_text() == before
    assert list(pins.parent.glob(".pins*")) == []
