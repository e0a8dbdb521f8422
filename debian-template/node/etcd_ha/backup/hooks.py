"""/etc/etcd/backup-hook.d: what an administrator has done with each backup, such as a copy elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from etcd_ha.errors import EtcdHaError, on_one_line

FOLDER = "backup-hook.d"
# Seconds that one hook may take.
BOUND = 3600
# As run-parts(8) has it: leftovers of editors and of dpkg do not run.
_NAME = re.compile(r"[A-Za-z0-9_-]+")


def run_hooks(etc: Path, backup: Path) -> None:
    """Run each with the backup's folder as its one word, by the order of their names.

    Raises EtcdHaError that names those that failed; the others have run.
    """
    folder = etc / FOLDER
    hooks = sorted(folder.iterdir()) if folder.is_dir() else []
    failed = [
        f"found     {hook}: {why}"
        for hook in hooks
        if _NAME.fullmatch(hook.name) and os.access(hook, os.X_OK) and (why := _run(hook, backup))
    ]
    if failed:
        raise EtcdHaError(f"{backup} was made, but a hook failed", details=failed, hint=f"ls -l {folder}")


def _run(hook: Path, backup: Path) -> str:
    """Why it failed; empty where it did not."""
    try:
        done = subprocess.run(
            [hook, backup], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", check=False, timeout=BOUND,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"no result within {BOUND} s"
    except OSError as error:
        return error.strerror or str(error)
    last = next((line for line in reversed(done.stdout.splitlines()) if line.strip()), "")
    return on_one_line(f"status {done.returncode} {last}".strip()) if done.returncode else ""
