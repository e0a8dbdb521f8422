"""Each class of error in the words the user reads, compared whole."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest

from builder import errors
from builder.errors import (
    LONGEST,
    CommandFailed,
    DigestMismatch,
    DiskFull,
    DownloadFailed,
    EtcdDebError,
    Interrupted,
    MissingProgram,
    NoSuchRelease,
    NotPrinted,
    OwnFault,
    UsageError,
    VerificationFailed,
    on_one_line,
)
from builder.system.faults import explained

EXAMPLES = (
    (
        EtcdDebError("the tree exists", details=("expected  none", "found     one"), hint="remove it"),
        1,
        "the tree exists\n  expected  none\n  found     one\nhint: remove it",
    ),
    (EtcdDebError("nothing more to say"), 1, "nothing more to say"),
    (
        UsageError("'3.x' is not a version of etcd", hint="etcd-deb versions lists the releases"),
        2,
        "'3.x' is not a version of etcd\nhint: etcd-deb versions lists the releases",
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
        "  found     sha256 22\n"
        "hint: run the command again, since a proxy may have served another file;"
        " if it fails again, do not use this release and inform etcd's maintainers",
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
        "hint: free some space there, or choose another folder",
    ),
    (
        NotPrinted("No space left on device"),
        74,
        "the result could not be printed\n"
        "  expected  a writable standard output\n"
        "  found     No space left on device\n"
        "hint: the command itself has completed: check its effect before you run it again",
    ),
    (
        OwnFault("bug in etcd-deb: KeyError: 'x'", hint="report it"),
        70,
        "bug in etcd-deb: KeyError: 'x'\nhint: report it",
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


def test_what_others_wrote_moves_no_cursor_and_forges_no_line() -> None:
    forged = EtcdDebError("a\nhint: rm -r /", details=("\x1b[2J\udcff", "b" * 10_000), hint="c\rd")
    assert forged.render() == (f"a hint: rm -r /\n  \\x1b[2J\\udcff\n  {'b' * LONGEST}…\nhint: c\\rd")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/v/cache/etcd-deb/releases/a", "XDG_CACHE_HOME=DIR"),
        ("/v/tmp/etcd-deb-x1/a", "TMPDIR=DIR"),
        ("/srv/apt/pool/a", "choose another folder"),
    ],
)
def test_a_hint_names_what_puts_this_file_elsewhere(
    path: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/v/cache")
    monkeypatch.setenv("TMPDIR", "/v/tmp")
    assert words in str(DiskFull(path, "writing").hint)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (MemoryError(), 1, "ulimit -v"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), 1, "ulimit -v"),
        (OSError(errno.EMFILE, "Too many open files"), 1, "ulimit -n"),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), 1, "ulimit -u"),
        (RuntimeError("can't start new thread"), 1, "ulimit -u"),
        (OSError(errno.EROFS, "Read-only file system", "/srv/a"), 1, "remount it read-write"),
        (PermissionError(errno.EACCES, "Permission denied", "/srv/a"), 1, "ls -ld /srv/a"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "free some space"),
        (OSError(errno.EIO, "Input/output error", b"/srv/a"), 1, "dmesg"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "/srv/a"), 1, "ls -ld /srv/a"),
        (OSError("no number"), 70, "report this"),
        (KeyError("x"), 70, "report this"),
    ],
    ids=repr,
)
def test_an_error_that_no_stage_explains_is_the_machines_or_ours(
    error: BaseException, status: int, words: str
) -> None:
    found = explained(error)
    assert found.exit_status == status
    assert words in str(found.hint)


def test_a_fault_of_ours_names_the_place_in_the_code() -> None:
    with pytest.raises(TypeError) as caught:
        on_one_line(None)  # type: ignore[arg-type]
    found = explained(caught.value)
    assert found.summary.startswith("bug in etcd-deb: TypeError: ")
    assert found.details[-1].startswith("at        builder/errors.py:")
