"""One user's folders for `etcd-deb`: home, cache, work, output; runs it and looks at what it leaves."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.forked import Forked, can_fork
from tests.support.releases.fake_release import sha256
from tests.support.wait import wait_for

ETCD_DEB = Path(sys.executable).with_name("etcd-deb")
WITHIN = 60


@dataclass(frozen=True)
class Result:
    """How a run ended and what it said."""

    status: int
    out: str
    err: str


class Started:
    """A run that goes on, as leader of its own session: a signal to its group is Ctrl-C."""

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str], log: Path, *, fork: bool = False
    ) -> None:
        log.mkdir(parents=True)
        self._out, self._err = log / "out", log / "err"
        self._process: Forked | subprocess.Popen[bytes]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            if fork:
                self._process = Forked(argv, environment, log, out, err)
                return
            self._process = subprocess.Popen(
                argv,
                env=dict(environment),
                cwd=log,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def await_message(self, text: str) -> None:
        """Return when stderr has the text."""
        wait_for(f"{text!r} on stderr", lambda: text in self._err.read_text(), within=30)

    def press_ctrl_c(self) -> None:
        """What a terminal does: SIGINT to the whole group."""
        os.killpg(self._process.pid, signal.SIGINT)

    def send(self, number: signal.Signals) -> None:
        """A signal to etcd-deb alone."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End the whole group without a chance to tidy up."""
        os.killpg(self._process.pid, signal.SIGKILL)

    def finish(self, within: float = WITHIN) -> Result:
        """Wait for the end; one that takes too long is killed and fails the test."""
        try:
            status = self._process.wait(timeout=within)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
            said = self._err.read_text()
            raise AssertionError(f"etcd-deb did not end within {within} s:\n{said}") from None
        return Result(status, self._out.read_text(), self._err.read_text())


class Account:
    """Folders of its own, and an environment made from nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.work = folder / "work"
        self.output = folder / "dist"
        self.pins = folder / "pins"
        self.program: Path = ETCD_DEB
        for path in (self.cache, self.work, folder / "home"):
            path.mkdir(parents=True)
        self.pins.touch()
        self.variables: dict[str, str] = {}
        self._runs = 0

    def environment(self, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        """Only what is set here reaches etcd-deb."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "LC_ALL": "C.UTF-8",
            "TMPDIR": str(self.work),
            "XDG_CACHE_HOME": str(self.cache),
            **self.variables,
            **(variables or {}),
        }

    def command(self, *arguments: str | Path) -> list[str]:
        return [str(self.program), *map(str, arguments)]

    def start(
        self,
        *arguments: str | Path,
        variables: Mapping[str, str] | None = None,
        under: Sequence[str] = (),
    ) -> Started:
        """Start a verb; `under` is a command that runs it."""
        argv = [*under, *self.command(*arguments)]
        environment = self.environment(variables)
        self._runs += 1
        fork = not under and self.program == ETCD_DEB and can_fork(environment)
        return Started(argv, environment, self.folder / f"run-{self._runs}", fork=fork)

    def run(
        self,
        *arguments: str | Path,
        variables: Mapping[str, str] | None = None,
        under: Sequence[str] = (),
    ) -> Result:
        return self.start(*arguments, variables=variables, under=under).finish()

    def build_words(self, version: str, source: str | Path, *options: str | Path) -> list[str]:
        words = ("build", version, "--source", source, "--pins", self.pins, "--output", self.output)
        return [str(word) for word in (*words, *options)]

    def build(
        self,
        version: str,
        source: str | Path,
        *options: str | Path,
        variables: Mapping[str, str] | None = None,
    ) -> Result:
        """`etcd-deb build` with this account's pins and output folder."""
        return self.run(*self.build_words(version, source, *options), variables=variables)

    def trusts(self, file: Path) -> None:
        """Pin a file by its name."""
        with self.pins.open("a") as pins:
            pins.write(f"{sha256(file.read_bytes())}  {file.name}\n")

    def cached(self) -> set[str]:
        """Names in the cache; empty lock files are allowed to stay, and are left out."""
        return {
            path.name
            for path in self.cache.rglob("*")
            if path.is_file() and not (path.suffix == ".lock" and path.stat().st_size == 0)
        }

    def made(self) -> set[str]:
        """Names in the output folder."""
        return {path.name for path in self.output.iterdir()} if self.output.exists() else set()

    def scraps(self) -> set[str]:
        """Names that a run left where it works."""
        return {path.name for path in self.work.iterdir()}


def assert_refused(account: Account, result: Result, status: int, *words: str) -> None:
    """The documented status, a message with these words and the next step, and nothing left over."""
    assert (result.status, result.out) == (status, ""), result
    assert "etcd-deb: error: " in result.err, result.err
    assert "hint: " in result.err, result.err
    assert "Traceback" not in result.err, result.err
    for word in words:
        assert word in result.err, result.err
    assert_nothing_left(account)


def assert_nothing_left(account: Account, *, cached: frozenset[str] = frozenset()) -> None:
    """No package, no file of the work; in the cache only what the test names as good."""
    assert account.made() == set()
    assert account.scraps() == set()
    assert account.cached() <= cached


def assert_built(account: Account, result: Result, *packages: str) -> None:
    """Success, and each package is one that dpkg reads, with the version asked for."""
    assert result.status == 0, result.err
    assert account.scraps() == set()
    for package in packages:
        deb = account.output / f"{package}.deb"
        fields = subprocess.run(
            ["dpkg-deb", "-f", str(deb), "Package", "Version", "Architecture"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        values = [line.partition(": ")[2] for line in fields.splitlines()]
        assert "_".join(values) == package


def programs_without(folder: Path, *missing: str) -> str:
    """A search path on which every program of Debian is found, but not these."""
    folder.mkdir()
    for place in (Path("/usr/bin"), Path("/usr/sbin"), Path("/bin"), Path("/sbin")):
        for program in place.iterdir():
            link = folder / program.name
            if program.name not in missing and not link.is_symlink():
                link.symlink_to(program)
    assert shutil.which("sh", path=str(folder))
    return str(folder)
