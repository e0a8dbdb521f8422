"""The key that signs a repository: gpg alone touches it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builder.errors import CommandFailed, EtcdDebError
from builder.settings import xdg_folder
from builder.system.process import find_program, run
from builder.system.progress import Progress

# What apt has sqv follow.
SQV_POLICY = Path("/usr/share/apt/default-sequoia.config")
# What gpg says where it would have to ask a person.
_NO_PASSPHRASE = (
    "can't get input",
    "Inappropriate ioctl for device",
    "No passphrase given",
    "Bad passphrase",
    "No pinentry",
)


class SigningFailed(EtcdDebError):
    """gpg could not sign; what clients see is what it was before."""


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """Secret keys of gpg's, each of which signs. home: their GNUPGHOME, empty for the user's own."""

    fingerprints: tuple[str, ...]
    home: str


def new_key(home: str, owner: str, progress: Progress) -> str:
    """The fingerprint of a new ed25519 key, without a passphrase and without an end, for this repository.

    Raises SigningFailed.
    """
    _make_home(home)
    _gpg(home, ["--passphrase", "", "--quick-generate-key", owner, "ed25519", "sign", "never"], progress)
    return find_key(home, f"={owner}", progress)


def find_key(home: str, wanted: str, progress: Progress) -> str:
    """The fingerprint of the newest secret key that wanted (itself, a key id or user id) names.

    Raises SigningFailed.
    """
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
    return found[-1]


def public_keys(keys: SigningKeys, progress: Progress) -> str:
    """The public keys in ASCII armor. Raises SigningFailed."""
    how = ["--armor", "--export-options", "export-minimal", "--export"]
    return _gpg(keys.home, [*how, *keys.fingerprints], progress)


def try_to_sign(keys: SigningKeys, progress: Progress) -> None:
    """Raises SigningFailed where a key can't be used, before anything depends on it."""
    with tempfile.TemporaryDirectory() as folder:
        release = Path(folder) / "Release"
        release.touch()
        with signing(keys, release, progress):
            pass


def without_armour(armoured: Path, progress: Progress) -> bytes:
    """The key of a file in the form that gpgv reads."""
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder) / "key.gpg"
        _gpg("", ["--output", str(binary), "--dearmor", str(armoured)], progress)
        return binary.read_bytes()


@contextmanager
def signing(keys: SigningKeys, release: Path, progress: Progress) -> Iterator[tuple[Path, Path]]:
    """InRelease and Release.gpg beside a Release file, made while the block runs and there when it has ended.

    Raises SigningFailed.
    """
    both = release.with_name("InRelease"), release.with_name("Release.gpg")
    # SHA512, since apt refuses signatures by weak digests and gpg's default depends on the key.
    signer = [word for one in keys.fingerprints for word in ("--local-user", one)] + [
        "--digest-algo",
        "SHA512",
    ]
    ways = (["--clearsign"], ["--armor", "--detach-sign"])
    own = progress.apart()

    def make(target: Path, how: list[str]) -> None:
        _gpg(keys.home, [*signer, "--output", str(target), *how, str(release)], own)

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
    """What apt's verifiers say against a signature, None where it is good. signed: as gpgv takes it.

    keyring: in binary form, since gpgv reads no armor. apt of Debian 12 asks gpgv; that of later ones sqv,
    which is asked as well where it is installed.
    """
    keys = ["--keyring", str(keyring)]
    verifiers = [[find_program("gpgv", "gpgv"), *keys, *map(str, signed)]]
    policy = {"SEQUOIA_CRYPTO_POLICY": str(SQV_POLICY)} if SQV_POLICY.exists() else {}
    with tempfile.TemporaryDirectory(prefix="etcd-deb-") as work:
        if sqv := shutil.which("sqv"):
            # It checks no signature within a file without writing what was signed to a new one.
            inline = ["--cleartext", "--output", f"{work}/signed"] if len(signed) == 1 else []
            verifiers.append([sqv, *keys, *inline, *map(str, signed)])
        for argv in verifiers:
            try:
                run(argv, cwd=Path("/"), progress=progress, environment=policy)
            except CommandFailed as error:
                said = (line.removeprefix("| ") for line in error.details if line.startswith("| "))
                return "; ".join(said) or error.summary
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
            hint=_way_out("\n".join(error.details)),
        ) from error


def _way_out(said: str) -> str:
    if any(words in said for words in _NO_PASSPHRASE):
        return (
            "the key has a passphrase that gpg's agent does not have: sign a file by hand with gpg first,"
            " or remove the passphrase: gpg --change-passphrase FINGERPRINT"
        )
    if "certificate" in said or "Unusable secret key" in said:
        return "to see what is wrong with the key, and what to do: etcd-deb repo verify DIR"
    return "to list the keys, and which of them have expired: gpg --list-secret-keys"


def _no_key(home: str, wanted: str) -> SigningFailed:
    where = f"GNUPGHOME {home}" if home else "the keyring of this user"
    return SigningFailed(
        f"no secret key {wanted}",
        details=(f"expected  one in {where}",),
        hint="to list the keys: gpg --list-secret-keys; to make one: repo init --new-key",
    )
