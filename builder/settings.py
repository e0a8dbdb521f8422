"""What the user wishes: conf/etcd-deb.toml, then the user's file, then ETCD_DEB_… variables, then options."""

from __future__ import annotations

import errno
import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from builder import shipped
from builder.errors import EtcdDebError, UsageError
from builder.version import Architecture, parse_architectures

COMPRESSIONS = ("xz", "zstd", "gzip")
ENVIRONMENT_PREFIX = "ETCD_DEB_"
# dpkg-parsechangelog wants exactly this in the trailer line; a comma would make two maintainers of one.
_MAINTAINER = re.compile(r"[^\s<>,][^<>,\n]* <[^<>@\s]+@[^<>@\s]+>")
LONGEST_MAINTAINER = 200
# Seconds in a day: no connection is worth more patience, and the sockets of Python take no 10^12.
LONGEST_TIMEOUT = 86400
# Bytes of a file of settings or pins; /dev/zero has more.
FILE_LIMIT = 4 * 1024 * 1024

# MB: more than any disk of today has.
LARGEST_CACHE = 10**9

_LISTS = ("arches", "series")
_NUMBERS = ("timeout", "cache_limit")

Value = str | int | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Wishes alone: nothing here is derived from anything else. timeout: in seconds; cache_limit: in MB."""

    maintainer: str
    source: str
    witness: str
    api: str
    pins: str
    arches: tuple[Architecture, ...]
    series: tuple[str, ...]
    compression: str
    output: str
    key: str
    timeout: int
    cache_limit: int


def user_file() -> Path:
    """The user's own settings, read where no other file is named. Raises EtcdDebError."""
    return xdg_folder("XDG_CONFIG_HOME", "~/.config") / "etcd-deb" / "etcd-deb.toml"


def xdg_folder(variable: str, default: str) -> Path:
    """A folder of the user's (XDG base directory specification).

    Raises EtcdDebError where neither the variable nor a home names one.
    """
    try:
        return Path(os.environ.get(variable) or default).expanduser()
    except RuntimeError as error:
        raise EtcdDebError(
            "this user has no home directory",
            details=(
                f"expected  {variable}, HOME, or the user in /etc/passwd",
                f"found     uid {os.getuid()}",
            ),
            hint="set HOME to a folder that this user may write",
        ) from error


def read_small(file: Path) -> bytes:
    """The content of a file that a person writes. Raises OSError."""
    with file.open("rb") as stream:
        content = stream.read(FILE_LIMIT + 1)
    if len(content) > FILE_LIMIT:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(file))
    return content


def load_settings(
    file: Path | None, environment: Mapping[str, str], options: Mapping[str, Value | None]
) -> Settings:
    """The settings in force; an option that is None was not given.

    Raises UsageError for an unknown key or a value of the wrong kind, EtcdDebError for a file that can't
    be read.
    """
    merged: dict[str, Value] = dict(read_settings_file(shipped.CONF / "etcd-deb.toml"))
    if file is not None:
        merged |= read_settings_file(file)
    elif user_file().exists():
        merged |= read_settings_file(user_file())
    for variable, text in environment.items():
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        if variable != ENVIRONMENT_PREFIX + name.upper():
            continue
        if name in _names():
            merged[name] = _from_text(name, text, variable)
        elif name != "config":
            _refuse_misspelt(name, variable)
    merged |= {
        name: _text(name, value, "the options") if isinstance(value, str) else value
        for name, value in options.items()
        if value is not None
    }
    return _settings(merged)


def _refuse_misspelt(name: str, variable: str) -> None:
    # Others may use our prefix for their own ends, so only what is nearly a setting is refused.
    for nearest in _nearest(name, likeness=0.8):
        raise UsageError(
            f"unknown setting {variable} in the environment",
            details=(f"expected  one of {', '.join(_names())}, in capitals",),
            hint=f"did you mean {ENVIRONMENT_PREFIX}{nearest.upper()}?",
        )


def _names() -> tuple[str, ...]:
    return tuple(field.name for field in fields(Settings))


def _nearest(name: str, *, likeness: float) -> list[str]:
    import difflib

    return difflib.get_close_matches(name, _names(), n=1, cutoff=likeness)


def read_settings_file(file: Path) -> dict[str, Value]:
    """The settings that one file names. Raises UsageError, EtcdDebError for a file that can't be read."""
    # Here, since commands that read no settings show their options' names all the same.
    import tomllib

    try:
        table: dict[str, object] = tomllib.loads(read_small(file).decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise EtcdDebError(
            f"can't read the settings in {file}",
            details=(str(error),),
            hint="name another file with --config FILE",
        ) from error
    # Of a number of thousands of digits, and of brackets in brackets, tomllib hands on what Python says.
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{file} is not TOML",
            details=(str(error),),
            hint='put values in quotes: compression = "xz"',
        ) from error
    return {name: _from_table(name, value, str(file)) for name, value in table.items()}


def _from_table(name: str, value: object, where: str) -> Value:
    if name not in _names():
        nearest = _nearest(name, likeness=0.6)
        raise UsageError(
            f"unknown setting {name!r} in {where}",
            details=(f"expected  one of {', '.join(_names())}",),
            hint=f"did you mean {nearest[0]}?" if nearest else "remove the line",
        )
    match value:
        case bool():
            pass
        case int() if name in _NUMBERS:
            return value
        case str() if name not in (*_NUMBERS, *_LISTS):
            return _text(name, value, where)
        case list() if name in _LISTS and all(isinstance(item, str) for item in value):
            return tuple(str(item) for item in value)
    kind = "a list of strings" if name in _LISTS else "a whole number" if name in _NUMBERS else "a string"
    raise UsageError(
        f"setting {name!r} in {where} is not {kind}",
        details=(f"found     {value!r}",),
        hint="conf/etcd-deb.toml shows each setting with an example",
    )


def _from_text(name: str, text: str, where: str) -> Value:
    if name in _LISTS:
        return tuple(text.replace(",", " ").split())
    if name in _NUMBERS:
        if not re.fullmatch("[0-9]{1,9}", text):
            return _from_table(name, text, where)
        return int(text)
    return _text(name, text, where)


def _text(name: str, value: str, where: str) -> str:
    # No path may hold NUL, and the others make lines of a message, of debian/control or of a request.
    if any(unicodedata.category(char) == "Cc" for char in value):
        raise UsageError(
            f"setting {name!r} in {where} contains a control character",
            details=(f"found     {value!r}",),
            hint="remove it",
        )
    return value


def is_maintainer(text: str) -> bool:
    """Whether a package may name it as its Maintainer (policy 5.6.2)."""
    return bool(_MAINTAINER.fullmatch(text)) and text.isprintable() and len(text) <= LONGEST_MAINTAINER


def _settings(merged: Mapping[str, Value]) -> Settings:
    values = {name: value for name, value in merged.items() if isinstance(value, str)}
    arches, series = merged["arches"], merged["series"]
    timeout = _number(merged, "timeout", "seconds", 1, LONGEST_TIMEOUT)
    cache_limit = _number(merged, "cache_limit", "MB", 0, LARGEST_CACHE)
    if not isinstance(arches, tuple) or not arches:
        raise UsageError("no architecture is given", hint="--arch amd64, or arches in the settings")
    if not isinstance(series, tuple) or not series:
        raise UsageError("no series is given", hint='--series 3.6, or series = ["supported"] in the settings')
    if values["compression"] not in COMPRESSIONS:
        raise UsageError(
            f"unknown compression {values['compression']!r}",
            details=(f"expected  one of {', '.join(COMPRESSIONS)}",),
            hint='compression = "xz"',
        )
    if not values["output"]:
        raise UsageError(
            "no output folder is given", hint='--output dist, or output = "dist" in the settings'
        )
    if not is_maintainer(values["maintainer"]):
        raise UsageError(
            f"maintainer {values['maintainer']!r} is not a name with an address",
            details=(f"expected  Name <address>, without a comma, at most {LONGEST_MAINTAINER} characters",),
            hint='write it as "Jane Doe <jane@example.org>" (policy 5.6.2)',
        )
    return Settings(
        maintainer=values["maintainer"],
        source=values["source"],
        witness=values["witness"],
        api=values["api"],
        pins=values["pins"],
        arches=parse_architectures(arches),
        series=series,
        compression=values["compression"],
        output=values["output"],
        key=values["key"],
        timeout=timeout,
        cache_limit=cache_limit,
    )


def _number(merged: Mapping[str, Value], name: str, unit: str, least: int, most: int) -> int:
    value = merged[name]
    if isinstance(value, int) and least <= value <= most:
        return value
    raise UsageError(
        f"{name} is not a number of {unit} from {least} to {most}",
        # As text, a number of thousands of digits would be a ValueError.
        details=(f"found     {value if value in range(-(10**20), 10**20) else 'a larger number'}",),
        hint=f"{name} = {read_settings_file(shipped.CONF / 'etcd-deb.toml')[name]}",
    )
