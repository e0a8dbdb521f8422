"""What real etcd makes of a configuration file: its own reader, compiled and asked file by file."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from tests.support.cache import CACHE, locked, new_folder
from tests.support.releases.go_modules import MODULES, find_go

SOURCE = Path(__file__).parent / "config_judge" / "main.go"
JUDGES = CACHE / "config-judges"

Value: TypeAlias = str | int | bool | list[str] | None


@dataclass(frozen=True)
class Verdict:
    """What etcd takes from a file, key by key; empty with the reason where it refuses the file."""

    values: dict[str, Value]
    refusal: str = ""


class Judge:
    """One process that judges files; etcd ends it over some of them."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    def ask(self, document: bytes) -> Verdict:
        """What etcd makes of a document."""
        path = self._folder / "etcd.yaml"
        path.write_bytes(document)
        requests, answers = self._pipes()
        print(path, file=requests, flush=True)
        answer = answers.readline()
        if not answer:
            self.end()
            return Verdict({}, "etcd ended over it")
        said = json.loads(answer)
        return Verdict(said.get("values", {}), said.get("refusal", ""))

    def end(self) -> None:
        """End the process; the next question starts another one."""
        if self._process is not None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process.wait(timeout=10)
            if self._process.stdout is not None:
                self._process.stdout.close()
        self._process = None

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        if self._process is None:
            self._process = subprocess.Popen(
                [self._program],
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        return self._process.stdin, self._process.stdout


def program_for(version: str) -> Path:
    """The judge of a version, compiled once for each version and source."""
    source = SOURCE.read_bytes()
    home = JUDGES / f"{version}-{hashlib.sha256(source).hexdigest()[:16]}"
    with locked(JUDGES / f"{version}.lock"):
        if not (home / "judge").exists():
            with new_folder(home) as folder:
                work = folder / "work"
                work.mkdir()
                (work / "main.go").write_bytes(source)
                go = find_go(version, folder)
                go.run("mod", "init", "local/judge", cwd=work)
                go.run("get", f"{MODULES['etcd']}@v{version}", cwd=work)
                go.run("build", "-o", str(folder / "judge"), ".", cwd=work)
                shutil.rmtree(work)
    return home / "judge"


@contextlib.contextmanager
def judge(version: str, folder: Path) -> Iterator[Judge]:
    """A judge that works in `folder` and ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    running = Judge(program_for(version), folder)
    try:
        yield running
    finally:
        running.end()
