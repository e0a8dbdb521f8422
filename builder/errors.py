"""What can go wrong, in the words the user reads. Imports nothing of ours: every module may use it."""

from collections.abc import Sequence

GENERAL = 1
USAGE = 2
UNVERIFIED = 3


class EtcdDebError(Exception):
    """An error the user can act on: one line, facts below it, and what to do next."""

    exit_status = GENERAL

    def __init__(self, summary: str, *, details: Sequence[str] = (), hint: str | None = None) -> None:
        super().__init__(summary)
        self.summary = summary
        self.details = tuple(details)
        self.hint = hint

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
    """A file could not be had: network, server, certificate, size."""


class VerificationFailed(EtcdDebError):
    """The files are there and can't be trusted. Nothing made from them is kept."""

    exit_status = UNVERIFIED


class DigestMismatch(VerificationFailed):
    """A file has other bytes than its digest says."""

    def __init__(self, *, file: str, expected: str, got: str, witness: str, hint: str | None = None) -> None:
        super().__init__(
            f"checksum of {file} does not match {witness}",
            details=(f"expected  sha256 {expected}", f"got       sha256 {got}"),
            hint=hint
            or "run the command again, since a proxy may have served another file;"
            " if it repeats, do not use this release and tell etcd's maintainers",
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
            hint="free some space there, or name another place:"
            " TMPDIR for the work, XDG_CACHE_HOME for downloads, --output for the packages",
        )


class Interrupted(BaseException):
    """A signal asked us to end: like KeyboardInterrupt, no handler of ordinary errors may swallow it."""

    def __init__(self, number: int = 0) -> None:
        super().__init__(number)
        self.number = number
