"""Packing a source tree in a Debian release that is not this machine's: a chroot by mmdebstrap.

mmdebstrap makes it, runs the build in it as a hook, and removes it, as root or as a user with a range of
subordinate ids (subuid(5)). What enters is the tree that we made, never a file of a package that is judged.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import builder
from builder.errors import CommandFailed, EtcdDebError, MissingProgram
from builder.package.pack import Place, packing_command, packing_environment
from builder.package.source_tree import SourceTree
from builder.package.toolchain import Toolchain
from builder.system.process import find_program, run
from builder.system.progress import Progress

PACKAGES = ("debhelper", "dpkg-dev", "gzip", "make", "po-debconf", "python3", "xz-utils", "zstd")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# How this machine reaches an archive: proxies, certificates, time-outs.
_INHERITED = ("Acquire::http::", "Acquire::https::", "Acquire::Check-", "Acquire::Retries")
# Seconds that mmdebstrap may take to remove what it made: half a gigabyte.
GRACE = 60.0
_SUITES = ("", "-updates", "-security")
_INSIDE = Place(Path("/build"), Path("/usr/bin/python3"), Path("/build/modules"))


class NoChroot(EtcdDebError):
    """The required Debian release is not available on this machine."""


def pack_in_chroot(
    tree: SourceTree, compression: str, toolchain: Toolchain, work: Path, progress: Progress
) -> Path:
    """The package that this release makes of the tree, in work.

    Of the packages that count, the versions that the toolchain names are taken where the mirror has them.
    Raises NoChroot, with what mmdebstrap and dpkg-buildpackage printed.
    """
    try:
        return _pack(tree, compression, toolchain, work, progress)
    except (MissingProgram, CommandFailed) as error:
        raise NoChroot(
            f"can't set up {toolchain} on this machine: {error.summary}",
            details=error.details,
            hint=error.hint,
        ) from error


def _pack(tree: SourceTree, compression: str, toolchain: Toolchain, work: Path, progress: Progress) -> Path:
    mmdebstrap = find_program("mmdebstrap", "mmdebstrap")
    sources = _sources(toolchain, progress, work)
    modules, preferences = work / "modules", work / "preferences"
    for name in ("__init__.py", "deb/__init__.py", "deb/repack.py"):
        copy = modules / builder.__name__ / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(builder.__file__).parent / name, copy)
    preferences.write_text("".join(_preferences(toolchain)), encoding="utf-8")
    inside = [f"{name}={value}" for name, value in packing_environment(tree, _INSIDE).items()]
    build = shlex.join(
        [
            *("env", "-i", f"--chdir={_INSIDE.folder / tree.root.name}"),
            *("PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", *inside),
            *packing_command(tree, compression, _INSIDE),
        ]
    )
    hooks = (
        f"--setup-hook=upload {shlex.quote(str(preferences))} /etc/apt/preferences.d/toolchain",
        f'--customize-hook=mkdir -p "$1{_INSIDE.home}"',
        f"--customize-hook=copy-in {shlex.join([str(tree.root), str(modules)])} {_INSIDE.folder}",
        f'--customize-hook=chroot "$1" {build}',
        f"--customize-hook=copy-out {_INSIDE.folder / tree.package} {shlex.quote(str(work))}",
    )
    options = [f"--aptopt={line}" for line in _inherited(work)]
    as_root = os.geteuid() == 0
    run(
        [
            *(_own_mounts() if as_root else ()),
            *(mmdebstrap, "--variant=apt", f"--include={','.join(PACKAGES)}", *options, *hooks),
            *(toolchain.codename, "/dev/null", *sources),
        ],
        cwd=work,
        progress=progress,
        # Where it is killed, root's chroot goes with our own folder, which the ids of a user's can't enter.
        environment={"TMPDIR": str(work)} if as_root else {},
        grace=GRACE,
    )
    return work / tree.package


def _own_mounts() -> tuple[str, ...]:
    """What root's mmdebstrap is run by, so that the mounts in its chroot end with it.

    Where it is killed it leaves /proc, /sys and /dev/shm of this machine mounted there, and who removes the
    folder would remove what is in them.
    """
    return (find_program("unshare", "util-linux"), "--mount", "--propagation=private", "--")


def _sources(toolchain: Toolchain, progress: Progress, work: Path) -> tuple[str, ...]:
    """The lines of sources.list(5) that this machine has for its own release, for the other one."""
    here = platform.freedesktop_os_release()
    if toolchain.distribution != "debian" or here.get("ID") != "debian":
        raise NoChroot(
            f"can't set up {toolchain} on this machine",
            details=(
                "expected  a package built on Debian, and a machine whose apt sources name Debian's mirror",
                f"found     {toolchain}, and a machine with {here.get('ID')} {here.get('VERSION_CODENAME')}",
            ),
            hint=f"run the command on a machine with {toolchain}",
        )
    own = here.get("VERSION_CODENAME", "")
    # The code name is known where apt has read the archive's Release file.
    form = "$(RELEASE) $(CODENAME) $(COMPONENT) $(REPO_URI)"
    words = ("indextargets", "--format", form, "Created-By: Packages")
    rows = run([find_program("apt-get", "apt"), *words], cwd=work, progress=progress).splitlines()
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    lines = [
        f"deb {signed}{uri} {toolchain.codename}{suite} main"
        for suite in _SUITES
        for row in rows
        for release, codename, component, uri in [(*row.split(" ", 3), "", "", "")[:4]]
        if f"{own}{suite}" in (release, codename) and component == "main"
    ]
    if not lines:
        raise NoChroot(
            f"can't set up {toolchain} on this machine",
            details=(f"expected  an apt source for {own} main", f"found     {'; '.join(rows) or 'none'}"),
            hint="apt update; then run the command again",
        )
    return tuple(dict.fromkeys(lines))


def _preferences(toolchain: Toolchain) -> Iterator[str]:
    for package, version in toolchain.versions.items():
        for form in (version, f"{version}+b*"):
            # apt_preferences(5): above 1000, also where another version is newer.
            yield f"Package: {package}\nPin: version {form}\nPin-Priority: 1001\n\n"


def _inherited(work: Path) -> Iterator[str]:
    printed = run([find_program("apt-config", "apt"), "dump"], cwd=work, progress=Progress())
    for line in printed.splitlines():
        if line.startswith(_INHERITED) and not line.endswith('"";'):
            yield line
