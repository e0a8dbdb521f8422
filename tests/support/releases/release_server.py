"""A web server that carries releases as GitHub does, and fails as it is told."""

from __future__ import annotations

import socket
import ssl
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import trustme

from tests.support.faults.answers import Fault, Status


@dataclass(frozen=True)
class Request:
    """What a client asked for."""

    path: str
    headers: Mapping[str, str]

    @property
    def range(self) -> str | None:
        return self.headers.get("range")


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
