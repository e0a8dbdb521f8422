"""Shell completions: from the programs where they run here, else the copies that come with etcd-deb."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from builder import shipped
from builder.errors import CommandFailed
from builder.examine import ExaminedBinaries, program_folder
from builder.process import run
from builder.progress import Progress

# Only cobra's programs know the command `completion`; etcd itself has flags alone.
PROGRAMS = ("etcdctl", "etcdutl")
# Written by hand, since these two print none.
OWN = ("etcd", "etcd-ha")
FILE_NAMES = {"bash": "{}", "zsh": "_{}", "fish": "{}.fish"}
SHIPPED = shipped.DEBIAN_TEMPLATE / "completions"


def write_completions(examined: ExaminedBinaries, folder: Path, progress: Progress) -> None:
    """folder/SHELL/FILE for each program and shell.

    A release without the command (upstream's 3.5 has none), or one for another architecture, gets the copies,
    which Debian's 3.5.30 printed: they ask the program itself at run time, so they suit every version.
    """
    wanted = [
        (program.name, shell)
        for program in examined.binaries.programs
        if program.name in PROGRAMS
        for shell in FILE_NAMES
    ]
    with ThreadPoolExecutor() as pool:
        texts = list(pool.map(lambda pair: _completion(pair[0], pair[1], examined, progress), wanted))
    for (name, shell), text in zip(wanted, texts, strict=True):
        file = folder / shell / FILE_NAMES[shell].format(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for name in OWN:
        for shell, pattern in FILE_NAMES.items():
            shutil.copyfile(SHIPPED / shell / pattern.format(name), folder / shell / pattern.format(name))


def _completion(name: str, shell: str, examined: ExaminedBinaries, progress: Progress) -> str:
    if examined.ran:
        bin_folder = program_folder(examined)
        try:
            return run([str(bin_folder / name), "completion", shell], cwd=bin_folder, progress=progress)
        except CommandFailed:
            pass
    return (SHIPPED / shell / FILE_NAMES[shell].format(name)).read_text(encoding="utf-8")
