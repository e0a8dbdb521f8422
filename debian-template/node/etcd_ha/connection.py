"""A connection to a URL of a member, with time limits and reasons for failure."""

from __future__ import annotations

import select
import socket
import ssl
import time
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from etcd_ha.errors import EtcdHaError


class Refusal(Enum):
    """Why no answer could be obtained. Programs use the values: they never change."""

    NO_ADDRESS = "no-address"
    NOT_LISTENING = "not-listening"
    NO_ANSWER = "no-answer"
    SPEAKS_TLS = "speaks-tls"
    SPEAKS_PLAIN = "speaks-plain"
    GRPC_ONLY = "grpc-only"
    SERVER_CERTIFICATE = "server-certificate"
    CLIENT_CERTIFICATE_MISSING = "client-certificate-missing"
    CLIENT_CERTIFICATE = "client-certificate"
    OTHER = "other"


class NotReached(Exception):
    """No answer could be obtained. reason: the message of the system or OpenSSL."""

    def __init__(self, refusal: Refusal, reason: str) -> None:
        super().__init__(reason)
        self.refusal = refusal
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Place:
    """The target of a URL."""

    scheme: str
    host: str
    port: int

    @property
    def is_tls(self) -> bool:
        return self.scheme == "https"


def split(value: str | None) -> tuple[str, ...]:
    """The parts of a list in etcd.yaml, such as URLs."""
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


def place_of(url: str) -> Place:
    """The parts of http://HOST:PORT or https://HOST:PORT. Raises EtcdHaError."""
    try:
        parts = urlsplit(url.strip())
        place = Place(parts.scheme, parts.hostname or "", parts.port or 0)
    except ValueError as error:
        raise _no_url(url) from error
    if place.scheme not in ("http", "https") or not place.host or not place.port:
        raise _no_url(url)
    return place


def _no_url(url: str) -> EtcdHaError:
    return EtcdHaError(
        f"{url!r} is not the URL of a member", details=("expected  http://HOST:PORT or https://HOST:PORT",)
    )


def open_socket(place: Place, bound: float, context: ssl.SSLContext | None) -> socket.socket:
    """A socket on which a request can be written; bound: seconds for each step. Raises NotReached."""
    try:
        plain = socket.create_connection((place.host, place.port), timeout=bound)
    except OSError as error:
        raise _not_reached(error) from error
    if context is None:
        return plain
    try:
        secured = context.wrap_socket(plain, server_hostname=place.host)
    except OSError as error:
        plain.close()
        raise _refused(error, speaks_plain(place, bound)) from error
    try:
        _await_judgement(secured, bound)
    except OSError as error:
        secured.close()
        raise _refused(error, False) from error
    return secured


@dataclass(frozen=True, slots=True)
class Presented:
    """What a server presents to anyone. certificate: in DER; demands: it requires one from clients."""

    certificate: bytes
    demands: bool


def presented(place: Place, bound: float) -> Presented | None:
    """What a server presents, whoever signed it; None if it does not use TLS. Nothing is sent to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((place.host, place.port), timeout=bound) as plain,
            context.wrap_socket(plain, server_hostname=place.host) as secured,
        ):
            certificate = secured.getpeercert(binary_form=True)
            return None if certificate is None else Presented(certificate, _is_refused(secured, bound))
    except OSError:
        return None


def _is_refused(secured: ssl.SSLSocket, bound: float) -> bool:
    try:
        _await_judgement(secured, bound)
    except ssl.SSLError as error:
        return _refused(error, False).refusal in (
            Refusal.CLIENT_CERTIFICATE_MISSING,
            Refusal.CLIENT_CERTIFICATE,
        )
    except OSError:
        return False
    return False


def speaks_plain(place: Place, bound: float) -> bool:
    """Whether a server answers HTTP without TLS there."""
    try:
        with socket.create_connection((place.host, place.port), timeout=bound) as plain:
            plain.sendall(
                f"GET /version HTTP/1.1\r\nHost: {place.host}\r\nConnection: close\r\n\r\n".encode()
            )
            begin = plain.recv(64)
    except OSError:
        return False
    # Go's TLS servers answer with a plain 400 that says so, others with an alert or nothing.
    return begin.startswith(b"HTTP/1.") and b" 400 " not in begin


def _await_judgement(secured: ssl.SSLSocket, bound: float) -> None:
    """With TLS 1.3 the handshake is over for a client before the server has looked at its certificate.

    Go then sends a ticket or an alert at once. An alert that comes while a request is being written is lost.
    """
    if secured.version() != "TLSv1.3":
        return
    select.select([secured], [], [], min(bound, 1))
    secured.settimeout(0)
    try:
        if secured.recv(1) == b"":
            raise ConnectionResetError("closed after the handshake")
    except ssl.SSLWantReadError:
        pass
    finally:
        secured.settimeout(bound)


def _not_reached(error: OSError) -> NotReached:
    if isinstance(error, socket.gaierror):
        return NotReached(Refusal.NO_ADDRESS, error.strerror or str(error))
    if isinstance(error, ConnectionRefusedError):
        return NotReached(Refusal.NOT_LISTENING, "connection refused")
    return NotReached(
        Refusal.NO_ANSWER, "no answer in time" if isinstance(error, TimeoutError) else str(error)
    )


def _refused(error: OSError, is_plain: bool) -> NotReached:
    reason = getattr(error, "reason", None) or str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotReached(Refusal.SERVER_CERTIFICATE, error.verify_message)
    if is_plain:
        return NotReached(Refusal.SPEAKS_PLAIN, "HTTP without TLS")
    if "CERTIFICATE_REQUIRED" in reason:
        return NotReached(Refusal.CLIENT_CERTIFICATE_MISSING, reason)
    # The alerts of Go's servers about a client's certificate; with TLS 1.2 also if there was none.
    if any(
        alert in reason
        for alert in ("BAD_CERTIFICATE", "UNKNOWN_CA", "CERTIFICATE_EXPIRED", "UNSUPPORTED_CERT")
    ):
        return NotReached(Refusal.CLIENT_CERTIFICATE, reason)
    if isinstance(error, TimeoutError):
        return NotReached(Refusal.NO_ANSWER, "no answer to the TLS handshake in time")
    return NotReached(Refusal.OTHER, reason)


def remaining(end: float) -> float:
    """Seconds until a point of time.monotonic(). Raises TimeoutError when it has passed."""
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError("no answer in time")
    return left
