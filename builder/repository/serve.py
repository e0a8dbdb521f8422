"""A web server for trying a repository out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from builder.errors import EtcdDebError


def serve(root: Path, address: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve a folder until a signal ends it; ready gets the URL. port: 0 takes a free one.

    Raises EtcdDebError where it can't listen there.
    """
    try:
        listening = ThreadingHTTPServer((address, port), partial(_Handler, directory=str(root)))
    # UnicodeError is what Python says of a name that no resolver takes.
    except (OSError, UnicodeError) as error:
        raise EtcdDebError(
            f"can't listen on {address}, port {port}",
            details=(f"got       {getattr(error, 'strerror', None) or error}",),
            hint="--port 0 takes a free one; --address 127.0.0.1 is there on every machine",
        ) from error
    with listening as server:
        ready(f"http://{address}:{server.server_port}")
        server.serve_forever()


class _Handler(SimpleHTTPRequestHandler):
    # Connections stay open, as every real web server keeps them for apt.
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the requests of a trial interest nobody."""
