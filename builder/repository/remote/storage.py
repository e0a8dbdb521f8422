"""What a place has to do that is to hold a copy of the repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from builder.errors import EtcdDebError

AGAIN = "run the command again: it keeps the files already sent and sends the rest"


class RemoteFailed(EtcdDebError):
    """The remote could not be read or written; clients see what they saw, or the new state."""


class OtherPublisher(EtcdDebError):
    """The remote shows a state that this repository did not put there."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of the repository. name: below the remote's root."""

    name: str
    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Held:
    """A file as it is there. changed: seconds since 1970; age: in seconds; tag: the bytes' name there."""

    content: bytes
    changed: float
    age: float
    tag: str


class Storage(Protocol):
    """Every method raises RemoteFailed."""

    def listing(self) -> Mapping[str, int]:
        """The sizes of what is there below pool/ and dists/, by name."""

    def read(self, names: Sequence[str]) -> Mapping[str, Held]:
        """Files that listing() has named."""

    def send(self, files: Sequence[RemoteFile]) -> None:
        """Put files there, each whole or not at all. Raises OtherBytes for another one in the pool."""

    def switch(self, inrelease: RemoteFile, before: Held | None) -> None:
        """Replace an InRelease, with a later time. Raises OtherPublisher where before is no longer there."""

    def delete(self, names: Sequence[str]) -> None:
        """Remove files."""
