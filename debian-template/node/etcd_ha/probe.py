"""What a server offers besides HTTP, and whether its certificate leads to a CA."""

from __future__ import annotations

import socket
import ssl

from etcd_ha.connection import NotReached, Place, Refusal, presented
from etcd_ha.errors import EtcdHaError
from etcd_ha.identity import Identity, context_of

# A client's first bytes in HTTP/2, with empty settings; a server begins with its own (RFC 9113, 3.4 and 4.1).
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_FRAME_HEADER, _TYPE, _SETTINGS = 9, 3, 4


def explained(refused: NotReached, place: Place, identity: Identity, bound: float) -> NotReached:
    """With what is there instead of HTTP, if that can be found out."""
    if refused.refusal is not Refusal.OTHER:
        return refused
    if not place.is_tls and presented(place, bound):
        return NotReached(Refusal.SPEAKS_TLS, "TLS")
    if _serves_grpc(place, identity, bound):
        return NotReached(Refusal.GRPC_ONLY, "only gRPC, without HTTP")
    return refused


def _serves_grpc(place: Place, identity: Identity, bound: float) -> bool:
    """Whether a server answers in HTTP/2, as gRPC does."""
    try:
        with socket.create_connection((place.host, place.port), timeout=bound) as plain:
            if not place.is_tls:
                return _begins_http2(plain)
            context = context_of(identity)
            context.set_alpn_protocols(["h2"])
            with context.wrap_socket(plain, server_hostname=place.host) as secured:
                return _begins_http2(secured)
    except (OSError, EtcdHaError):
        return False


def _begins_http2(connection: socket.socket) -> bool:
    connection.sendall(_PREFACE)
    begin = connection.recv(_FRAME_HEADER)
    return len(begin) == _FRAME_HEADER and begin[_TYPE] == _SETTINGS


def chain_at(place: Place, authority: str | None, bound: float) -> str | None:
    """Why the certificate there does not lead to the CA, or empty; None if that could not be found out."""
    context = _chain_alone(authority)
    try:
        with (
            socket.create_connection((place.host, place.port), timeout=bound) as plain,
            context.wrap_socket(plain, server_hostname=place.host),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return None
    except ssl.SSLError:
        # The server wants a certificate; it is asked for after its own was verified.
        return ""
    except OSError:
        return None


def chain_of(certificate: str, key: str, authority: str | None) -> str:
    """The same for files, without a server. Raises EtcdHaError for files that can't be used."""
    server = context_of(Identity(authority, certificate, key), ssl.PROTOCOL_TLS_SERVER)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client_side = _chain_alone(authority).wrap_bio(to_client, to_server)
    server_side = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (client_side, server_side, client_side):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
    return ""


def _chain_alone(authority: str | None) -> ssl.SSLContext:
    context = context_of(Identity(authority))
    context.check_hostname = False
    return context
