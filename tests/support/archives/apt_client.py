"""apt of this machine with a root of its own, as the client of a repository."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.command import run


@dataclass(frozen=True)
class AptClient:
    """Folders of one apt, and the one .sources file that it has."""

    folder: Path

    def use(self, sources: str) -> None:
        """Have this .sources file and no other."""
        for part in ("lists/partial", "cache/archives/partial", "etc"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        (self.folder / "etc/etcd-ha.sources").write_text(sources)

    def apt(self, tool: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """apt-get or apt-cache, which know nothing of this machine's own packages."""
        return run(self.command(tool, *words), cwd=self.folder, check=check)

    def command(self, tool: str, *words: str) -> list[str]:
        folder = self.folder
        return [
            tool,
            *("-o", "Dir::Etc::sourcelist=/dev/null"),
            *("-o", f"Dir::Etc::sourceparts={folder}/etc"),
            *("-o", "Dir::Etc::preferencesparts=/dev/null"),
            *("-o", f"Dir::State={folder}"),
            *("-o", f"Dir::State::status={folder}/status"),
            *("-o", f"Dir::Cache={folder}/cache"),
            *("-o", "APT::Architecture=amd64"),
            *("-o", "APT::Architectures=amd64"),
            *("-o", "APT::Sandbox::User="),
            *("-o", "Acquire::Languages=none"),
            *("-o", "Acquire::Retries=0"),
            # A warning is a failure here: apt goes on with what it had, and a person would not notice.
            *("-o", "APT::Update::Error-Mode=any"),
            *words,
        ]

    def update(self, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """apt-get update."""
        return self.apt("apt-get", "update", check=check)

    def versions(self) -> set[str]:
        """The versions of etcd-ha that apt can choose from."""
        rows = self.apt("apt-cache", "madison", "etcd-ha").stdout.splitlines()
        return {row.split("|")[1].strip() for row in rows if "|" in row}

    def download(self, version: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """apt-get download of one version into the client's folder."""
        return self.apt("apt-get", "download", f"etcd-ha={version}", check=check)
