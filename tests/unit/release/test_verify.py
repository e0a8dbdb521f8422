"""Trust: a pin decides alone; without one two witnesses agree, or nothing is built."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import NoReturn

import pytest

from builder.errors import DigestMismatch, VerificationFailed
from builder.release.fetch import Fetched, Hearing
from builder.release.pins import Pins
from builder.release.verify import VerifiedTarball, verify
from tests.support.releases.fake_release import sha256
from tests.unit.samples import FILE, PIN_LIST, arrived, pinning, word_of

GOOD = b"a tarball"
DIGEST = sha256(GOOD)
OTHER = sha256(b"another tarball")
NO_PINS = Pins({})
TWO_AGREE = Hearing((word_of("SHA256SUMS of one", DIGEST), word_of("SHA256SUMS of two", DIGEST)))
TWO_AGREE_ON_ANOTHER = Hearing((word_of("SHA256SUMS of one", OTHER), word_of("SHA256SUMS of two", OTHER)))
TWO_DISAGREE = Hearing((word_of("SHA256SUMS of one", DIGEST), word_of("SHA256SUMS of two", OTHER)))
NOBODY = Hearing((), ("SHA256SUMS of one: has none", "asset digests of two: rate limit"))


@pytest.fixture(autouse=True)
def no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verification opens none: where it tried, the test fails."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("verification opened a socket")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)


def verified(arrived: Fetched, pins: Pins, *, require_pin: bool) -> VerifiedTarball:
    """What verify() says of it, with a folder beside it to work in."""
    return verify(arrived, pins, arrived.path.parent / "work", require_pin=require_pin)


def fetched(folder: Path, hearing: Hearing) -> Fetched:
    return arrived(folder, GOOD, hearing)


@pytest.mark.parametrize("hearing", [TWO_AGREE_ON_ANOTHER, TWO_DISAGREE, NOBODY])
def test_a_pin_decides_alone_whatever_the_witnesses_say(tmp_path: Path, hearing: Hearing) -> None:
    found = verified(fetched(tmp_path, hearing), pinning(DIGEST), require_pin=False)
    assert (found.sha256, found.vouchers) == (DIGEST, ("pin in SHA256SUMS",))


def test_a_pin_that_objects_stops_a_tarball_that_all_witnesses_name(tmp_path: Path) -> None:
    with pytest.raises(DigestMismatch) as caught:
        verified(fetched(tmp_path, TWO_AGREE), pinning(OTHER), require_pin=False)
    assert (caught.value.file, caught.value.expected, caught.value.got) == (FILE.name, OTHER, DIGEST)
    assert str(PIN_LIST) in caught.value.summary


def test_two_witnesses_that_agree_are_enough_and_are_named(tmp_path: Path) -> None:
    found = verified(fetched(tmp_path, TWO_AGREE), NO_PINS, require_pin=False)
    assert found.vouchers == ("SHA256SUMS of one", "SHA256SUMS of two")
    assert (found.file, found.path, found.sha256) == (FILE, tmp_path / "work" / FILE.name, DIGEST)


@pytest.mark.parametrize("in_place", [True, False])
def test_what_takes_the_files_place_after_the_look_is_not_used(tmp_path: Path, in_place: bool) -> None:
    arrived = fetched(tmp_path, NOBODY)
    found = verified(arrived, pinning(DIGEST), require_pin=True)
    if not in_place:
        arrived.path.unlink()
    arrived.path.write_bytes(b"another tarball")
    assert sha256(found.path.read_bytes()) == DIGEST


def test_a_pin_of_another_file_says_nothing(tmp_path: Path) -> None:
    others = Pins({"etcd-v3.6.98-linux-amd64.tar.gz": pinning(OTHER).by_name[FILE.name]})
    assert len(verified(fetched(tmp_path, TWO_AGREE), others, require_pin=False).vouchers) == 2


def test_bytes_that_the_witnesses_did_not_mean_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DigestMismatch) as caught:
        verified(fetched(tmp_path, TWO_AGREE_ON_ANOTHER), NO_PINS, require_pin=False)
    assert "SHA256SUMS of one and SHA256SUMS of two" in caught.value.summary
    assert (caught.value.expected, caught.value.got) == (OTHER, DIGEST)


def test_one_witness_is_not_enough_and_the_silent_ones_are_named(tmp_path: Path) -> None:
    hearing = Hearing((word_of("SHA256SUMS of one", DIGEST),), ("SHA256SUMS of two: has none",))
    with pytest.raises(VerificationFailed) as caught:
        verified(fetched(tmp_path, hearing), NO_PINS, require_pin=False)
    assert caught.value.render() == (
        f"1 witness for {FILE.name}, and no pin\n"
        "  expected  a pin, or two witnesses that agree\n"
        "  heard     SHA256SUMS of one\n"
        "  silent    SHA256SUMS of two: has none\n"
        "hint: write a digest that you trust into a list, and name the list with --pins FILE"
    )


def test_without_any_witness_every_silent_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(VerificationFailed) as caught:
        verified(fetched(tmp_path, NOBODY), NO_PINS, require_pin=False)
    assert caught.value.summary == f"no witnesses for {FILE.name}, and no pin"
    assert all(reason in caught.value.render() for reason in NOBODY.silent)


def test_a_witness_that_does_not_name_the_file_is_silent(tmp_path: Path) -> None:
    hearing = Hearing((word_of("one", DIGEST), word_of("two", DIGEST, "etcd-v3.6.99-linux-arm64.tar.gz")))
    with pytest.raises(VerificationFailed) as caught:
        verified(fetched(tmp_path, hearing), NO_PINS, require_pin=False)
    assert f"silent    two: does not list {FILE.name}" in caught.value.render()


def test_witnesses_that_disagree_stop_the_build_with_both_digests(tmp_path: Path) -> None:
    with pytest.raises(VerificationFailed) as caught:
        verified(fetched(tmp_path, TWO_DISAGREE), NO_PINS, require_pin=False)
    assert caught.value.render() == (
        f"the witnesses disagree about {FILE.name}\n"
        f"  {DIGEST}  SHA256SUMS of one\n"
        f"  {OTHER}  SHA256SUMS of two\n"
        "hint: do not use this release; inform etcd's maintainers"
    )


def test_two_that_agree_do_not_outvote_a_third(tmp_path: Path) -> None:
    hearing = Hearing((*TWO_AGREE.testimonies, word_of("asset digests of three", OTHER)))
    with pytest.raises(VerificationFailed, match="the witnesses disagree"):
        verified(fetched(tmp_path, hearing), NO_PINS, require_pin=False)


def test_a_damaged_testimony_is_refused_rather_than_passed_over(tmp_path: Path) -> None:
    damaged = word_of("SHA256SUMS of three", "<html>")
    with pytest.raises(VerificationFailed, match="line 1 of SHA256SUMS of three is not a checksum"):
        verified(fetched(tmp_path, Hearing((*TWO_AGREE.testimonies, damaged))), NO_PINS, require_pin=False)


def test_where_a_pin_is_required_witnesses_do_not_help(tmp_path: Path) -> None:
    with pytest.raises(VerificationFailed) as caught:
        verified(fetched(tmp_path, TWO_AGREE), NO_PINS, require_pin=True)
    assert caught.value.summary == f"no pin for {FILE.name}"
    assert "etcd-deb pin v3.6.99" in caught.value.render()


def test_where_a_pin_is_required_a_pin_is_enough(tmp_path: Path) -> None:
    assert verified(fetched(tmp_path, NOBODY), pinning(DIGEST), require_pin=True).sha256 == DIGEST


def test_every_failure_of_trust_ends_with_status_3() -> None:
    assert VerificationFailed.exit_status == DigestMismatch.exit_status == 3
