"""A folder where somebody types commands of etcd-deb."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support.account import ETCD_DEB
from tests.support.command import CommandFailed, how_it_ended

WITHIN = 180


class Desk:
    """before: what each command is run by, such as a client on another network."""

    def __init__(self, folder: Path, before: Sequence[str] = ()) -> None:
        self.folder = folder
        self._before = before

    def types(self, commands: str) -> str:
        """What they print on stdout; each line has to end with status 0. CommandFailed where one does not."""
        return "".join(map(self._type, commands.splitlines()))

    def _type(self, line: str) -> str:
        done = subprocess.run(
            [*self._before, "sh", "-c", line],
            cwd=self.folder,
            env=os.environ | {"PATH": f"{ETCD_DEB.parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=WITHIN,
        )
        if done.returncode != 0:
            raise CommandFailed(line, how_it_ended(done.returncode), done.stdout + done.stderr)
        return done.stdout

    def writes(self, name: str, text: str) -> Path:
        """A file in the folder."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def has(self, *names: str) -> bool:
        """Whether commands have left all of these in their own folder."""
        return all((self.folder / "cluster" / name).is_file() for name in names)
