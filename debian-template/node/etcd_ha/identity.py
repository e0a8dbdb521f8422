"""What this side presents to a member, and which CA it trusts."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from etcd_ha.errors import EtcdHaError


@dataclass(frozen=True, slots=True)
class Identity:
    """What is presented to a member: paths of PEM files; None if there is none. user: NAME:PASSWORD."""

    authority: str | None = None
    certificate: str | None = None
    key: str | None = None
    user: str | None = field(default=None, repr=False)


def read_user(file: str) -> str:
    """NAME:PASSWORD in the first line of a file. Raises EtcdHaError."""
    try:
        line = next(iter(Path(file).read_text(encoding="utf-8").splitlines()), "")
    except (OSError, UnicodeDecodeError) as error:
        raise EtcdHaError(
            f"{file} can't be read", details=(f"found     {error}",), hint="run this as root"
        ) from error
    if not all(line.partition(":")):
        raise EtcdHaError(f"{file} names no user", details=("expected  USER:PASSWORD in its first line",))
    return line


def context_of(identity: Identity, side: int = ssl.PROTOCOL_TLS_CLIENT) -> ssl.SSLContext:
    """TLS by Go's rules: a given CA is trusted even if it is not a root; the common name is not a host.

    Raises EtcdHaError for files that can't be used.
    """
    context = ssl.SSLContext(side)
    context.verify_flags = ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.hostname_checks_common_name = False
    try:
        if identity.authority is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(identity.authority)
    except (OSError, ssl.SSLError) as error:
        raise _unusable("CA", identity.authority or "", error) from error
    if identity.certificate is not None:
        try:
            # Without this, a key with a passphrase makes OpenSSL ask the terminal.
            context.load_cert_chain(identity.certificate, identity.key, password=_no_passphrase)
        except (OSError, ssl.SSLError, EtcdHaError) as error:
            raise _unusable(
                "certificate and key", f"{identity.certificate}, {identity.key}", error
            ) from error
    return context


def _no_passphrase() -> str:
    raise EtcdHaError("the key has a passphrase, which neither etcd nor etcdctl accepts")


def _unusable(what: str, files: str, error: Exception) -> EtcdHaError:
    return EtcdHaError(
        f"{what} can't be used: {files}",
        details=("expected  files in PEM, the key without a passphrase", f"found     {error}"),
        hint="openssl x509 -noout -text -in FILE shows a certificate",
    )
