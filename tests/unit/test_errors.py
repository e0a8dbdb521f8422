"""Each class of error in the words the user reads, compared whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from builder import errors
from builder.errors import (
    CommandFailed,
    DigestMismatch,
    DiskFull,
    DownloadFailed,
    EtcdDebError,
    Interrupted,
    MissingProgram,
    NoSuchRelease,
    UsageError,
    VerificationFailed,
)

EXAMPLES = (
    (
        EtcdDebError("the tree exists", details=("expected  none", "got       one"), hint="remove it"),
        1,
        "the tree exists\n  expected  none\n  got       one\nhint: remove it",
    ),
    (EtcdDebError("nothing more to say"), 1, "nothing more to say"),
    (
        UsageError("'3.x' is not a version of etcd", hint="etcd-deb versions lists what there is"),
        2,
        "'3.x' is not a version of etcd\nhint: etcd-deb versions lists what there is",
    ),
    (
        NoSuchRelease("mirror.invalid has no etcd v3.6.98", details=("fetching  https://mirror.invalid",)),
        1,
        "mirror.invalid has no etcd v3.6.98\n  fetching  https://mirror.invalid",
    ),
    (
        DownloadFailed("time-out: mirror.invalid did not answer", hint="check the network"),
        1,
        "time-out: mirror.invalid did not answer\nhint: check the network",
    ),
    (
        VerificationFailed("no pin for a.tar.gz", hint="etcd-deb pin v3.6.7"),
        3,
        "no pin for a.tar.gz\nhint: etcd-deb pin v3.6.7",
    ),
    (
        DigestMismatch(file="a.tar.gz", expected="11", got="22", witness="the pin in conf/SHA256SUMS"),
        3,
        "checksum of a.tar.gz does not match the pin in conf/SHA256SUMS\n"
        "  expected  sha256 11\n"
        "  got       sha256 22\n"
        "hint: run the command again, since a proxy may have served another file;"
        " if it repeats, do not use this release and tell etcd's maintainers",
    ),
    (
        MissingProgram("dpkg-buildpackage", "dpkg-dev"),
        1,
        "dpkg-buildpackage is not installed\n"
        "  expected  dpkg-buildpackage in PATH\n"
        "hint: apt install dpkg-dev, or see: etcd-deb doctor",
    ),
    (
        CommandFailed("dh_builddeb failed with exit status 25", details=("| the last line",)),
        1,
        "dh_builddeb failed with exit status 25\n  | the last line",
    ),
    (
        DiskFull("/tmp/x", "unpacking etcd"),  # noqa: S108
        1,
        "no space left on device while unpacking etcd\n"
        "  writing   /tmp/x\n"
        "hint: free some space there, or name another place:"
        " TMPDIR for the work, XDG_CACHE_HOME for downloads, --output for the packages",
    ),
)


def classes(base: type[EtcdDebError]) -> Iterator[type[EtcdDebError]]:
    yield base
    for derived in base.__subclasses__():
        yield from classes(derived)


@pytest.mark.parametrize(
    ("error", "status", "text"), EXAMPLES, ids=[type(error).__name__ for error, *_ in EXAMPLES]
)
def test_an_error_reads_as_documented(error: EtcdDebError, status: int, text: str) -> None:
    assert error.render() == text
    assert error.exit_status == status
    assert str(error) == error.summary


def test_there_is_an_example_of_every_class() -> None:
    defined = {found for found in classes(EtcdDebError) if found.__module__ == errors.__name__}
    assert {type(error) for error, *_ in EXAMPLES} == defined


def test_an_interruption_is_swallowed_by_no_handler_of_errors() -> None:
    assert not issubclass(Interrupted, Exception)
