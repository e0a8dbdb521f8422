"""The words of a command: what it takes is said once, in the usage lines of its file in /usr/lib/etcd-ha."""

from __future__ import annotations

import getopt
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from etcd_ha.errors import EtcdHaError, WrongUsage

COMMANDS = "/usr/lib/etcd-ha"
_USAGE = re.compile(r"^# etcd-ha ([^:]*):", re.MULTILINE)
_OPTION = re.compile(r"--([a-z-]+)(?: ([A-Z]+))?")
_OPERAND = re.compile(r"(\[?)[A-Z]+\]?(\.\.\.)?")


@dataclass(frozen=True, slots=True)
class Words:
    """What was typed. command: with its own words, such as "backup list"; options: those given, by name."""

    command: str
    options: Mapping[str, str]
    operands: tuple[str, ...]
    typed: tuple[str, ...]

    def has(self, option: str) -> bool:
        """Whether an option such as --yes was given."""
        return option in self.options

    def seconds(self, option: str, default: int) -> int:
        """The value of an option in whole seconds. Raises WrongUsage."""
        value = self.options.get(option, str(default))
        if not value.isascii() or not value.isdecimal():
            raise WrongUsage(f"{option} takes whole seconds, not {value!r}", hint=self.again())
        return int(value)

    @property
    def is_dry(self) -> bool:
        """Whether it is only to be shown what would be done."""
        return self.has("--dry-run")

    def with_yes(self) -> Words:
        """The same command, asked and answered."""
        more = () if self.has("--yes") else ("--yes",)
        return replace(self, options={**self.options, "--yes": ""}, typed=(*self.typed, *more))

    def again(self, *more: str) -> str:
        """The command as it was typed, with more words, for a shell."""
        return shlex.join(["etcd-ha", *self.typed, *(word for word in more if word not in self.typed)])


def read_words(name: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Words:
    """What was typed behind `etcd-ha NAME`, if one of its usage lines allows it. Raises WrongUsage."""
    folder = (os.environ if environment is None else environment).get("ETCD_HA_COMMANDS", COMMANDS)
    usages = _USAGE.findall(Path(folder, name).read_text(encoding="utf-8"))
    typed = (name, *arguments)
    fitting = [one for one in usages if typed[: len(_literals(one))] == _literals(one)]
    hint = "; ".join(f"usage: etcd-ha {one}" for one in usages)
    if not fitting:
        raise WrongUsage(f"wrong arguments for etcd-ha {name}", hint=hint)
    usage = max(fitting, key=lambda one: len(_literals(one)))
    known = {found[0]: bool(found[1]) for found in _OPTION.findall(usage)}
    try:
        found, operands = getopt.gnu_getopt(
            list(typed[len(_literals(usage)) :]), "", [f"{key}{'=' * value}" for key, value in known.items()]
        )
    except getopt.GetoptError as error:
        raise WrongUsage(error.msg, hint=hint) from error
    # getopt also takes the begin of an option.
    options = dict(found)
    shortened = [word for word in arguments if word.startswith("--") and not _is_whole(word, known)]
    operand_places = _OPERAND.findall(_OPTION.sub("", usage))
    least = sum(not bracket for bracket, _ in operand_places)
    most = len(arguments) if any(dots for _, dots in operand_places) else len(operand_places)
    if shortened or not least <= len(operands) <= most:
        raise WrongUsage(f"wrong arguments for etcd-ha {_join(usage)}", hint=f"usage: etcd-ha {usage}")
    return Words(_join(usage), options, tuple(operands), typed)


def _literals(usage: str) -> tuple[str, ...]:
    """The words with which a usage line begins: a command, and the command within it."""
    words = usage.split()
    count = next((at for at, word in enumerate(words) if not re.fullmatch("[a-z][a-z-]*", word)), len(words))
    return tuple(words[:count])


def _join(usage: str) -> str:
    return " ".join(_literals(usage))


def _is_whole(word: str, known: Mapping[str, bool]) -> bool:
    return word == "--" or word.partition("=")[0].removeprefix("--") in known


def require_root(words: Words) -> None:
    """Raises EtcdHaError for anybody else."""
    if os.geteuid() != 0:
        raise EtcdHaError("only root can do this", hint=f"as root: {words.again()}")


def say(text: str) -> None:
    """To people: standard output belongs to results."""
    print(f"etcd-ha: {text}", file=sys.stderr, flush=True)  # noqa: T201


def show(text: str) -> None:
    """A result."""
    print(text, flush=True)  # noqa: T201


def confirm(words: Words, consequences: Sequence[str], question: str) -> None:
    """Ask before something is destroyed, unless --yes was given. Raises EtcdHaError where that is not wanted.

    Without a terminal nobody is asked, and without --yes nothing is done.
    """
    if words.has("--yes"):
        return
    if not sys.stdin.isatty():
        raise EtcdHaError(
            "not confirmed: standard input is not a terminal",
            details=consequences,
            hint=f"to do it: {words.again('--yes')}",
        )
    show("\n".join(consequences))
    print(f"{question} [y/N] ", end="", flush=True)  # noqa: T201
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise EtcdHaError("nothing was changed")
