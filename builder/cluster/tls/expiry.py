"""What expires when, read offline from the folder of a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from etcd_ha.certificate import SOON

from builder.cluster.model import Authority, Cluster
from builder.cluster.tls import authorities, judge
from builder.cluster.tls.certificates import Unusable, ends, public_bytes, read_certificates, read_key
from builder.cluster.tls.pairs import pairs
from builder.errors import UsageError


@dataclass(frozen=True, slots=True)
class Listed:
    """A certificate. ends, days: None where there is none that can be read; fault: empty where it serves."""

    path: Path
    subject: str
    ends: datetime | None
    days: int | None
    fault: str

    @property
    def is_fine(self) -> bool:
        """Whether no action is needed within the next days."""
        return not self.fault and self.days is not None and self.days >= SOON


def listed(cluster: Cluster, folder: Path, now: datetime) -> tuple[Listed, ...]:
    """CAs first, then the certificates of each node. Raises EtcdDebError."""
    if not cluster.has_tls:
        raise UsageError(
            "the cluster has no certificates",
            details=("expected  authority: own or company", f"found     authority: {cluster.tls.authority}"),
            hint="tls: {authority: own}",
        )
    rows = []
    if cluster.tls.authority is Authority.OWN:
        rows = [_row(path, folder, "", now) for path in authorities.read_state(folder).bundle]
    for pair in pairs(cluster):
        row = _row(pair.certificate, folder, pair.subject.name, now)
        if not row.fault:
            try:
                chain, trusted = _read(folder / pair.certificate), _read(folder / pair.authority)
                said = judge.faults(chain, trusted, pair.subject, now)
                key = folder / pair.key
                if not key.exists():
                    said = (*said, "its key is missing")
                elif public_bytes(read_key(key.read_bytes(), str(key))) != public_bytes(chain[0]):
                    said = (*said, "the key beside it does not match")
            except (Unusable, FileNotFoundError) as error:
                said = (str(error),)
            row = Listed(row.path, row.subject, row.ends, row.days, said[0] if said else "")
        rows.append(row)
    return tuple(rows)


def _row(path: Path, folder: Path, subject: str, now: datetime) -> Listed:
    try:
        (first, *_) = _read(folder / path)
    except FileNotFoundError:
        return Listed(path, subject, None, None, "missing")
    except Unusable as error:
        return Listed(path, subject, None, None, error.summary)
    end = ends(first)
    fault = f"expired on {end:%Y-%m-%d}" if end < now else ""
    return Listed(path, subject or first.subject.rfc4514_string(), end, (end - now).days, fault)


def _read(path: Path) -> tuple[x509.Certificate, ...]:
    return read_certificates(path.read_bytes(), str(path))
