"""What can go wrong, in the words the user reads."""

from __future__ import annotations

from collections.abc import Sequence

USAGE = 2


class EtcdHaError(Exception):
    """The command can't be done: one line, facts below it, and what to do next."""

    def __init__(self, summary: str, *, details: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.details = tuple(details)
        self.hint = hint

    def render(self) -> str:
        """The whole message without the program's name."""
        hint = [f"hint: {self.hint}"] if self.hint else []
        return "\n".join([self.summary, *(f"  {detail}" for detail in self.details), *hint])


class WrongUsage(EtcdHaError):
    """The command does not take these words."""


def on_one_line(text: str, longest: int = 400) -> str:
    """The text as it may be shown: what a server wrote moves no cursor and forges no line of ours."""
    return "".join(char if char.isprintable() else " " for char in text[:longest])
