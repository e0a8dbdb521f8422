"""A web server for trying a repository out: it shows what is published, and nothing else of the folder."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote, urlsplit

from builder.errors import EtcdDebError

FOLDERS = ("dists", "generations", "by-hash", "keyring", "pool")
# What apt requests to resume an interrupted file (RFC 9110 section 14.2).
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})?")


def serve(root: Path, address: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve a folder until a signal ends it; ready gets the URL. port: 0 takes a free one.

    Raises EtcdDebError where it can't listen there.
    """
    try:
        listening = _Server((address, port), partial(_Handler, directory=str(root)))
    # UnicodeError is what Python says of a name that no resolver takes.
    except (OSError, UnicodeError) as error:
        raise EtcdDebError(
            f"can't listen on {address}, port {port}",
            details=(f"found     {getattr(error, 'strerror', None) or error}",),
            hint="use --port 0 for any free port; --address 127.0.0.1 exists on every machine",
        ) from error
    with listening as server:
        ready(f"http://{address}:{server.server_port}")
        server.serve_forever()


def published_file(root: Path, path: str) -> Path | None:
    """The file below root that a URL's path names, None for what is not published: anything hidden, a folder,

    or a link that leads out of the published folders.
    """
    parts = [part for part in unquote(urlsplit(path).path, errors="strict").split("/") if part] or [
        "index.html"
    ]
    if any(part.startswith(".") or "\0" in part for part in parts):
        return None
    file = root.joinpath(*parts).resolve()
    inside = file.relative_to(root).parts if file.is_relative_to(root) else ()
    is_page = len(inside) == 1 and _is_page(inside[0])
    if not file.is_file() or not (is_page or (len(inside) > 1 and inside[0] in FOLDERS)):
        return None
    return file


def _is_page(name: str) -> bool:
    return name == "index.html" or name.endswith(".sources") or name.startswith("etcd-ha-archive-keyring.")


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that disconnects is not an error; anything else is a bug, and shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(SimpleHTTPRequestHandler):
    # Connections stay open, as every real web server keeps them for apt.
    protocol_version = "HTTP/1.1"
    # A client that says nothing more holds a thread no longer.
    timeout = 60

    def send_head(self) -> BytesIO | BinaryIO | None:
        """Answer with a published file, or the part of it that is asked for."""
        try:
            file = published_file(Path(self.directory), self.path)
        except (ValueError, OSError, RuntimeError):
            file = None
        if file is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        changed = self.date_time_string(int(file.stat().st_mtime))
        # A part of another file than the one that the client has begun would be no use to it.
        if asked is None or self.headers.get("If-Range", changed) != changed:
            self.path = quote(f"/{file.relative_to(self.directory)}")
            return super().send_head()
        size = file.stat().st_size
        first, last = int(asked[1]), min(int(asked[2] or size), size - 1)
        if first > last:
            self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        self.send_response(HTTPStatus.PARTIAL_CONTENT)
        self.send_header("Content-Type", self.guess_type(str(file)))
        self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Last-Modified", changed)
        self.end_headers()
        with file.open("rb") as content:
            content.seek(first)
            return BytesIO(content.read(last - first + 1))

    def end_headers(self) -> None:
        """Say that parts may be asked for."""
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the requests of a trial are not worth showing."""
