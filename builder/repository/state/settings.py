"""What was settled when a repository was made; each value is judged where it enters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from builder.errors import EtcdDebError
from builder.system.files import replacing

# Ten years; a Date that far ahead is still one that every client can read.
LONGEST_VALIDITY = 3650
LONGEST_ORIGIN = 100
LARGEST_VERSION = 10**9
# A field of a .sources file has one line, and spaces separate URIs (sources.list(5)).
_URL = re.compile(r"[a-z][a-z0-9+.-]*:[!-~]+")
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")
# The option that replaces an unusable value; a key or its home can only be restored from a backup.
_MENDED_BY = {
    "url": "--url http://apt.example.org",
    "origin": "--origin etcd-ha",
    "valid_days": "--valid-days 14",
}


@dataclass(frozen=True, slots=True)
class RepositorySettings:
    """What every suite of a repository shares.

    valid_days: days until Valid-Until, 0 for none. next_key: signs beside key while nodes learn of it, else
    empty. keyring_version: of the package of the keys, greater with each change of them.
    """

    key: str
    gnupg_home: str
    url: str
    origin: str
    valid_days: int
    next_key: str = ""
    keyring_version: int = 1

    @property
    def keys(self) -> tuple[str, ...]:
        """The fingerprints of all that sign."""
        return (self.key, self.next_key) if self.next_key else (self.key,)

    def signed_also_by(self, fingerprint: str) -> RepositorySettings:
        """As they are while nodes learn of another key. No change where that was begun already."""
        if fingerprint == self.next_key:
            return self
        return self._changed(next_key=fingerprint, keyring_version=self.keyring_version + 1)

    def signed_by_the_next_key_alone(self) -> RepositorySettings:
        """As they are once nodes have learned of it."""
        return self._changed(key=self.next_key, next_key="", keyring_version=self.keyring_version + 1)

    def with_a_newer_keyring(self) -> RepositorySettings:
        """As they are when a key has another public form than nodes have."""
        return self._changed(keyring_version=self.keyring_version + 1)

    def _changed(self, **values: object) -> RepositorySettings:
        return parse_settings({**self.as_values(), **values})

    def as_values(self) -> dict[str, object]:
        """As its file has them."""
        return asdict(self)


class BadSetting(ValueError):
    """A value that a repository can't have."""

    def __init__(self, field: str, expected: str, got: object) -> None:
        super().__init__(field)
        self.field = field
        self.details = (f"expected  {expected}", f"found     {got!r}")


def parse_settings(values: Mapping[str, object]) -> RepositorySettings:
    """Raises BadSetting for a value that would make a repository that clients refuse or are misled by."""
    return RepositorySettings(
        key=_text(values, "key", "the fingerprint of a key", _FINGERPRINT.fullmatch),
        gnupg_home=_text(values, "gnupg_home", "the path of a folder on one line", lambda t: _one_line(t, 0)),
        url=_text(values, "url", "a URL without blanks, such as http://apt.example.org", _is_url),
        origin=_text(
            values,
            "origin",
            f"one line of at most {LONGEST_ORIGIN} characters, without < or >",
            lambda text: _one_line(text, 1) and len(text) <= LONGEST_ORIGIN and not set("<>") & set(text),
        ),
        valid_days=_number(
            values, "valid_days", f"a number of days from 0 to {LONGEST_VALIDITY}", LONGEST_VALIDITY
        ),
        # Repositories of before there was any.
        next_key=_text(
            {"next_key": "", **values},
            "next_key",
            "the fingerprint of a key, or nothing",
            lambda text: not text or _FINGERPRINT.fullmatch(text),
        ),
        keyring_version=_number(
            {"keyring_version": 1, **values}, "keyring_version", "a number", LARGEST_VERSION
        ),
    )


def read_values(file: Path) -> dict[str, object]:
    """What a repository's file says, not judged yet. Raises OSError, and EtcdDebError where it is damaged."""
    try:
        values: object = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise unreadable(file, f"expected  JSON, as etcd-deb writes it: {error}") from error
    if not isinstance(values, dict):
        raise unreadable(file, "expected  an object of settings by name", f"found     {values!r:.80}")
    return values


def read_settings(file: Path, root: Path) -> RepositorySettings:
    """Raises OSError, and EtcdDebError for values that a repository can't have."""
    try:
        return parse_settings(read_values(file))
    except BadSetting as error:
        raise bad_in_file(file, root, error) from error


def bad_in_file(file: Path, root: Path, error: BadSetting) -> EtcdDebError:
    """What is said of a value that is in the file already."""
    mended = _MENDED_BY.get(error.field)
    return unreadable(
        file,
        f"setting   {error.field}",
        *error.details,
        hint=f"to set another value: etcd-deb repo init {root} {mended}" if mended else None,
    )


def unreadable(file: Path, *details: str, hint: str | None = None) -> EtcdDebError:
    """What is said of a file of settings that can't be used."""
    return EtcdDebError(
        f"can't read the settings of the repository in {file}",
        details=details,
        hint=hint or "restore the file from a backup",
    )


def write_settings(file: Path, settings: RepositorySettings) -> None:
    """Raises DiskFull and OSError."""
    text = json.dumps(settings.as_values(), indent=1) + "\n"
    with replacing(file, "writing the repository's settings") as out:
        out.write(text.encode())


def _text(values: Mapping[str, object], field: str, expected: str, good: Callable[[str], object]) -> str:
    value = values.get(field)
    if isinstance(value, str) and good(value):
        return value
    raise BadSetting(field, expected, value)


def _one_line(text: str, shortest: int) -> bool:
    return len(text) >= shortest and text.isprintable() and text == text.strip()


def _is_url(text: str) -> bool:
    if not _URL.fullmatch(text):
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return bool(parts.hostname or parts.path) and (
        parts.scheme not in ("http", "https") or bool(parts.hostname)
    )


def _number(values: Mapping[str, object], field: str, expected: str, largest: int) -> int:
    value = values.get(field)
    # JSON's true is an int for Python.
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= largest:
        return value
    raise BadSetting(field, expected, value)
