"""What is to be published is judged before anything of the repository is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.errors import EtcdDebError
from builder.repository.incoming import read_incoming
from builder.repository.state.index import read_index
from tests.support.releases.fake_release import sha256
from tests.unit.deb.test_control import package, tar

FIELDS = {"Package": "etcd-ha", "Version": "3.6.7-1", "Architecture": "amd64"}


def deb(folder: Path, fields: dict[str, str] = FIELDS) -> Path:
    """A package with these fields, and no more."""
    folder.mkdir(exist_ok=True)
    control = "".join(f"{name}: {value}\n" for name, value in fields.items()).encode()
    return packed(folder, control)


def packed(folder: Path, control: bytes) -> Path:
    parts = {"debian-binary": b"2.0\n", "control.tar": tar("./control", control), "data.tar": b""}
    return package(folder, **parts)


def changes(folder: Path, checksums: str) -> Path:
    file = folder / "a.changes"
    file.write_text(f"Format: 1.8\nSource: etcd-ha\nChecksums-Sha256:{checksums}\nFiles:\n")
    return file


def refused(file: Path) -> str:
    with pytest.raises(EtcdDebError) as caught:
        read_incoming([file], None)
    return caught.value.render()


def row(file: Path, name: str) -> str:
    return f"\n {sha256(file.read_bytes())} {file.stat().st_size} {name}"


def test_a_package_that_lies_beside_its_changes_is_read(tmp_path: Path) -> None:
    made = deb(tmp_path)
    (found,) = read_incoming([changes(tmp_path, row(made, made.name))], None)
    assert (found.path, found.entry.filename) == (made, "pool/3.6/etcd-ha_3.6.7-1_amd64.deb")


@pytest.mark.parametrize("architecture", ["amd64", "kfreebsd-amd64"])
def test_what_is_published_is_read_back_from_the_index(tmp_path: Path, architecture: str) -> None:
    (found,) = read_incoming([deb(tmp_path, {**FIELDS, "Architecture": architecture})], None)
    assert list(read_index(f"{found.entry.text}\n\n")) == [found.entry]


def test_a_field_that_no_reader_of_the_index_would_find_is_refused(tmp_path: Path) -> None:
    spelt = {name.lower(): value for name, value in FIELDS.items()}
    assert "as a Debian package" in refused(deb(tmp_path, spelt))


@pytest.mark.parametrize("name", ["../etcd-ha.deb", "{0}/etcd-ha.deb", "sub/etcd-ha.deb", "..", ".deb"])
def test_a_changes_that_leads_out_of_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    made = deb(tmp_path)
    folder = tmp_path / "sub"
    deb(folder)
    for place in (tmp_path, folder):
        message = refused(changes(place, row(made, name.format(tmp_path))))
        assert "can't read" in message
        assert "Checksums-Sha256 has the line" in message


@pytest.mark.parametrize(
    "checksums",
    [
        f" {'1' * 64} 12 etcd-ha.deb",
        f"\n {'1' * 64} 12",
        f"\n {'1' * 64} {'9' * 5000} etcd-ha.deb",
        f"\n {'1' * 64} 12 etcd-ha.deb more",
        f"\n {'x' * 64} 12 etcd-ha.deb",
        f"\n {'1' * 64} twelve etcd-ha.deb",
        f"\n {'1' * 64} 12 étcd.deb",
        "",
    ],
    ids=["one line", "no name", "huge", "four words", "no digest", "no size", "no ASCII", "empty"],
)
def test_a_changes_that_says_something_else_is_refused(tmp_path: Path, checksums: str) -> None:
    deb(tmp_path)
    refused(changes(tmp_path, checksums))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\0", b"Checksums-Sha256", b" \n" * 9, b"-----BEGIN PGP "])
def test_what_is_no_changes_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.changes").write_bytes(content)
    refused(tmp_path / "a.changes")


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "value", [None, "", " ", "a b", "é", "3.6.7\t1", "../x", "x/y", "x" * 200, "3.6.7\x851", "3.6.7\0"]
)
def test_a_field_that_names_the_file_is_well_formed_or_the_package_is_refused(
    tmp_path: Path, field: str, value: str | None
) -> None:
    fields = {name: text for name, text in (FIELDS | {field: value}).items() if text is not None}
    message = refused(deb(tmp_path, fields))
    assert "as a Debian package" in message or "is not etcd-ha" in message


def test_a_control_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    control = "Package: etcd-ha\nVersion: 3.6.7-1\nArchitecture: amd64\nMaintainer: Jürgen\n".encode(
        "latin-1"
    )
    made = package(tmp_path, debian_binary=b"2.0\n", control_tar=tar("./control", control), data_tar=b"")
    assert "as a Debian package" in refused(made)
