"""Whether clients will take a key: apt of Debian 12 asks gpgv, that of Debian 13 and later sqv.

sqv's policy, as apt configures it (/usr/share/apt/default-sequoia.config), refuses self-signatures by SHA-1,
and RSA and DSA below 2048 bits; both refuse what a key signs after its end.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from builder.system.process import find_program, run
from builder.system.progress import Progress

# Days in which there is still time to have nodes follow to another key.
SOON = 30
SHORTEST = 2048
_RSA_OR_DSA = {"1": "RSA", "2": "RSA", "3": "RSA", "17": "DSA"}
# RFC 9580 section 9.5: MD5, SHA-1, RIPEMD-160.
_WEAK_DIGESTS = {"1": "MD5", "2": "SHA-1", "3": "RIPEMD-160"}
_PACKET = re.compile(r"^:(.*) packet:|sigclass 0x(\w\w)$|^\tdigest algo (\d+),", re.MULTILINE)
_PRIMARY = re.compile(r"^(?=pub:)", re.MULTILINE)
# RFC 9580 section 5.2.1: certifications of a user id, the key by itself, the binding of a subkey.
_SELF = {"10", "11", "12", "13", "1F"}
_BINDING = {"18"}
_REPLACE = "to change the key: etcd-deb repo rotate-key DIR --new-key; for a new repository: --new-key"


@dataclass(frozen=True, slots=True)
class KeyFault:
    """Why a client refuses a key, or soon will. refused: now, by some client at least; by_all: by each."""

    summary: str
    remedy: str
    refused: bool = True
    by_all: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    """A primary key or subkey. digests: of what binds it, strongest use first."""

    algorithm: str
    bits: int
    expires: int
    signs: bool
    revoked: bool
    digests: tuple[str, ...]

    @property
    def weakness(self) -> str:
        kind = _RSA_OR_DSA.get(self.algorithm, "")
        if kind and self.bits < SHORTEST:
            return f"is {kind} of {self.bits} bits"
        if self.digests and all(digest in _WEAK_DIGESTS for digest in self.digests):
            return f"is bound by a signature with {_WEAK_DIGESTS[self.digests[-1]]}"
        return ""


@dataclass(frozen=True, slots=True)
class _Key:
    fingerprint: str
    parts: tuple[_Part, ...]


def find_key_faults(keyring: Path, expected: Sequence[str], progress: Progress) -> tuple[KeyFault, ...]:
    """What clients have or will have against the keys of a file that gpgv reads.

    expected: the fingerprints that it must hold, and no others. Raises CommandFailed for a file without keys.
    """
    with tempfile.TemporaryDirectory() as home:
        keys = _read(keyring, home, progress)
    found = {key.fingerprint for key in keys}
    return (
        *(
            KeyFault(f"the key {one} is not in {keyring.name}", "etcd-deb repo init DIR writes it again")
            for one in expected
            if one not in found
        ),
        *(
            KeyFault(f"{keyring.name} has another key, {one}", "etcd-deb repo init DIR writes it again")
            for one in sorted(found - set(expected))
        ),
        *(fault for key in keys if key.fingerprint in expected for fault in _judge(key)),
    )


def _judge(key: _Key) -> Iterator[KeyFault]:
    name, now = f"the key {key.fingerprint}", int(time.time())
    primary = key.parts[0]
    if primary.revoked:
        yield KeyFault(f"{name} is revoked", _REPLACE, by_all=True)
    if primary.weakness:
        yield KeyFault(f"{name} {primary.weakness}, which apt of Debian 13 refuses", _REPLACE)
    able = [part for part in key.parts if part.signs and not part.revoked]
    if not able:
        yield KeyFault(
            f"{name} may certify but not sign", f"gpg --quick-add-key {key.fingerprint} ed25519 sign"
        )
        return
    # gpg signs with the newest part that can.
    signer = max(
        (part for part in able if not 0 < part.expires <= now), key=key.parts.index, default=able[-1]
    )
    if signer is not primary and signer.weakness:
        yield KeyFault(
            f"the signing part of {name} {signer.weakness}, which apt of Debian 13 refuses", _REPLACE
        )
    ends = min((part.expires for part in (primary, signer) if part.expires), default=0)
    day = time.strftime("%Y-%m-%d", time.gmtime(ends))
    if 0 < ends <= now:
        yield KeyFault(
            f"{name} expired on {day}, and clients refuse what it signs",
            f"gpg --quick-set-expire {key.fingerprint} 2y, then etcd-deb repo init DIR and repo resign DIR,"
            " and the new .sources on each node",
            by_all=True,
        )
    elif 0 < ends <= now + SOON * 86400:
        yield KeyFault(f"{name} expires on {day}", _REPLACE, refused=False)


def _read(keyring: Path, home: str, progress: Progress) -> tuple[_Key, ...]:
    gpg = [find_program("gpg", "gnupg"), "--batch", "--no-tty", "--homedir", home]
    listed = run([*gpg, "--with-colons", "--show-keys", str(keyring)], cwd=Path("/"), progress=progress)
    packets = run([*gpg, "--list-packets", str(keyring)], cwd=Path("/"), progress=progress)
    # Both listings have the keys and subkeys of a file in its order.
    digests = iter(_digests(packets))
    return tuple(_key(block, digests) for block in _PRIMARY.split(listed)[1:])


def _key(block: str, digests: Iterator[tuple[str, ...]]) -> _Key:
    """A primary key with its subkeys, as gpg lists them with colons."""
    rows = [line.split(":") for line in block.splitlines()]
    fingerprint = next((row[9] for row in rows if row[0] == "fpr"), "")
    parts = (
        _Part(row[3], int(row[2] or 0), int(row[6] or 0), "s" in row[11], row[1] == "r", next(digests, ()))
        for row in rows
        if row[0] in ("pub", "sub")
    )
    return _Key(fingerprint, tuple(parts))


def _digests(packets: str) -> list[tuple[str, ...]]:
    """For each key and subkey, those of the signatures that bind it."""
    found: list[tuple[str, ...]] = []
    classes, signature = _SELF, ""
    for packet, signature_class, digest in _PACKET.findall(packets):
        if packet in ("public key", "public sub key"):
            found.append(())
            classes = _SELF if packet == "public key" else _BINDING
        elif signature_class:
            signature = signature_class.upper()
        elif digest and found and signature in classes:
            found[-1] += (digest,)
    return found
