"""The shell and awk that runs on the nodes, fed by the tests without starting it anew for each case."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

TEMPLATE = Path(__file__).parents[3] / "debian-template"
LIBRARY = TEMPLATE / "node/lib"
DRIVER = Path(__file__).with_name("node_shell.sh")
SET, UNSET = "set", "unset"
REFUSED = 2


@dataclass(frozen=True)
class Edit:
    """One change: what yaml-edit.awk calls OP KEY KIND VALUE."""

    key: str
    kind: str = "string"
    value: str = ""
    operation: str = SET

    def __str__(self) -> str:
        return "\t".join((self.operation, self.key, self.kind, self.value))


@dataclass(frozen=True)
class Outcome:
    """Exit status, the edited file, that file edited once more, and what was said."""

    status: int
    edited: bytes
    again: bytes
    message: str


@dataclass(frozen=True)
class Reading:
    """Status 0: the value; 1: absent or null; REFUSED: the reason why it can't be read."""

    status: int
    text: str


class NodeShell:
    """One process of the driver, and the folder of its current case."""

    def __init__(self, requests: IO[str], replies: IO[str], folder: Path) -> None:
        self._requests = requests
        self._replies = replies
        self.folder = folder

    def edit(self, document: bytes, edits: list[Edit]) -> Outcome:
        """Edit a document twice in the same way."""
        return self._run("edit", document, "\n".join(map(str, edits)))

    def answer(self, document: bytes, answers: Mapping[str, str]) -> Outcome:
        """Bring all answers into a document, twice."""
        return self._run("answer", document, answers=answers)

    def new_file(self, answers: Mapping[str, str]) -> Outcome:
        """Make a new file from the answers."""
        return self._run("new", answers=answers)

    def keys(self, document: bytes) -> Outcome:
        """What yaml_list tells of a document."""
        return self._run("list", document)

    def values(self, document: bytes, keys: Iterable[str]) -> dict[str, Reading]:
        """What yaml_get says of each key; of every key the same where the whole document can't be read."""
        wanted = list(keys)
        outcome = self._run("values", document, " ".join(wanted))
        if outcome.status == REFUSED:
            return dict.fromkeys(wanted, Reading(REFUSED, outcome.message))
        assert outcome.status == 0, outcome.message
        rows = (row.split("\t", 2) for row in outcome.edited.decode().removesuffix("\n").split("\n"))
        return {key: Reading(int(status), text) for status, key, text in rows}

    def members(self, text: str, scheme: str = "http") -> Outcome:
        """Complete a list of members."""
        return self._run("members", text.encode(), scheme)

    def error_of(self, question: str, answers: Mapping[str, str]) -> str:
        """The error template that an answer earns, or nothing."""
        return self.refusal_of(question, answers)[0]

    def refusal_of(self, question: str, answers: Mapping[str, str]) -> tuple[str, str]:
        """The error template that an answer earns and the reason in a log, or nothing twice."""
        said = self._run("check", edits=question + "\n", answers=answers).edited.decode()
        error, reason, _ = said.split("\n")
        return error, reason

    def answers_of(self, document: bytes) -> dict[str, str]:
        """What a file answers to the questions."""
        outcome = self._run("read", document)
        assert outcome.status == 0, outcome.message
        return {path.name: path.read_text() for path in (self.folder / "read").iterdir()}

    def _run(
        self, command: str, document: bytes = b"", edits: str = "", answers: Mapping[str, str] | None = None
    ) -> Outcome:
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "answers").mkdir(parents=True)
        (self.folder / "document").write_bytes(document)
        (self.folder / "edits").write_text(edits)
        for question, value in (answers or {}).items():
            (self.folder / "answers" / question).write_text(value)
        print(command, self.folder, file=self._requests, flush=True)
        reply = self._replies.readline().strip()
        assert reply.isdigit(), f"the driver said {reply!r} to {command}"
        return Outcome(int(reply), self._read("edited"), self._read("again"), self._read("message").decode())

    def _read(self, name: str) -> bytes:
        path = self.folder / name
        return path.read_bytes() if path.exists() else b""


@contextlib.contextmanager
def node_shell(folder: Path, awk: str | None = None) -> Iterator[NodeShell]:
    """A driver that ends with the block; its standard error is the tests'. awk: a program to use as awk."""
    command = ["sh", str(DRIVER), str(LIBRARY)]
    path = os.environ["PATH"]
    if awk is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "awk").symlink_to(shutil.which(awk) or awk)
        path = f"{folder}:{path}"
    with subprocess.Popen(
        command,
        env=os.environ | {"PATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield NodeShell(process.stdin, process.stdout, folder / "case")
        process.stdin.close()
        assert process.wait(timeout=10) == 0
