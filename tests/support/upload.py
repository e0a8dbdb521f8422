"""What `etcd-deb build` leaves in its output folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Upload:
    """One package with its .changes and .buildinfo. said: what the build printed."""

    folder: Path
    version: str
    architecture: str
    said: str = field(repr=False)

    def _file(self, suffix: str) -> Path:
        return self.folder / f"etcd-ha_{self.version}-1_{self.architecture}.{suffix}"

    @property
    def deb(self) -> Path:
        return self._file("deb")

    @property
    def changes(self) -> Path:
        return self._file("changes")

    @property
    def buildinfo(self) -> Path:
        return self._file("buildinfo")

    @property
    def files(self) -> tuple[Path, Path, Path]:
        return self.deb, self.buildinfo, self.changes
