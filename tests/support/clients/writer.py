"""A client that writes over all endpoints: each try has a bound, then comes the next endpoint.

Run as a program in the lab's network; ends when its standard input does, and prints what it has seen as JSON.
"""

from __future__ import annotations

import json
import select
import sys
import time
from pathlib import Path
from typing import TypedDict

from tests.support.clients.gateway import Gateway

TRY_SECONDS = 0.25


class Wrote(TypedDict):
    """What it prints. Times are seconds since the epoch; failed tries are with their URL."""

    acknowledged: list[float]
    failed: list[tuple[float, str]]


PREFIX = "written/"


def main(urls: list[str], certificates: Path | None, pause: float) -> None:
    """Write until told to end; pause is in seconds."""
    gateways = [Gateway(url, TRY_SECONDS, certificates) for url in urls]
    acknowledged: list[float] = []
    failed: list[tuple[float, str]] = []
    turn = 0
    while not select.select([sys.stdin], [], [], pause)[0]:
        number = len(acknowledged)
        while not gateways[turn].put(f"{PREFIX}{number}", str(number)):
            failed.append((time.time(), gateways[turn].url))
            turn = (turn + 1) % len(gateways)
        acknowledged.append(time.time())
        if number == 0:
            print("writing", flush=True)  # noqa: T201
    json.dump(Wrote(acknowledged=acknowledged, failed=failed), sys.stdout)


if __name__ == "__main__":
    main(sys.argv[3:], Path(sys.argv[1]) if sys.argv[1] else None, float(sys.argv[2]))
