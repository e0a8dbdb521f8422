"""The command etcd-deb as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SOURCE = ("v3.6.99", "--arch", "amd64")
ETCD_DEB = str(Path(sys.executable).with_name("etcd-deb"))


def run(
    *arguments: str | Path, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ETCD_DEB, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(variables or {})},
    )
