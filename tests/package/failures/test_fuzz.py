"""What anybody may give to etcd-deb, made up at random: a documented status, and nothing left over."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings

from builder.cli.main import main
from tests.support.archives.publisher import SUITE, Publisher, signing_home
from tests.support.faults.made_up import CASES, CONTROL, Case, deb
from tests.support.releases.fake_release import publish

DOCUMENTED = {0, 1, 2, 3, 4}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository that no case that is refused may change, and none at all may spoil."""
    with signing_home() as home:
        publisher = Publisher(tmp_path_factory.mktemp("publisher"), home)
        assert publisher.init().status == 0
        yield publisher.repository
        assert publisher.run("repo", "verify", publisher.repository).status == 0


def digest_of(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        # Only reading a lock changes nothing of it. A folder's time tells of work that came and went.
        about = "folder" if path.is_dir() else f"{path.stat().st_size} {path.stat().st_mtime_ns}"
        digest.update(f"{path} {about}".encode(errors="surrogateescape"))
    return digest.hexdigest()


@contextlib.contextmanager
def as_a_program() -> Iterator[None]:
    """main() sets what a process sets once."""
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    mask, here = os.umask(0o022), Path.cwd()
    try:
        yield
    finally:
        os.umask(mask)
        os.chdir(here)
        for number, handler in signals.items():
            signal.signal(number, handler)


def run(case: Case, folder: Path, repository: Path) -> tuple[int, str, str]:
    """Status, standard output and standard error."""
    for name in ("home", "work"):
        (folder / name).mkdir()
    publish(folder / "releases", {"amd64": b"no tarball"})
    for name, content in case.files.items():
        (folder / name).write_bytes(content)
    variables = {"PATH": os.environ["PATH"], "HOME": str(folder / "home"), "TMPDIR": str(folder / "work")}
    words = [word.replace("{0}", str(folder)).replace("{1}", str(repository)) for word in case.words]
    out, err = io.StringIO(), io.StringIO()
    with (
        as_a_program(),
        mock.patch.dict(os.environ, {**variables, **case.variables}, clear=True),
        mock.patch.object(sys, "argv", ["etcd-deb", *words]),
        mock.patch.object(tempfile, "tempdir", str(folder / "work")),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        os.chdir(folder)
        status = main()
    return status, out.getvalue(), err.getvalue()


def assert_well(case: Case, repository: Path) -> None:
    """A documented end, said as errors are said, and the world as it was."""
    before = digest_of(repository)
    folder = Path(tempfile.mkdtemp(prefix="etcd-deb-fuzz-"))
    try:
        status, out, err = run(case, folder, repository)
        assert status in DOCUMENTED, err
        assert "Traceback" not in err, err
        if status:
            assert digest_of(repository) == before
            # That a package is not the release's is a result, and no error.
            judged = case.words[0] == "inspect" and status in (3, 4) and "\nresult " in out
            assert judged or "etcd-deb: error: " in err, err
            assert not (folder / "dist").exists()
        assert list((folder / "work").iterdir()) == []
    finally:
        shutil.rmtree(folder)


def at_most(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@given(case=CASES)
@at_most(200)
def test_what_is_made_up_ends_as_documented(case: Case, repository: Path) -> None:
    assert_well(case, repository)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@given(case=CASES)
@at_most(2000)
def test_much_that_is_made_up_ends_as_documented(case: Case, repository: Path) -> None:
    assert_well(case, repository)


def test_a_case_that_is_good_is_published(repository: Path, tmp_path: Path) -> None:
    """Else every case might end for a reason of its own that has nothing to do with what was made up."""
    fields = CONTROL | {"Version": "3.6.8-1"}
    control = "".join(f"{name}: {value}\n" for name, value in fields.items()).encode()
    words = ("publish", "{0}/a.deb", "--repo", "{1}", "--suite", SUITE)
    status, out, err = run(Case(words, {"a.deb": deb(control)}), tmp_path, repository)
    assert (status, "3.6.8-1" in out) == (0, True), err
