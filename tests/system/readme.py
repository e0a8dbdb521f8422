"""README.Debian: its sections, and the lines in them that are to be typed."""

from __future__ import annotations

import re

from builder.shipped import DEBIAN_TEMPLATE

_SECTION = re.compile(r"^(\S[^\n]*)\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", re.MULTILINE | re.DOTALL)
_PROGRAMS = (
    "apt|debconf-set-selections|DEBIAN_FRONTEND|dpkg|dpkg-reconfigure|etcd-ha|etcdctl|export|journalctl|mv"
    "|systemctl"
)
# On an indented line, up to a description; or in the text: in quotes, in brackets or after a colon.
_LINE = re.compile(rf"^  ((?:{_PROGRAMS})[ =]\S.*?)(?:  +.*)?$", re.MULTILINE)
_IN_TEXT = re.compile(
    rf"\"(?P<quoted>(?:{_PROGRAMS}) [^\"]*)\""
    rf"|(?:: |\()(?P<last>(?:{_PROGRAMS}) [^\".:,;)]*?)(?:[,;:)]|\.?$|\. )",
    re.MULTILINE,
)


def _unbroken(text: str) -> str:
    """A command in the text may go over the end of a line."""
    return re.sub(r"(?<=\S)\n(?=\S)", " ", text)


SECTIONS: dict[str, str] = dict(
    _SECTION.findall((DEBIAN_TEMPLATE / "README.Debian").read_text(encoding="utf-8"))
)


def commands(title: str) -> list[str]:
    """What is to be typed in a section, in its order, each once."""
    text = SECTIONS[title]
    found = [(match.start(), match.group(1).strip()) for match in _LINE.finditer(text)]
    prose = _LINE.sub(lambda match: " " * len(match.group()), text)
    for match in _IN_TEXT.finditer(_unbroken(prose)):
        found.append((match.start(), (match.group("quoted") or match.group("last")).strip()))
    return list(dict.fromkeys(command for _, command in sorted(found)))


class Section:
    """One of them: each command is taken as printed, and none may be left at the end."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._left = commands(title)

    def take(self, beginning: str) -> str:
        """The command that begins so."""
        found = [command for command in self._left if command.startswith(beginning)]
        assert found, f"{self.title} has no command {beginning!r} left, only {self._left}"
        self._left.remove(found[0])
        return found[0]

    def is_done(self) -> None:
        """Nothing may be left."""
        assert self._left == [], f"{self.title} has commands that were not typed"
