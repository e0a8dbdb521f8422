"""Waiting has a name and a bound."""

from __future__ import annotations

import time
from collections.abc import Callable

from etcd_ha.errors import EtcdHaError

# Seconds between two looks.
PAUSE = 0.2


def until(what: str, within: float, attempt: Callable[[], str]) -> None:
    """Try until nothing is said against it.

    what: what is awaited; within: seconds; attempt: returns why not yet, or nothing when it is so. Raises
    EtcdHaError with the last reason, and what the attempt raises.
    """
    end = time.monotonic() + within
    while why := attempt():
        if time.monotonic() >= end:
            raise EtcdHaError(
                f"{what} did not come about within {within:.0f} s", details=(f"got       {why}",)
            )
        time.sleep(PAUSE)
