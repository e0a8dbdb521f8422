"""The key that signs a repository: gpg alone touches it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builder.errors import CommandFailed, EtcdDebError
from builder.process import find_program, run
from builder.progress import Progress
from builder.settings import xdg_folder


class SigningFailed(EtcdDebError):
    """gpg could not sign; what clients see is what it was before."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A secret key of gpg's. home: its GNUPGHOME, empty for the user's own."""

    fingerprint: str
    home: str


def new_key(home: str, owner: str, progress: Progress) -> SigningKey:
    """An ed25519 key without a passphrase and without an end, made for this repository alone.

    Raises SigningFailed.
    """
    _make_home(home)
    _gpg(home, ["--passphrase", "", "--quick-generate-key", owner, "ed25519", "sign", "never"], progress)
    return find_key(home, f"={owner}", progress)


def find_key(home: str, wanted: str, progress: Progress) -> SigningKey:
    """The newest secret key that wanted (a fingerprint, key id or user id) names. Raises SigningFailed."""
    try:
        listed = _gpg(home, ["--with-colons", "--list-secret-keys", wanted], progress)
    except SigningFailed as error:
        raise _no_key(home, wanted) from error
    primary = False
    found: list[str] = []
    for line in listed.splitlines():
        fields = line.split(":")
        if fields[0] == "sec":
            primary = True
        elif fields[0] == "fpr" and primary:
            primary = False
            found.append(fields[9])
    if not found:
        raise _no_key(home, wanted)
    return SigningKey(found[-1], home)


def public_key(key: SigningKey, progress: Progress) -> str:
    """The public key in ASCII armour. Raises SigningFailed."""
    return _gpg(
        key.home, ["--armor", "--export-options", "export-minimal", "--export", key.fingerprint], progress
    )


def without_armour(armoured: Path, progress: Progress) -> bytes:
    """The key of a file in the form that gpgv reads."""
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder) / "key.gpg"
        _gpg("", ["--output", str(binary), "--dearmor", str(armoured)], progress)
        return binary.read_bytes()


@contextmanager
def signing(key: SigningKey, release: Path, progress: Progress) -> Iterator[tuple[Path, Path]]:
    """InRelease and Release.gpg beside a Release file, made while the block runs and there when it has ended.

    Raises SigningFailed.
    """
    both = release.with_name("InRelease"), release.with_name("Release.gpg")
    # SHA512, since apt refuses signatures by weak digests and gpg's default depends on the key.
    signer = ["--local-user", key.fingerprint, "--digest-algo", "SHA512"]
    ways = (["--clearsign"], ["--armor", "--detach-sign"])
    own = progress.apart()

    def make(target: Path, how: list[str]) -> None:
        _gpg(key.home, [*signer, "--output", str(target), *how, str(release)], own)

    # One after the other: gpg's agent does not make two signatures at once, and the block works too.
    with ThreadPoolExecutor(1) as pool:
        made = pool.map(make, both, ways)
        try:
            yield both
            tuple(made)
        except BaseException:
            # gpg may be waiting for a card.
            own.stop()
            raise


def find_fault(keyring: Path, signed: list[Path], progress: Progress) -> str | None:
    """What gpgv says against a signature, None where it is good. signed: as gpgv takes it.

    keyring: in binary form, since gpgv reads no armour.
    """
    argv = [find_program("gpgv", "gpgv"), "--keyring", str(keyring), *map(str, signed)]
    try:
        run(argv, cwd=Path("/"), progress=progress)
    except CommandFailed as error:
        return "; ".join(line for line in error.details if line.startswith("| ")).replace("| ", "")
    return None


def _make_home(home: str) -> None:
    if home:
        Path(home).mkdir(mode=0o700, parents=True, exist_ok=True)


def _gpg(home: str, arguments: list[str], progress: Progress) -> str:
    argv = [
        find_program("gpg", "gnupg"),
        "--batch",
        "--no-tty",
        "--yes",
        "--pinentry-mode",
        "loopback",
        *arguments,
    ]
    own = home or os.environ.get("GNUPGHOME") or str(xdg_folder("HOME", "~") / ".gnupg")
    try:
        return run(argv, cwd=Path("/"), progress=progress, environment={"GNUPGHOME": own})
    except CommandFailed as error:
        raise SigningFailed(
            error.summary.replace("gpg ", "gpg could not sign: gpg ", 1),
            details=error.details,
            hint="gpg --list-secret-keys shows the keys there are, and which of them have expired",
        ) from error


def _no_key(home: str, wanted: str) -> SigningFailed:
    where = f"GNUPGHOME {home}" if home else "the key ring of this user"
    return SigningFailed(
        f"no secret key {wanted}",
        details=(f"expected  one in {where}",),
        hint="gpg --list-secret-keys shows those there are; repo init --new-key makes one",
    )
