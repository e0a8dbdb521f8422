"""Shell completions: the copies that come with etcd-deb, whatever can be run on this machine."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from builder import shipped

# Only cobra's programs know the command `completion`; etcd itself has flags alone.
PROGRAMS = ("etcdctl", "etcdutl")
# Written by hand, since these two print none.
OWN = ("etcd", "etcd-ha")
FILE_NAMES = {"bash": "{}", "zsh": "_{}", "fish": "{}.fish"}
SHIPPED = shipped.DEBIAN_TEMPLATE / "completions"


def write_completions(programs: Collection[str], folder: Path) -> None:
    """folder/SHELL/FILE for each of these programs and shells, and for etcd-ha.

    The copies are what Debian's 3.5.30 printed (upstream's 3.5 has no such command). Another release would
    print others, but all of them ask the program itself at run time. Asking the programs here would give
    other bytes where they can't be run: on another architecture, or in a TMPDIR that is mounted noexec.
    """
    for shell, pattern in FILE_NAMES.items():
        (folder / shell).mkdir(parents=True)
        for name in {*programs, *OWN}:
            shutil.copyfile(SHIPPED / shell / pattern.format(name), folder / shell / pattern.format(name))
