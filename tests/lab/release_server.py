"""A web server that carries releases as GitHub does, and fails as it is told."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import urlsplit

import trustme

_SCRIPT_TIMEOUT = 30


@dataclass(frozen=True)
class Request:
    """What a client asked for."""

    path: str
    headers: Mapping[str, str]

    @property
    def range(self) -> str | None:
        return self.headers.get("range")


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


class Exchange(BaseHTTPRequestHandler):
    """One connection of a client, kept alive between answers."""

    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        fault = self.server.book.take(Request(self.path, _lower(self.headers.items())), path)
        try:
            if fault is not None:
                fault.answer(self)
            elif self.located(path).is_file():
                self.send(self.file_head())
            else:
                Status(404, {}, b"Not Found").answer(self)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    def located(self, path: str) -> Path:
        return self.server.book.root / path.lstrip("/")

    def head(self, code: int, headers: Mapping[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def file_head(self, *, ignore_range: bool = False) -> bytes:
        """Send the headers for the file, or the part asked for, and return those bytes."""
        body = self.located(urlsplit(self.path).path).read_bytes()
        wanted = self.headers.get("Range")
        if wanted is None or ignore_range:
            self.head(200, {"Content-Length": str(len(body)), "Accept-Ranges": "bytes"})
            return body
        first = int(wanted.removeprefix("bytes=").partition("-")[0])
        if first >= len(body):
            self.head(416, {"Content-Range": f"bytes */{len(body)}", "Content-Length": "0"})
            return b""
        span = f"bytes {first}-{len(body) - 1}/{len(body)}"
        self.head(206, {"Content-Range": span, "Content-Length": str(len(body) - first)})
        return body[first:]

    def send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: requests are recorded, and pytest shows them when a test fails."""


def _lower(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


class _Book:
    """What is to go wrong and what was asked for; used by the test and by the server's threads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.requests: list[Request] = []
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._always: dict[str, Fault] = {}
        self._lock = threading.Lock()

    def script(self, path: str, *faults: Fault) -> None:
        with self._lock:
            self._faults[path].extend(faults)

    def script_always(self, path: str, fault: Fault) -> None:
        with self._lock:
            self._always[path] = fault

    def take(self, request: Request, path: str) -> Fault | None:
        with self._lock:
            self.requests.append(request)
            if self._faults[path]:
                return self._faults[path].popleft()
            return self._always.get(path)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, book: _Book, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.book = book
        self._context = context

    def finish_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        # The handshake belongs into the connection's own thread: a client that refuses our
        # certificate must not hold up the next one.
        assert isinstance(request, socket.socket)
        if self._context is None:
            Exchange(request, client_address, self)
            return
        try:
            wrapped = self._context.wrap_socket(request, server_side=True)
        except OSError:
            return
        with wrapped:
            Exchange(wrapped, client_address, self)


class ReleaseServer:
    """Serves a folder on 127.0.0.1, over https if it has a CA, until the with block ends."""

    def __init__(self, root: Path, ca: trustme.CA | None = None) -> None:
        context = None
        if ca is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ca.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        self._book = _Book(root)
        self._server = _Server(self._book, context)
        self._scheme = "http" if ca is None else "https"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def root(self) -> Path:
        return self._book.root

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    @property
    def other_url(self) -> str:
        """The same server under another host name, as another origin has."""
        return f"{self._scheme}://localhost:{self._server.server_port}"

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request so far, in the order of arrival."""
        return tuple(self._book.requests)

    def asked(self, path: str) -> tuple[Request, ...]:
        """The requests for one path or for what lies below it."""
        return tuple(
            request
            for request in self.requests
            if urlsplit(request.path).path == path or request.path.startswith(f"{path}/")
        )

    def script(self, path: str, *faults: Fault) -> None:
        """The next requests for path get these faults, one each; after that the file is served."""
        self._book.script(path, *faults)

    def script_always(self, path: str, fault: Fault) -> None:
        """Every request for path gets this fault."""
        self._book.script_always(path, fault)
