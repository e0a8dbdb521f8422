"""What a message tells to type, and typing it."""

from __future__ import annotations

import re

from tests.lab.machine import Machine

PROGRAMS = (
    "journalctl|etcdctl|etcdutl|etcd-ha|systemctl|dpkg-reconfigure|dpkg"
    "|apt|install|chown|chmod|chgrp|touch|fuser"
)
# A line of its own, or what follows a colon; a remark in brackets may come after it.
_COMMAND = re.compile(rf"(?:^\s*|: )((?:{PROGRAMS}) .*?)(?=\s\([^$]|\.?\s*$|\.\s[A-Z])", re.MULTILINE)
_SPEAKER = re.compile(r"^etcd-ha: ", re.MULTILINE)


def commands(said: str) -> list[str]:
    """The commands in a message, as printed, in their order."""
    return _COMMAND.findall(_SPEAKER.sub("", said))


def command(said: str, *words: str) -> str:
    """The one command that has these words."""
    found = [text for text in commands(said) if all(word in text for word in words)]
    assert len(set(found)) == 1, f"expected one command with {words}, found {found} in:\n{said}"
    return found[0]


def type_in(machine: Machine, text: str, *, within: float = 60, check: bool = True) -> str:
    """Give a command to root's shell on the node; what it said."""
    return machine.run("sh", "-c", f"cd /root; {text}", within=within, check=check).stdout
