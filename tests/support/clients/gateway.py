"""etcd's HTTP gateway, spoken by a client that gives each try a bound and keeps its connection."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


@dataclass
class Gateway:
    """One member's client URL; certificates is a folder with ca.pem, node.pem and node.key for https."""

    url: str
    bound: float
    certificates: Path | None = None
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def put(self, key: str, value: str) -> bool:
        """True when the cluster has acknowledged the write within the bound (seconds)."""
        encoded = {"key": _base64(key), "value": _base64(value)}
        return self._request("POST", "/v3/kv/put", json.dumps(encoded)) == http.HTTPStatus.OK

    def serves(self) -> bool:
        """True when the member answers by itself, whether or not there is a quorum."""
        return self._request("GET", "/health?serializable=true", None) == http.HTTPStatus.OK

    def _request(self, method: str, path: str, body: str | None) -> int:
        end = time.monotonic() + self.bound
        try:
            connection = self._connection or self._connect()
            _bind(connection, end)
            connection.request(method, path, body)
            _bind(connection, end)
            answer = connection.getresponse()
            _bind(connection, end)
            answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return 0
        if answer.status != http.HTTPStatus.OK:
            self.close()
        return answer.status

    def _connect(self) -> http.client.HTTPConnection:
        place = urlsplit(self.url)
        host, port = place.hostname or "", place.port or 2379
        if place.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=self.bound, context=self._context()
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=self.bound)
        connection.connect()
        self._connection = connection
        return connection

    def _context(self) -> ssl.SSLContext:
        assert self.certificates is not None
        context = ssl.create_default_context(cafile=str(self.certificates / "ca.pem"))
        context.load_cert_chain(self.certificates / "node.pem", self.certificates / "node.key")
        return context

    def close(self) -> None:
        """Forget the connection; the next request makes a new one."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _bind(connection: http.client.HTTPConnection, end: float) -> None:
    remaining = end - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    if connection.sock is not None:
        connection.sock.settimeout(remaining)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
