"""A how-to as its steps: the files that it shows and the commands that it gives, in its order."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.documents import find_how_to

_BLOCK = re.compile(r"(?:^ {4}.+\n|^\n(?= {4}))+", re.MULTILINE)
_NAMED = re.compile(r"`([~/][^`]+)`:$")


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A block after a paragraph that ends in a path and a colon: that file, or a part of it."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A line of any other block."""

    line: str


def steps(document: str) -> Iterator[ShownFile | Command]:
    """All steps of a document of docs/how-to."""
    text = find_how_to(document).read_text(encoding="utf-8")
    after_block = 0
    for block in _BLOCK.finditer(text):
        before = text[after_block : block.start()].strip()
        after_block = block.end()
        inside = textwrap.dedent(block.group()).strip("\n") + "\n"
        if named := _NAMED.search(before):
            yield ShownFile(named.group(1), inside)
        else:
            yield from map(Command, inside.splitlines())
