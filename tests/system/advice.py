"""What a message tells to type, and typing it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from typing import Protocol

PROGRAMS = (
    "journalctl|etcdctl|etcdutl|etcd-ha|systemctl|dpkg-reconfigure|dpkg"
    "|apt|install|chown|chmod|chgrp|touch|export|cp|mv|mkdir|mount|df|kill|openssl"
)
# A line of its own, also as a comment, or what follows a colon; a remark in brackets may come after it.
_COMMAND = re.compile(rf"(?:^\s*(?:# )?|: +)((?:{PROGRAMS}) .*?)(?=\s\([^$]|\.?\s*$|\.\s[A-Z])", re.MULTILINE)
_SPEAKER = re.compile(r"^etcd-ha: ", re.MULTILINE)


class Runner(Protocol):
    """A node, a root or this machine."""

    def run(
        self, *argv: str, input: str | None = None, check: bool = True, within: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there; stderr comes with stdout."""
        ...


def commands(said: str) -> list[str]:
    """The commands in a message, as printed, in their order."""
    return _COMMAND.findall(_SPEAKER.sub("", said))


def command(said: str, *words: str) -> str:
    """The one command that has these words, or is the word itself."""
    found = {text for text in commands(said) if all(word in text for word in words)}
    if len(found) > 1:
        found &= set(words)
    assert len(found) == 1, f"expected one command with {words}, found {commands(said)} in:\n{said}"
    return found.pop()


def type_in(runner: Runner, text: str, *, within: float = 60, check: bool = True) -> str:
    """Give a command to root's shell on the node; what it said."""
    return runner.run("sh", "-c", f"cd /root; {text}", within=within, check=check).stdout


def follow(
    said: str,
    runner: Runner,
    *parts: str,
    before: str = "",
    after: str = "",
    replaced: Mapping[str, str] | None = None,
    answer: str = "",
    within: float = 120,
    check: bool = True,
) -> str:
    """Type commands of a message as printed, each known by a part of it, in one shell; what they said.

    `before` and `after` are typed around each (how its questions are answered, say), and the placeholders in
    `replaced` are filled in. tests/unit/checkout/test_advice.py looks for calls of this: the parts are
    literals.
    """
    # Not by -e alone: the first of two commands in a line may fail, as for a reader.
    lines = [f"{{ {before}{command(said, part)}{after}\n}} || exit" for part in parts]
    text = "\n".join(["cd /root", *lines])
    for placeholder, value in (replaced or {}).items():
        assert placeholder in text
        text = text.replace(placeholder, value)
    return runner.run("sh", "-c", text, input=answer, within=within, check=check).stdout
