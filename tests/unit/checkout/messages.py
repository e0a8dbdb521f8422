"""What the package's scripts say to people: the texts in their strings and here documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from builder.shipped import DEBIAN_TEMPLATE

SCRIPTS = sorted(
    path
    for pattern in ("etcd-ha.config", "etcd-ha.p*", "node/lib/*", "node/commands/*", "sbin/*")
    for path in DEBIAN_TEMPLATE.glob(pattern)
)
_STRING = re.compile(r'"((?:[^"\\\n]|\\.|\\\n)*)"')
_HERE_DOCUMENT = re.compile(r"<<'?END'?[^\n]*\n(.*?)\nEND\n", re.DOTALL)
_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)


def texts(script: Path) -> Iterator[str]:
    """Each text of a script; a string in a text is a text again."""
    source = script.read_text(encoding="utf-8")
    yield from _HERE_DOCUMENT.findall(source)
    code = _COMMENT.sub("", _HERE_DOCUMENT.sub("\n", source))
    for string in _STRING.findall(code):
        yield string.replace("\\\n", "").replace('\\"', '"')
