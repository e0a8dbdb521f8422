"""/etc/etcd/backup.toml: where backups go, how often the cluster makes one, and which are kept."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from etcd_ha.backup.retention import Keep
from etcd_ha.errors import EtcdHaError

NAME = "backup.toml"
FOLDER = "/var/backups/etcd-ha"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_KEYS = ("to", "every", "hourly", "daily", "weekly", "with-keys")


@dataclass(frozen=True, slots=True)
class Settings:
    """to: the folder of the backups. every: seconds of a slot, in which the cluster makes one backup."""

    to: Path = Path(FOLDER)
    every: int = 86400
    keep: Keep = field(default_factory=Keep)
    with_keys: bool = False


def read_settings(file: Path) -> Settings:
    """The settings of a file; the defaults where there is none. Raises EtcdHaError."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(file, "a file in TOML", str(error)) from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(file, "a file in TOML", str(error)) from error
    unknown = sorted(set(values) - set(_KEYS))
    if unknown:
        raise _wrong(file, f"the keys {', '.join(_KEYS)}", ", ".join(unknown))
    default = Settings()
    to = values.get("to", FOLDER)
    if not isinstance(to, str) or not to.startswith("/"):
        raise _wrong(file, "to = an absolute path", repr(to))
    with_keys = values.get("with-keys", False)
    if not isinstance(with_keys, bool):
        raise _wrong(file, "with-keys = true or false", repr(with_keys))
    counts = [
        _count(file, name, values.get(name, getattr(default.keep, name)))
        for name in ("hourly", "daily", "weekly")
    ]
    return Settings(Path(to), _seconds(file, values.get("every", "1d")), Keep(*counts), with_keys)


def _count(file: Path, name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _wrong(file, f"{name} = a number of backups, 0 or more", repr(value))
    return value


def _seconds(file: Path, value: object) -> int:
    found = re.fullmatch(r"([1-9]\d{0,5})([smhdw])", value) if isinstance(value, str) else None
    if found is None:
        raise _wrong(file, 'every = a time such as "1d", "6h" or "30m"', repr(value))
    return int(found.group(1)) * _UNITS[found.group(2)]


def _wrong(file: Path, expected: str, got: str) -> EtcdHaError:
    return EtcdHaError(
        f"{file} can't be used",
        details=(f"expected  {expected}", f"found     {got}"),
        hint=f"correct {file}, or remove it for the defaults",
    )
