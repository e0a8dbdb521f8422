"""Certificates that etcd's gateway refuses while authentication is on."""

from __future__ import annotations

from pathlib import Path

from etcd_ha.certificate import parse_pem
from etcd_ha.check.finding import Command
from etcd_ha.errors import EtcdHaError

# Patroni's on this node, as `etcd-deb cluster` has it.
_PATRONIS = Path("/etc/patroni/tls/client.crt")


def refuse_common_names(presented: str, renew: Command) -> None:
    """Raises EtcdHaError for a common name in what etcd-ha presents or Patroni on this node.

    Where client-cert-auth is on, the gateway answers 400 to them, since it would not take the name for a user
    as gRPC does (server/embed/serve.go of etcd).
    """
    for file in (Path(presented), _PATRONIS) if _PATRONIS.exists() else (Path(presented),):
        try:
            (certificate, *_) = parse_pem(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise EtcdHaError(f"{file} can't be read", details=(f"found     {error}",)) from error
        if certificate.common_name is not None:
            raise EtcdHaError(
                f"{file} has a common name; nothing was changed",
                details=(
                    "expected  a subject without one: with authentication on, etcd's gateway refuses others",
                    f"found     CN={certificate.common_name}",
                ),
                hint=f"on {renew.on}: {renew.text}",
            )
