"""Waiting has a name and a bound."""

from __future__ import annotations

import time
from collections.abc import Callable

from etcd_ha.errors import EtcdHaError
from etcd_ha.keeper.cluster import Refused
from etcd_ha.keeper.words import say

# Seconds between two looks.
PAUSE = 0.2
# Seconds after which whoever waits wants to know for what.
SILENT = 10


def until(what: str, within: float, attempt: Callable[[], str]) -> None:
    """Try until nothing is said against it.

    what: what is awaited; within: seconds; attempt: returns why not yet, or nothing when it is so. A lasting
    reason is said. Raises EtcdHaError with the last one, and what the attempt raises.
    """
    begin, told = time.monotonic(), ""
    while why := attempt():
        waited = time.monotonic() - begin
        if waited >= SILENT and why != told:
            say(f"still waiting for {what}: {why}")
            told = why
        if waited >= within:
            raise EtcdHaError(f"waited {within:.0f} s in vain for {what}", details=(f"found     {why}",))
        time.sleep(PAUSE)


def refusal(change: Callable[[], None]) -> str:
    """What the cluster says against a change; empty where it was done. Raises EtcdHaError otherwise."""
    try:
        change()
    except Refused as error:
        return error.said
    return ""
