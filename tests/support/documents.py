"""README.md and the how-tos that a test follows: their blocks, each taken in its order."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOW_TO = ROOT / "docs/how-to"
_BLOCK = re.compile(r"(?:^ {4}.*\n)+", re.MULTILINE)
_HEADING = re.compile(r"^## (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """Indented lines below a heading of the second level, without their indentation."""

    heading: str
    text: str


def documents() -> tuple[Path, ...]:
    """All that people follow."""
    return (ROOT / "README.md", *sorted(HOW_TO.rglob("*.md")))


def find_how_to(name: str) -> Path:
    """The how-to of that file name, whatever its subject."""
    (found,) = HOW_TO.rglob(name)
    return found


def blocks(document: Path) -> tuple[Block, ...]:
    """In their order."""
    text = document.read_text(encoding="utf-8")
    headings = [(match.start(), match.group(1)) for match in _HEADING.finditer(text)]
    return tuple(
        Block(
            next((name for at, name in reversed(headings) if at < match.start()), ""),
            textwrap.dedent(match.group()),
        )
        for match in _BLOCK.finditer(text)
    )


class Followed:
    """A document that is followed from its first block to its last.

    here: what a block says, about the world of the test.
    """

    def __init__(self, document: Path, here: Callable[[str], str]) -> None:
        self._document = document
        self._here = here
        self._left = list(blocks(document))

    def take(self, heading: str) -> str:
        """The next block, which has to stand below a heading that begins so."""
        assert self._left, f"{self._document.name} has no block left"
        block = self._left.pop(0)
        assert block.heading.startswith(heading), f"the next block stands below {block.heading!r}"
        return self._here(block.text)

    def leave(self, heading: str, reason: str) -> None:
        """The next block is followed by nobody. reason: why not."""
        assert reason
        self.take(heading)

    def is_done(self) -> None:
        """Nothing may be left."""
        assert self._left == [], f"{self._document.name} has blocks that nobody followed"
