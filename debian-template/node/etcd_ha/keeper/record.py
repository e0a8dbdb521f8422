"""What a command has to know when it is run again after it was broken off.

Most of it the cluster and the disk tell themselves. Here is only what they do not, such as the id of a member
that was removed since; it is written before the step that needs it, and gone with the last step.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from etcd_ha.disk import sync, write_whole
from etcd_ha.errors import EtcdHaError


@dataclass(frozen=True, slots=True)
class Record:
    """A file of names and values; it is there as a whole or not at all."""

    file: Path

    def read(self) -> dict[str, str]:
        """Names and values; none where no run was broken off. Raises EtcdHaError where that is not known."""
        try:
            found = json.loads(self.file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise self._unread(str(error)) from error
        if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
            raise self._unread("other values")
        return found

    def write(self, values: Mapping[str, str]) -> None:
        """Put these in the place of what was there. Raises EtcdHaError."""
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise EtcdHaError(f"{self.file} can't be written", details=(f"found     {error}",)) from error
        write_whole(self.file, json.dumps(dict(values), indent=1), 0o666)

    def clear(self) -> None:
        """Forget it: the work is done. Raises EtcdHaError."""
        try:
            self.file.unlink(missing_ok=True)
            if self.file.parent.is_dir() and not any(self.file.parent.iterdir()):
                self.file.parent.rmdir()
            if self.file.parent.parent.is_dir():
                sync(self.file.parent if self.file.parent.is_dir() else self.file.parent.parent)
        except OSError as error:
            raise EtcdHaError(f"{self.file} can't be removed", details=(f"found     {error}",)) from error

    def _unread(self, got: str) -> EtcdHaError:
        return EtcdHaError(
            f"{self.file} can't be read, so it is unknown what an interrupted run has done",
            details=("expected  names and values in JSON", f"found     {got}"),
            hint=f"without it the command starts from the beginning: mv {self.file} /root/",
        )
