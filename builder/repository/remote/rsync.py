"""A remote behind rsync: a daemon's module, a folder behind SSH, a folder here."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from builder.errors import CommandFailed
from builder.repository.remote.storage import AGAIN, Held, RemoteFailed, RemoteFile
from builder.system.process import find_program, run
from builder.system.progress import Progress

# Seconds without a byte, after which rsync gives up. It holds the lock meanwhile.
TIMEOUT = 60
# What ssh(1) and rsync(1) read.
KEPT_VARIABLES = ("SSH_AUTH_SOCK", "RSYNC_RSH", "RSYNC_PASSWORD", "RSYNC_PROXY")
# rsync(1), exit values: an error in file I/O, where a folder above the last one is not there; some not there.
NO_FOLDER, SOME_MISSING = 11, 23
MAKE_FOLDER = "create the folder and its parents there, or free some space, and run the command again"
# As `rsync --list-only --no-human-readable` prints it.
_LISTED = re.compile(r"^-\S{9,10} +(\d+) (\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) (.+)$", re.MULTILINE)


class RsyncStorage:
    """root: of the repository here; names below it are the names there. lock: held by every rsync."""

    def __init__(self, destination: str, root: Path, lock: int, progress: Progress) -> None:
        self._destination = f"{destination.rstrip('/')}/"
        self._root = root
        self._lock = lock
        self._progress = progress
        self._changed: dict[str, float] = {}

    def listing(self) -> Mapping[str, int]:
        """Sizes by name; empty where the folder is not there yet."""
        kept = ("--include=/pool/***", "--include=/dists/***", "--exclude=*")
        try:
            printed = self._rsync("-r", "--list-only", "--no-human-readable", *kept, self._destination)
        except _Missing as error:
            if any(_LISTED.match(line.removeprefix("| ")) for line in error.details):
                raise
            return {}
        found = {name: (int(size), _epoch(when)) for size, when, name in _LISTED.findall(printed)}
        self._changed = {name: changed for name, (_, changed) in found.items()}
        return {name: size for name, (size, _) in found.items()}

    def read(self, names: Sequence[str]) -> Mapping[str, Held]:
        """Files that listing() has named."""
        if not names:
            return {}
        with tempfile.TemporaryDirectory() as folder:
            self._rsync("-R", _listed(folder, names), self._destination, f"{folder}/")
            now = time.time()
            return {
                name: Held(
                    (Path(folder) / name).read_bytes(), self._changed[name], now - self._changed[name], ""
                )
                for name in names
            }

    def send(self, files: Sequence[RemoteFile]) -> None:
        """Each gets a temporary name there, and its own by a rename when it is whole."""
        if files:
            with tempfile.TemporaryDirectory() as folder:
                self._send(self._root, _listed(folder, [file.name for file in files]))

    def switch(self, inrelease: RemoteFile, before: Held | None) -> None:
        """Replace an InRelease. Its time there is that of the switch.

        rsync knows no condition: a publisher elsewhere that has changed it since it was read is not seen.
        """
        later = max(int(time.time()), int(before.changed) + 1 if before else 0)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "root" / inrelease.name
            copy.parent.mkdir(parents=True)
            shutil.copyfile(inrelease.path, copy)
            os.utime(copy, (later, later))
            self._send(Path(folder) / "root", _listed(folder, [inrelease.name]))

    def delete(self, names: Sequence[str]) -> None:
        """Remove files: those that an empty tree of the same folders lacks."""
        if not names:
            return
        with tempfile.TemporaryDirectory() as folder:
            empty = Path(folder) / "root"
            for name in names:
                (empty / name).parent.mkdir(parents=True, exist_ok=True)
            self._rsync("-R", "--delete-missing-args", _listed(folder, names), f"{empty}/", self._destination)

    def _send(self, root: Path, listed: str) -> None:
        # Our links become what they point to; a web server there may be another user.
        how = ("-RLtp", "--omit-dir-times", "--chmod=D0755,F0644")
        self._rsync(*how, listed, f"{root}/", self._destination)

    def _rsync(self, *arguments: str) -> str:
        program = find_program("rsync", "rsync")
        environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        try:
            return run(
                [program, f"--timeout={TIMEOUT}", *arguments],
                cwd=Path("/"),
                progress=self._progress,
                environment={**environment, "TZ": "UTC"},
                keep_open=(self._lock,),
            )
        except CommandFailed as error:
            kind = _Missing if error.ended == SOME_MISSING else RemoteFailed
            raise kind(
                f"can't reach or write {self._destination}: {error.summary}",
                details=error.details,
                hint=MAKE_FOLDER if error.ended == NO_FOLDER else AGAIN,
            ) from error


class _Missing(RemoteFailed):
    """rsync found some file or folder not there, or could not read it."""


def _listed(folder: str, names: Sequence[str]) -> str:
    """The option that has rsync transfer just these."""
    file = Path(folder) / "names"
    file.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return f"--files-from={file}"


def _epoch(when: str) -> float:
    return datetime.strptime(when, "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
