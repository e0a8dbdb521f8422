"""A web server for trying a repository out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def serve(root: Path, address: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve a folder until a signal ends it; ready gets the URL. port: 0 takes a free one. Raises OSError."""
    with ThreadingHTTPServer((address, port), partial(_Handler, directory=str(root))) as server:
        ready(f"http://{address}:{server.server_port}")
        server.serve_forever()


class _Handler(SimpleHTTPRequestHandler):
    # Connections stay open, as every real web server keeps them for apt.
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the requests of a trial interest nobody."""
