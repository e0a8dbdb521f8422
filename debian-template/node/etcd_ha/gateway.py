"""etcd's HTTP side: health, version and the JSON of its gRPC gateway (https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway)."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from etcd_ha.connection import NotReached, Place, Refusal, open_socket, remaining
from etcd_ha.errors import on_one_line
from etcd_ha.identity import Identity

# Maximum bytes of an answer; /metrics of a busy member has a few hundred thousand.
LONGEST = 4 << 20
# What JSON can have.
Body: TypeAlias = Mapping[str, object]


class Failed(Exception):
    """The member answered, but not with what was requested."""


class GatewayOff(Failed):
    """The member serves no gateway there."""


class Denied(Failed):
    """Authentication is on, and the user is unknown, not given, or lacks permission."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. sent, received: seconds since 1970 by this machine's clock; seconds: how long it took."""

    status: int
    date: str | None
    text: str
    sent: float
    received: float
    seconds: float


class Fields:
    """A JSON object; a field that proto3 omits has its zero value."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise Failed("an answer that is not a JSON object")
        self._values: dict[str, object] = value

    def text(self, name: str) -> str:
        """A string that is safe to show."""
        return on_one_line(self.whole(name))

    def whole(self, name: str) -> str:
        """A string as received."""
        return str(self._values.get(name, ""))

    def number(self, name: str) -> int:
        """A number; etcd writes those of 64 bits as strings."""
        try:
            return int(str(self._values.get(name, 0)))
        except ValueError as error:
            raise Failed(f"{name} that is not a number") from error

    def truth(self, name: str) -> bool:
        """A boolean."""
        return self._values.get(name, False) is True

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        return tuple(on_one_line(str(one)) for one in self._list(name))

    def many(self, name: str) -> tuple[Fields, ...]:
        """A list of objects."""
        return tuple(map(Fields, self._list(name)))

    def one(self, name: str) -> Fields:
        """An object."""
        return Fields(self._values.get(name, {}))

    def _list(self, name: str) -> list[object]:
        value = self._values.get(name, [])
        if not isinstance(value, list):
            raise Failed(f"{name} that is not a list")
        return value


class Gateway:
    """One client URL of a member, over one connection.

    bound: seconds for each request. Requests raise NotReached, and Failed or one of its kinds.
    """

    def __init__(
        self, place: Place, identity: Identity, context: ssl.SSLContext | None, bound: float
    ) -> None:
        self._place, self._identity, self._bound = place, identity, bound
        self._connection = http.client.HTTPConnection(place.host, place.port)
        # http.client would open another one without TLS.
        self._connection.auto_open = 0
        self._socket = self._connection.sock = open_socket(place, bound, context)
        self._token = ""

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def get(self, path: str) -> Reply:
        """An answer of any status."""
        return self._exchange("GET", path, None)

    def call(self, method: str, body: Body | None = None) -> Fields:
        """An answer of the gateway. method: such as kv/put."""
        if self._identity.user and not self._token:
            self._token = self._authenticate(self._identity.user)
        return self._call(method, body or {})

    def _authenticate(self, user: str) -> str:
        """A token; empty while authentication is off, when etcd takes requests without one."""
        name, _, password = user.partition(":")
        try:
            return self._call("auth/authenticate", {"name": name, "password": password}).whole("token")
        except Failed as error:
            if "authentication is not enabled" in str(error):
                return ""
            raise

    def _call(self, method: str, body: Body) -> Fields:
        reply = self._exchange("POST", f"/v3/{method}", json.dumps(body))
        try:
            answer = Fields(json.loads(reply.text))
        except (ValueError, Failed):
            answer = None
        if reply.status == http.client.OK and answer is not None:
            return answer
        if reply.status == http.client.NOT_FOUND and answer is None:
            raise GatewayOff("404 to a request of the gateway")
        said = answer.text("message") or answer.text("error") if answer else on_one_line(reply.text)
        said = said or f"status {reply.status}"
        if any(
            text in said
            for text in ("user name is empty", "authentication failed", "permission denied", "invalid auth")
        ):
            raise Denied(said)
        raise Failed(said)

    def _exchange(self, method: str, path: str, body: str | None) -> Reply:
        end, connection = time.monotonic() + self._bound, self._connection
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self._token:
            headers["Authorization"] = self._token
        try:
            self._socket.settimeout(remaining(end))
            sent, begin = time.time(), time.monotonic()
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            received = time.time()
            text = self._read(answer, end)
        except TimeoutError as error:
            raise NotReached(Refusal.NO_ANSWER, "no answer in time") from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or str(error) or type(error).__name__
            raise NotReached(Refusal.OTHER, on_one_line(reason)) from error
        return Reply(answer.status, answer.headers["Date"], text, sent, received, time.monotonic() - begin)

    def _read(self, answer: http.client.HTTPResponse, end: float) -> str:
        read = bytearray()
        while chunk := answer.read1(LONGEST):
            read += chunk
            if len(read) > LONGEST:
                raise http.client.HTTPException(f"an answer of more than {LONGEST} bytes")
            self._socket.settimeout(remaining(end))
        # If the length is known, only this closes the answer.
        answer.close()
        return read.decode("utf-8", "replace")


def encoded(text: str) -> str:
    """Keys and values are in base64."""
    return base64.b64encode(text.encode()).decode()


def end_of(prefix: str) -> str:
    """The next key behind all that begin so."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def below(prefix: str) -> dict[str, str]:
    """The fields of a request or a permission for all keys that begin so."""
    return {"key": encoded(prefix), "range_end": encoded(end_of(prefix))}


def decoded(text: str) -> str:
    """What a key or value is. Raises Failed."""
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except ValueError as error:
        raise Failed("a key or value that is no base64") from error
