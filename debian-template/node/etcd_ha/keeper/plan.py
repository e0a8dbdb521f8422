"""Steps of a command. Each tells by the cluster or the disk whether it is done: so the next run goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from etcd_ha.keeper.words import Words, say, show


@dataclass(frozen=True, slots=True)
class Step:
    """what: in words, as an infinitive; is_done: asked anew each time; both may raise EtcdHaError."""

    what: str
    is_done: Callable[[], bool]
    do: Callable[[], None]


def carry_out(words: Words, steps: Sequence[Step]) -> None:
    """Do what is not done yet, one step after the other; with --dry-run show it. Raises EtcdHaError."""
    for step in steps:
        if words.is_dry:
            show(f"{'already done' if step.is_done() else 'to do'}: {step.what}")
        elif not step.is_done():
            say(step.what)
            step.do()
