"""Looking at the binaries: built for the right machine, the version asked for, and from which Go modules."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from builder.buildinfo import GoBuildInfo, read_build_info
from builder.errors import CommandFailed, VerificationFailed
from builder.process import run
from builder.progress import Progress
from builder.unpack import Binaries, Program
from builder.version import Architecture, host_architecture


@dataclass(frozen=True, slots=True)
class ExaminedProgram:
    """A program, and what was found in it."""

    program: Program
    build: GoBuildInfo
    is_static: bool


@dataclass(frozen=True, slots=True)
class ExaminedBinaries:
    """Binaries that are what the release says they are. ran: whether they could be run on this machine."""

    binaries: Binaries
    programs: tuple[ExaminedProgram, ...]
    ran: bool


def examine(binaries: Binaries, progress: Progress) -> ExaminedBinaries:
    """The binaries, looked at.

    Raises VerificationFailed for an ELF file of another machine, or one that says another version.
    """
    file = binaries.tarball.file
    programs = tuple(_examine(program, file.architecture) for program in binaries.programs)
    ran = file.architecture == host_architecture()
    if ran:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda found: _ask_version(found.program, binaries, progress), programs))
    return ExaminedBinaries(binaries, programs, ran)


def _examine(program: Program, architecture: Architecture) -> ExaminedProgram:
    try:
        with program.path.open("rb") as stream:
            elf = ELFFile(stream)
            expected = f"{architecture.elf_machine}, {architecture.byte_order} endian"
            got = f"{elf['e_machine']}, {'little' if elf.little_endian else 'big'} endian"
            if got != expected:
                raise VerificationFailed(
                    f"{program.name} is not built for {architecture}",
                    details=(f"expected  {expected}", f"got       {got}"),
                    hint="the release's tarballs are mixed up; tell whoever made it",
                )
            is_static = not any(segment["p_type"] == "PT_INTERP" for segment in elf.iter_segments())
            return ExaminedProgram(program, read_build_info(elf, program.name), is_static)
    # pyelftools also follows offsets that lead nowhere, which the file object refuses.
    except (ELFError, ValueError, OSError) as error:
        raise VerificationFailed(
            f"{program.name} is not an ELF file",
            details=(f"expected  a program for {architecture}", f"got       {error}"),
            hint="check where the tarball came from",
        ) from error


def _ask_version(program: Program, binaries: Binaries, progress: Progress) -> None:
    argument = "--version" if program.name == "etcd" else "version"
    title = "etcd Version" if program.name == "etcd" else f"{program.name} version"
    expected = f"{title}: {binaries.tarball.file.version}"
    try:
        printed = run([str(program.path), argument], cwd=program.path.parent, progress=progress)
    except (CommandFailed, OSError) as error:
        raise VerificationFailed(
            f"{program.name} does not run here",
            details=(f"ran       {program.name} {argument}", str(error)),
            hint="check where the tarball came from",
        ) from error
    if expected not in printed.splitlines():
        raise VerificationFailed(
            f"{program.name} says another version",
            details=(
                f"expected  {expected}",
                f"got       {printed.splitlines()[0] if printed else 'nothing'}",
            ),
            hint="the release's tarballs are mixed up; tell whoever made it",
        )


def program_folder(examined: ExaminedBinaries) -> Path:
    """Where the programs lie."""
    return examined.programs[0].program.path.parent
