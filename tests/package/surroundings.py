"""Building in other surroundings than usual, from the folder to what the caller has in HOME."""

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

from tests.support.account import Account
from tests.support.command import run
from tests.support.releases import releases

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

# Nothing below $1 can be run, and the machine says that it is another one.
NOT_RUNNABLE = 'mount -t tmpfs -o mode=1777,noexec tmpfs "$1"; shift; exec linux32 "$@"'
# What a user may have who builds packages all day; each line alone makes another package, or none.
HOSTILE_FILES = {
    ".config/dpkg/buildpackage.conf": "build-profiles=nodoc\nhook-done=false\nbuild=full\n"
    "check-command=false\nsign-keyid=0123456789ABCDEF0123456789ABCDEF01234567\nforce-sign\npost-clean\n",
    ".config/dpkg/buildflags.conf": "SET CFLAGS -Wall\n",
    ".dpkg.cfg": "no-such-option\n",
    ".devscripts": "DEBUILD_DPKG_BUILDPACKAGE_OPTS=-nc\n",
}
HOSTILE_VARIABLES = {
    **dict.fromkeys(("DEB_BUILD_OPTIONS", "DEB_BUILD_PROFILES"), "nodoc"),
    **dict.fromkeys(("DH_NO_ACT", "DH_VERBOSE"), "1"),
    "DPKG_DEB_COMPRESSOR_LEVEL": "1",
    "DPKG_DEB_THREADS_MAX": "1",
    "GZIP": "-1",
    "MAKEFLAGS": "-n",
    "PERL5OPT": "-Mno_such_module",
    "SOURCE_DATE_EPOCH": "1",
    "TAR_OPTIONS": "--no-such-option",
    "XZ_DEFAULTS": "--threads=2",
    "XZ_OPT": "-9",
    "ZSTD_CLEVEL": "19",
}
# Before each release there is, and in the future of the machine.
DAYS = {"installed before": 500_000_000, "installed after": 3_000_000_000}


class Change(StrEnum):
    """One way in which surroundings can be other than usual."""

    FOLDER = "folder"
    UMASK = "umask"
    ZONE = "time zone"
    LOCALE = "locale"
    USER = "user"
    CLOCK = "clock"
    HOME = "home"
    NOT_RUNNABLE = "not runnable"
    INSTALLED_BEFORE = "installed before"
    INSTALLED_AFTER = "installed after"


@dataclass(frozen=True)
class Surroundings:
    """Usual but for the changes. stage: a folder that everybody may enter."""

    stage: Path
    changes: frozenset[Change]

    def account(self) -> Account:
        """Folders for one build, owned by who builds."""
        account = Account(self._folder())
        account.pins = releases.PINS
        account.variables |= self._variables()
        if Change.HOME in self.changes:
            for name, text in HOSTILE_FILES.items():
                file = account.folder / "home" / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            account.variables |= HOSTILE_VARIABLES
        for change in self.changes & set(DAYS):
            account.program = installed(self.stage / "installed", DAYS[change])
        if Change.USER in self.changes:
            run(["chown", "-R", f"{NOBODY}:", account.folder])
        return account

    def _folder(self) -> Path:
        return self.stage / ("an other place, 100 %" if Change.FOLDER in self.changes else "a")

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
        if Change.NOT_RUNNABLE in self.changes:
            words += ["unshare", "--mount", "sh", "-ec", NOT_RUNNABLE, "sh", str(self._folder() / "work")]
        if Change.USER in self.changes:
            words += ["setpriv", f"--reuid={NOBODY}", "--regid=nogroup", "--clear-groups", "--"]
        mask = "077" if Change.UMASK in self.changes else "022"
        return [*words, "sh", "-ec", f'umask {mask}; exec "$@"', "sh"]


def installed(folder: Path, day: int, python: Path | None = None, wheel: Path | None = None) -> Path:
    """The program of a copy of this etcd-deb, every file of which has this time (seconds since 1970).

    python: None for the one that runs the tests. wheel: what is installed; None for the checkout.
    """
    if wheel:
        run([sys.executable, "-m", "pip", "-q", "install", "--no-deps", "--target", folder, wheel])
    else:
        for part in ("builder", "conf", "debian-template"):
            shutil.copytree(CHECKOUT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    program = folder / "etcd-deb"
    program.write_text(
        # By env, since a script may be no other script's interpreter on every kernel.
        f"#!/usr/bin/env {python or sys.executable}\nimport sys\nsys.path.insert(0, {str(folder)!r})\n"
        "from builder.__main__ import main\nmain()\n"
    )
    program.chmod(0o755)
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (day, day))
    return program


@contextmanager
def surroundings(*changes: Change, without: Change | None = None) -> Iterator[Surroundings]:
    """Surroundings with a stage of their own, removed at the end."""
    stage = Path(mkdtemp(prefix="etcd-deb-tests-"))
    try:
        stage.chmod(0o755)
        yield Surroundings(stage, frozenset(changes) - {without})
    finally:
        shutil.rmtree(stage)


def nobody() -> int:
    """The unprivileged user's id."""
    return pwd.getpwnam(NOBODY).pw_uid
