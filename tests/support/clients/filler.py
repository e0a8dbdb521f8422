"""Fills a database: run as a program in the lab's network with a client URL and a number of MiB."""

from __future__ import annotations

import sys

from tests.support.clients.gateway import Gateway

# Below etcd's limit for a request, 1.5 MiB.
MEBIBYTE = "x" * (1024 * 1024)


def main(url: str, mebibytes: int) -> None:
    """Write values of 1 MiB."""
    gateway = Gateway(url, bound=30)
    for number in range(mebibytes):
        if not gateway.put(f"filling/{number}", MEBIBYTE):
            sys.exit(f"no acknowledgement of write {number} of {mebibytes}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
