"""What can go wrong with an answer of the lab's web server."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tests.support.releases.release_server import Exchange

_SCRIPT_TIMEOUT = 30


class Fault(Protocol):
    """One answer that is not the plain file."""

    def answer(self, exchange: Exchange) -> None:
        """Write the answer to one request."""


@dataclass(frozen=True)
class Status:
    """An answer without the file, such as 500, or 403 with GitHub's headers."""

    code: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def answer(self, exchange: Exchange) -> None:
        exchange.head(self.code, {**self.headers, "Content-Length": str(len(self.body))})
        exchange.send(self.body)


def redirect(url: str) -> Status:
    """What GitHub answers for a release file, whose bytes lie on another host."""
    return Status(302, {"Location": url})


def rate_limit() -> Status:
    """GitHub's answer to the 61st request of an hour without a token."""
    return Status(
        403,
        {
            "X-RateLimit-Limit": "60",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(int(time.time()) + 1800),
        },
        b'{"message": "API rate limit exceeded for 192.0.2.1."}',
    )


@dataclass(frozen=True)
class Cut:
    """The headers promise the whole file, and the connection ends after some bytes of it."""

    after: int
    ignore_range: bool = False

    def answer(self, exchange: Exchange) -> None:
        body = exchange.file_head(ignore_range=self.ignore_range)
        exchange.send(body[: self.after])
        exchange.close_connection = True


@dataclass(frozen=True)
class IgnoreRange:
    """The whole file with 200, whatever part was asked for."""

    def answer(self, exchange: Exchange) -> None:
        exchange.send(exchange.file_head(ignore_range=True))


@dataclass(frozen=True)
class HangUp:
    """The connection ends without an answer."""

    def answer(self, exchange: Exchange) -> None:
        exchange.close_connection = True


@dataclass(frozen=True)
class Claim:
    """Zeros of a size that the headers tell, or keep to themselves."""

    size: int
    declared: bool

    def answer(self, exchange: Exchange) -> None:
        exchange.close_connection = True
        exchange.head(200, {"Content-Length": str(self.size)} if self.declared else {"Connection": "close"})
        chunk = bytes(1024 * 1024)
        for _ in range(self.size // len(chunk)):
            exchange.send(chunk)


@dataclass
class Stall:
    """Some bytes, then silence until `release` is called or half a minute has passed."""

    after: int = 0
    heads: bool = True
    reached: threading.Event = field(default_factory=threading.Event)
    freed: threading.Event = field(default_factory=threading.Event)

    def answer(self, exchange: Exchange) -> None:
        body = exchange.file_head() if self.heads else b""
        exchange.send(body[: self.after])
        self.reached.set()
        self.freed.wait(_SCRIPT_TIMEOUT)
        exchange.send(body[self.after :])
        exchange.close_connection = True

    def release(self) -> None:
        self.freed.set()

    def await_client(self) -> None:
        """Return when a client waits in this stall."""
        assert self.reached.wait(_SCRIPT_TIMEOUT), "no client asked for the file that stalls"
