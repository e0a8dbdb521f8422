"""What can go wrong, in the words the user reads. Imports nothing of ours: every module may use it."""

import os
from collections.abc import Sequence
from pathlib import Path

GENERAL = 1
USAGE = 2
UNVERIFIED = 3
NOT_COMPARED = 4
# sysexits(3): EX_SOFTWARE and EX_IOERR.
OWN_FAULT = 70
UNPRINTED = 74
# Characters of one line of a message; what a file or a server says may be any number.
LONGEST = 600


def on_one_line(text: str) -> str:
    """The text as it may be shown: foreign text can't move the cursor or forge one of our lines."""
    shown = "".join(
        char if char.isprintable() else " " if char in "\n\t" else char.encode("unicode_escape").decode()
        for char in text[:LONGEST]
    )
    return shown + "…" * (len(text) > LONGEST)


def elsewhere(path: str) -> str:
    """What to type to put a file like this one somewhere else."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "etcd-deb")
    work = Path(os.environ.get("TMPDIR") or "/tmp", "etcd-deb-")  # noqa: S108
    if path.startswith(os.path.expanduser(f"{cache}/")):  # noqa: PTH111  # Path raises where nobody has a home
        return "choose another folder for downloads: XDG_CACHE_HOME=DIR"
    if path.startswith(str(work)):
        return "choose another folder for temporary files: TMPDIR=DIR"
    return "choose another folder"


class EtcdDebError(Exception):
    """An error the user can act on: one line, facts below it, and what to do next."""

    exit_status = GENERAL

    def __init__(self, summary: str, *, details: Sequence[str] = (), hint: str | None = None) -> None:
        self.summary = on_one_line(summary)
        super().__init__(self.summary)
        self.details = tuple(map(on_one_line, details))
        self.hint = None if hint is None else on_one_line(hint)

    def render(self) -> str:
        """The whole message without the program's name, as the command line shows it."""
        lines = [self.summary, *(f"  {detail}" for detail in self.details)]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


class UsageError(EtcdDebError):
    """A word of the user's (version, architecture, setting) that means nothing here."""

    exit_status = USAGE


class NoSuchRelease(EtcdDebError):
    """The source answers, and has no such version, or none for this architecture."""


class DownloadFailed(EtcdDebError):
    """A file could not be fetched: network, server, certificate, size."""


class VerificationFailed(EtcdDebError):
    """The files are there and can't be trusted. Nothing made from them is kept."""

    exit_status = UNVERIFIED


class DigestMismatch(VerificationFailed):
    """A file has other bytes than its digest says."""

    def __init__(self, *, file: str, expected: str, got: str, witness: str, hint: str | None = None) -> None:
        super().__init__(
            f"checksum of {file} does not match {witness}",
            details=(f"expected  sha256 {expected}", f"found     sha256 {got}"),
            hint=hint
            or "run the command again, since a proxy may have served another file;"
            " if it fails again, do not use this release and inform etcd's maintainers",
        )
        self.file = file
        self.expected = expected
        self.got = got


class MissingProgram(EtcdDebError):
    """A program of Debian that the work needs is not installed."""

    def __init__(self, program: str, package: str) -> None:
        super().__init__(
            f"{program} is not installed",
            details=(f"expected  {program} in PATH",),
            hint=f"apt install {package}, or see: etcd-deb doctor",
        )
        self.program = program


class CommandFailed(EtcdDebError):
    """A program we ran ended badly; details carry the last lines it printed.

    ended: its exit status, negative for a signal, None where it only left out what it should have made.
    """

    def __init__(
        self,
        summary: str,
        *,
        details: Sequence[str] = (),
        hint: str | None = None,
        ended: int | None = None,
    ) -> None:
        super().__init__(summary, details=details, hint=hint)
        self.ended = ended


class DiskFull(EtcdDebError):
    """No space left where a file was being written."""

    def __init__(self, path: str, doing: str) -> None:
        super().__init__(
            f"no space left on device while {doing}",
            details=(f"writing   {path}",),
            hint=f"free some space there, or {elsewhere(path)}",
        )


class NotPrinted(EtcdDebError):
    """The command did its work, and its result was not printed."""

    exit_status = UNPRINTED

    def __init__(self, reason: str) -> None:
        super().__init__(
            "the result could not be printed",
            details=("expected  a writable standard output", f"found     {reason}"),
            hint="the command itself has completed: check its effect before you run it again",
        )


class OwnFault(EtcdDebError):
    """A bug in etcd-deb: the error is not in its input."""

    exit_status = OWN_FAULT


class Interrupted(BaseException):
    """A signal asked us to end: like KeyboardInterrupt, no handler of ordinary errors may swallow it."""

    def __init__(self, number: int = 0) -> None:
        super().__init__(number)
        self.number = number
        # What the command that was ended has to say of its work.
        self.left = "nothing was left behind"
