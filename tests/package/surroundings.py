"""Building in other surroundings than usual: folder, umask, time zone, locale, user and clock."""

from __future__ import annotations

import os
import pwd
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import mkdtemp

from tests.lab import releases
from tests.lab.account import Account
from tests.lab.command import run

CHECKOUT = Path(__file__).resolve().parents[2]
NOBODY = "nobody"
# Turkish: its lower case of I is no i. Kiritimati: its day is never that of UTC after 10 o'clock.
LOCALE, ZONE, LATER = "tr_TR.UTF-8", "Pacific/Kiritimati", "+366d"
# The interpreter, the checkout and the releases may lie in a home that is closed to others: lays a home over
# it that has just these folders, and that all may enter. $1 the home, $2 an empty folder, then the folders,
# -- and the command.
OPEN_HOME = """
home=$1 stage=$2
shift 2
mount -t tmpfs -o mode=0755 tmpfs "$stage"
while [ "$1" != -- ]; do
    case $1 in
        "$home"/*)
            mkdir -p "$stage/${1#"$home"/}"
            mount --bind "$1" "$stage/${1#"$home"/}"
            ;;
    esac
    shift
done
shift
mount --rbind "$stage" "$home"
exec "$@"
"""


class Change(StrEnum):
    """One way in which surroundings can be other than usual."""

    FOLDER = "folder"
    UMASK = "umask"
    ZONE = "time zone"
    LOCALE = "locale"
    USER = "user"
    CLOCK = "clock"


@dataclass(frozen=True)
class Surroundings:
    """Usual but for the changes. stage: a folder that everybody may enter."""

    stage: Path
    changes: frozenset[Change]

    def account(self) -> Account:
        """Folders for one build, owned by who builds."""
        account = Account(self.stage / ("an other place, 100 %" if Change.FOLDER in self.changes else "a"))
        account.pins = releases.PINS
        account.variables |= self._variables()
        if Change.USER in self.changes:
            run(["chown", "-R", f"{NOBODY}:", account.folder])
        return account

    def _variables(self) -> dict[str, str]:
        variables = {"TZ": "UTC"}
        if Change.ZONE in self.changes:
            variables["TZ"] = ZONE
        if Change.LOCALE in self.changes:
            variables |= {"LC_ALL": LOCALE, "LANG": LOCALE, "LOCPATH": str(self._make_locale())}
        if Change.CLOCK in self.changes:
            variables["PATH"] = f"{self._make_shim()}:{os.environ['PATH']}"
        return variables

    def _make_locale(self) -> Path:
        folder = self.stage / "locale"
        folder.mkdir()
        language, _, charset = LOCALE.partition(".")
        run(["localedef", "-i", language, "-f", charset, folder / LOCALE])
        return folder

    def _make_shim(self) -> Path:
        """etcd-deb gives its children an environment of its own, so the clock has to be put back in."""
        program = shutil.which("dpkg-buildpackage")
        assert program, "dpkg-buildpackage is missing"
        folder = self.stage / "shim"
        folder.mkdir()
        shim = folder / "dpkg-buildpackage"
        shim.write_text(f'#!/bin/sh\nexec faketime -f {LATER} {program} "$@"\n')
        shim.chmod(0o755)
        return folder

    def under(self) -> list[str]:
        """The command that runs another in these surroundings."""
        words: list[str] = []
        if Change.USER in self.changes:
            home = self.stage / "home"
            home.mkdir()
            places = (sys.prefix, sys.base_prefix, CHECKOUT, releases.RELEASES)
            words += ["unshare", "--mount", "sh", "-ec", OPEN_HOME, "sh", str(Path.home()), str(home)]
            words += [*map(str, places), "--"]
            words += ["setpriv", f"--reuid={NOBODY}", "--regid=nogroup", "--clear-groups", "--"]
        mask = "077" if Change.UMASK in self.changes else "022"
        return [*words, "sh", "-ec", f'umask {mask}; exec "$@"', "sh"]


@contextmanager
def surroundings(*changes: Change) -> Iterator[Surroundings]:
    """Surroundings with a stage of their own, removed at the end."""
    stage = Path(mkdtemp(prefix="etcd-deb-tests-"))
    try:
        stage.chmod(0o755)
        yield Surroundings(stage, frozenset(changes))
    finally:
        shutil.rmtree(stage)


def nobody() -> int:
    """The unprivileged user's id."""
    return pwd.getpwnam(NOBODY).pw_uid
