"""Looking at the binaries: built for the right machine, the version asked for, and from which Go modules."""

from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from elftools.elf.elffile import ELFFile

from builder.errors import CommandFailed, EtcdDebError, VerificationFailed
from builder.package.go_modules import GoBuildInfo, read_build_info
from builder.package.unpack import Binaries, Program
from builder.system.process import run
from builder.system.progress import Progress
from builder.version import Architecture, host_architecture

# What execve(2) says where a program may not or can't be run: a TMPDIR mounted noexec, another machine.
_NOT_RUNNABLE = (errno.EACCES, errno.ENOEXEC)


@dataclass(frozen=True, slots=True)
class ExaminedProgram:
    """A program, and what was found in it."""

    program: Program
    build: GoBuildInfo
    is_static: bool


@dataclass(frozen=True, slots=True)
class ExaminedBinaries:
    """Binaries that are what the release says they are."""

    binaries: Binaries
    programs: tuple[ExaminedProgram, ...]


def examine(binaries: Binaries, progress: Progress) -> ExaminedBinaries:
    """The binaries, looked at. Running them only checks: nothing of the package comes from it.

    Raises VerificationFailed for an ELF file of another machine, or one that says another version;
    EtcdDebError for one that starts here and does not answer.
    """
    file = binaries.tarball.file
    programs = tuple(_examine(program, file.architecture) for program in binaries.programs)
    if file.architecture == host_architecture():
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda found: _ask_version(found.program, binaries, progress), programs))
    return ExaminedBinaries(binaries, programs)


def _examine(program: Program, architecture: Architecture) -> ExaminedProgram:
    # From memory: a length that a damaged file claims is then bounded, and no error is one of the disk.
    content = BytesIO(program.path.read_bytes())
    try:
        return _read_elf(program, content, architecture)
    except (VerificationFailed, MemoryError):
        raise
    # pyelftools checks little of what it follows, so that a damaged file ends it in any way.
    except Exception as error:
        raise VerificationFailed(
            f"{program.name} is not an ELF file",
            details=(
                f"expected  a program for {architecture}",
                f"found     {str(error) or type(error).__name__}",
            ),
            hint="check where the tarball came from",
        ) from error


def _read_elf(program: Program, content: BytesIO, architecture: Architecture) -> ExaminedProgram:
    elf = ELFFile(content)
    expected = f"{architecture.elf_machine}, {architecture.byte_order} endian"
    got = f"{elf['e_machine']}, {'little' if elf.little_endian else 'big'} endian"
    if got != expected:
        raise VerificationFailed(
            f"{program.name} is not built for {architecture}",
            details=(f"expected  {expected}", f"found     {got}"),
            hint="the release's tarballs are mixed up; tell whoever made it",
        )
    is_static = not any(segment["p_type"] == "PT_INTERP" for segment in elf.iter_segments())
    return ExaminedProgram(program, read_build_info(elf, program.name), is_static)


def _ask_version(program: Program, binaries: Binaries, progress: Progress) -> None:
    argument = "--version" if program.name == "etcd" else "version"
    title = "etcd Version" if program.name == "etcd" else f"{program.name} version"
    expected = f"{title}: {binaries.tarball.file.version}"
    try:
        printed = run([str(program.path), argument], cwd=program.path.parent, progress=progress)
    except OSError as error:
        if error.errno not in _NOT_RUNNABLE:
            raise
        progress.warn(f"can't run {program.name} ({error.strerror}): its version was not checked")
        return
    except CommandFailed as error:
        # As likely a machine with too little memory as a bad file, whose digest is the expected one.
        raise EtcdDebError(
            f"{program.name} does not run on this machine",
            details=(
                f"expected  {expected}",
                f"found     {error.summary}",
                *(f"          {detail}" for detail in error.details),
            ),
            hint="check the limits (ulimit -a) and the memory; the file itself has the expected digest",
        ) from error
    if expected not in printed.splitlines():
        raise VerificationFailed(
            f"{program.name} reports another version",
            details=(
                f"expected  {expected}",
                f"found     {printed.splitlines()[0] if printed else 'nothing'}",
            ),
            hint="the release's tarballs are mixed up; tell whoever made it",
        )


def program_folder(examined: ExaminedBinaries) -> Path:
    """Where the programs are."""
    return examined.programs[0].program.path.parent
