"""The format of SHA256SUMS."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from builder import shipped
from builder.errors import VerificationFailed
from builder.release.checksums import format_checksums, parse_checksums

ONE, OTHER = "1" * 64, "ab" * 32


def test_lines_of_sha256sum_are_read(tmp_path: Path) -> None:
    for name in ("one", "other.tar.gz"):
        (tmp_path / name).write_text(name)
    printed = subprocess.run(
        ["sha256sum", "one", "other.tar.gz"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert parse_checksums(printed, "here") == {
        name: hashlib.sha256(name.encode()).hexdigest() for name in ("one", "other.tar.gz")
    }


def test_the_binary_mark_empty_lines_comments_and_line_ends_of_windows_are_read() -> None:
    text = f"# a comment\n\n{ONE} *one\r\n   \n{OTHER}  other"
    assert parse_checksums(text, "here") == {"one": ONE, "other": OTHER}


def test_a_digest_that_stands_there_twice_is_one() -> None:
    assert parse_checksums(f"{ONE}  one\n{ONE}  one\n", "here") == {"one": ONE}


@pytest.mark.parametrize(
    "line",
    [
        "<html>",
        f"{ONE}",
        f"{ONE} one",
        f"{ONE}  dir/one",
        f"{ONE}  one two",
        f"{ONE[:-1]}  one",
        f"{ONE}1  one",
        f"{OTHER.upper()}  one",
        f"SHA256 (one) = {ONE}",
    ],
)
def test_any_other_line_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(VerificationFailed) as caught:
        parse_checksums(f"{OTHER}  other\n{line}\n", "SHA256SUMS of here")
    assert caught.value.summary == "line 2 of SHA256SUMS of here is not a checksum"
    assert line in caught.value.render()


def test_a_page_in_place_of_a_list_is_shown_in_part() -> None:
    with pytest.raises(VerificationFailed) as caught:
        parse_checksums("x" * 5000, "here")
    assert len(caught.value.render()) < 400


def test_two_digests_of_one_file_are_refused() -> None:
    with pytest.raises(VerificationFailed) as caught:
        parse_checksums(f"{ONE}  one\n{OTHER}  one\n", "here")
    assert caught.value.summary == "here has two digests for one"
    assert ONE in caught.value.render()
    assert OTHER in caught.value.render()


def test_the_written_list_is_sorted_and_reads_back() -> None:
    digests = {"other": OTHER, "one": ONE}
    text = format_checksums(digests)
    assert text == f"{ONE}  one\n{OTHER}  other\n"
    assert parse_checksums(text, "here") == digests


def test_sha256sum_takes_the_written_list(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"1")
    (tmp_path / "list").write_text(format_checksums({"one": hashlib.sha256(b"1").hexdigest()}))
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "list"], cwd=tmp_path, check=True)


def test_the_shipped_list_names_tarballs_of_etcd_alone() -> None:
    pinned = parse_checksums((shipped.CONF / "SHA256SUMS").read_text(), "conf/SHA256SUMS")
    assert len(pinned) > 200
    assert all(name.startswith("etcd-v3.") and name.endswith(".tar.gz") for name in pinned)
