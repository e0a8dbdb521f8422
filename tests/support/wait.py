"""Bounded waits that name what they wait for."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE = 0.1


class WaitedInVain(AssertionError):
    """Something did not come true within its bound."""


def wait_for(what: str, condition: Callable[[], T | None], *, within: float) -> T:
    """The first true value of `condition`; raises with `what` and the last value when time is up."""
    end = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise WaitedInVain(f"waited {within:g} s for {what}; last seen: {value!r}")
        time.sleep(PAUSE)
