"""Looks every 50 ms which members serve: a program that runs beside the writer, and reports as that does."""

from __future__ import annotations

import json
import select
import sys
import threading
import time
from pathlib import Path
from typing import TypedDict

from tests.support.clients.gateway import Gateway

PERIOD = 0.05
# A member that serves answers within a millisecond where nothing else runs, and one that does not run refuses
# at once; the bound (seconds) only keeps one that hangs from being waited for.
BOUND = 0.2


class Sampled(TypedDict):
    """What it prints: how often it looked, and each look that found a member not serving."""

    samples: int
    down: list[tuple[float, list[str]]]


def main(urls: list[str], certificates: Path | None, bound: float) -> None:
    """Sample until told to end; bound is in seconds."""
    serving = dict.fromkeys(urls, True)
    ended = threading.Event()

    def probe(url: str) -> None:
        gateway = Gateway(url, bound, certificates)
        while not ended.wait(PERIOD / 2):
            serving[url] = gateway.serves()

    threads = [threading.Thread(target=probe, args=[url]) for url in urls]
    for thread in threads:
        thread.start()
    samples: list[tuple[float, list[str]]] = []
    count = 0
    while not select.select([sys.stdin], [], [], PERIOD)[0]:
        count += 1
        down = [url for url, is_up in serving.items() if not is_up]
        if down:
            samples.append((time.time(), down))
    ended.set()
    for thread in threads:
        thread.join()
    json.dump(Sampled(samples=count, down=samples), sys.stdout)


if __name__ == "__main__":
    main(sys.argv[3:], Path(sys.argv[1]) if sys.argv[1] else None, float(sys.argv[2]))
