"""What Go makes of certificates: a program of ours with Go's crypto/x509, compiled once."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.support.cache import CACHE, locked, new_folder
from tests.support.releases.go_modules import find_go
from tests.support.releases.releases import NEWEST

SOURCE = Path(__file__).with_name("certificate_judge.go")
JUDGES = CACHE / "certificate-judges"


def _program() -> Path:
    version = NEWEST["3.7"]
    source = SOURCE.read_bytes()
    home = JUDGES / f"{version}-{hashlib.sha256(source).hexdigest()[:16]}"
    with locked(JUDGES / "lock"):
        if not (home / "judge").exists():
            with new_folder(home) as folder:
                work = folder / "work"
                work.mkdir()
                (work / "main.go").write_bytes(source)
                go = find_go(version, folder)
                go.run("mod", "init", "local/judge", cwd=work)
                go.run("build", "-o", str(folder / "judge"), ".", cwd=work)
    return home / "judge"


def ask(questions: Sequence[tuple[Path, Path, str, str]]) -> list[str]:
    """ "ok" or Go's reason for each (chain file, CA file, server or client, host or "-")."""
    lines = "".join(" ".join(map(str, question)) + "\n" for question in questions)
    done = subprocess.run([_program()], input=lines, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()
