"""Keys and certificates of a cluster: made, renewed, asked for, taken in. No key is ever replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509

from builder.cluster import folder as files
from builder.cluster.model import Authority, Cluster
from builder.cluster.tls import authorities, judge
from builder.cluster.tls.certificates import (
    Signer,
    as_pem,
    begins,
    ends,
    issue,
    key_as_pem,
    new_key,
    public_bytes,
    read_certificates,
    read_key,
    request,
)
from builder.cluster.tls.pairs import Pair, pairs
from builder.errors import EtcdDebError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes


@dataclass(frozen=True, slots=True)
class Written:
    """A file that is new, and why."""

    path: Path
    why: str


def make(cluster: Cluster, folder: Path, now: datetime, *, renew: bool) -> tuple[Written, ...]:
    """Whatever is missing or can't serve; renew: also what has less than a third of its life left.

    Raises EtcdDebError.
    """
    require(cluster, Authority.OWN)
    authorities.create(folder, authorities.read_state(folder).signer, cluster, now)
    return bring_up_to_date(cluster, folder, authorities.read_state(folder), now, renew=renew)


def bring_up_to_date(
    cluster: Cluster, folder: Path, state: authorities.State, now: datetime, *, renew: bool
) -> tuple[Written, ...]:
    """Each pair as the state wants it. Trust comes first: no member may present what others don't know."""
    signer = authorities.read_signer(folder, state, now)
    trusted = authorities.read_trusted(folder, state)
    written = write_trust(cluster, folder, trusted)
    for pair in pairs(cluster):
        why = _due(folder, pair, trusted, now, renew=renew) or _foreign(folder, pair, signer)
        if why:
            key = _key(folder, pair)
            made = issue(signer, pair.subject, key, cluster.tls.days, now)
            files.write(folder, (files.Output(pair.certificate, as_pem(made)),))
            written.append(Written(folder / pair.certificate, why))
    return tuple(written)


def make_requests(cluster: Cluster, folder: Path, now: datetime, *, renew: bool) -> tuple[Written, ...]:
    """A key and a request for each certificate that is missing or can't serve. Raises EtcdDebError."""
    require(cluster, Authority.COMPANY)
    written = []
    for pair in pairs(cluster):
        trusted = _read_if_there(folder / pair.authority)
        if why := _due(folder, pair, trusted, now, renew=renew):
            asked = request(pair.subject, _key(folder, pair))
            files.write(folder, (files.Output(pair.request, as_pem(asked)),))
            written.append(Written(folder / pair.request, why))
    return tuple(written)


def take_in(cluster: Cluster, folder: Path, signed: Path, now: datetime) -> tuple[Written, ...]:
    """Certificates that another CA signed, found by their keys among the files below signed.

    Nothing is written unless every certificate of the cluster serves. Raises EtcdDebError.
    """
    require(cluster, Authority.COMPANY)
    found = _all_certificates(signed)
    roots = tuple(one for one in found if judge.issued_by(one, one))
    if not roots:
        raise EtcdDebError(
            f"{signed} has no CA certificate",
            details=(
                "expected  the certificate of the CA itself, which etcd and its clients trust",
                f"found     {len(found)} certificates, none of them signed by its own key",
            ),
            hint="add the CA's own certificate, in PEM, to the files",
        )
    outputs, written, refused = [], [], []
    for pair in pairs(cluster):
        chain = _chain_for(_key_bytes(folder, pair), found)
        present = _read_if_there(folder / pair.certificate)
        if not chain and present and judge.faults(present, roots, pair.subject, now) == ():
            continue
        if not chain:
            refused.append(f"{pair.certificate}: no certificate matches the key {folder / pair.key}")
            continue
        said = judge.faults(chain, roots, pair.subject, now)
        refused += [f"{pair.certificate}: {fault}" for fault in said]
        content = b"".join(map(as_pem, chain))
        outputs.append(files.Output(pair.certificate, content))
        written.append(Written(folder / pair.certificate, "signed"))
    if refused:
        raise EtcdDebError(
            f"{signed} does not fit this cluster; nothing was imported",
            details=("expected  a certificate for each request that etcd accepts", *refused),
            hint="have the CA sign the .csr files unchanged, with their names and both usages",
        )
    files.write(folder, outputs)
    return (*write_trust(cluster, folder, roots), *written)


def require(cluster: Cluster, authority: Authority) -> None:
    """Raises UsageError where the cluster has another one."""
    if cluster.tls.authority is not authority:
        hints = {
            Authority.OWN: "etcd-deb cluster certs FILE",
            Authority.COMPANY: "etcd-deb cluster certs FILE --csr, then --import DIR",
            Authority.NONE: "tls: {authority: own}",
        }
        raise UsageError(
            f"the cluster has tls: authority: {cluster.tls.authority}",
            details=(f"expected  authority: {authority}", f"found     authority: {cluster.tls.authority}"),
            hint=hints[cluster.tls.authority],
        )


def write_trust(cluster: Cluster, folder: Path, trusted: Sequence[x509.Certificate]) -> list[Written]:
    """ca.crt beside each pair, where it has not these certificates already."""
    content = authorities.bundle_as_pem(trusted)
    written = []
    for path in dict.fromkeys(pair.authority for pair in pairs(cluster)):
        if not (folder / path).exists() or (folder / path).read_bytes() != content:
            files.write(folder, (files.Output(path, content),))
            written.append(Written(folder / path, f"{len(trusted)} CA{'s' * (len(trusted) != 1)} trusted"))
    return written


def _due(folder: Path, pair: Pair, trusted: Sequence[x509.Certificate], now: datetime, *, renew: bool) -> str:
    """Why a certificate has to be made; empty if it has not."""
    chain = _read_if_there(folder / pair.certificate)
    if not chain or not (folder / pair.key).exists():
        return "new"
    if public_bytes(chain[0]) != _key_bytes(folder, pair):
        return "the existing one has another key"
    if said := judge.faults(chain, trusted, pair.subject, now):
        return said[0]
    left, life = ends(chain[0]) - now, ends(chain[0]) - begins(chain[0])
    return f"{left.days} days are left of {life.days}" if renew and 3 * left < life else ""


def _foreign(folder: Path, pair: Pair, signer: Signer) -> str:
    chain = _read_if_there(folder / pair.certificate)
    return "" if chain and judge.issued_by(chain[0], signer.certificate) else "another CA signs now"


def _key(folder: Path, pair: Pair) -> CertificateIssuerPrivateKeyTypes:
    if not (folder / pair.key).exists():
        files.write_new(folder, files.Output(pair.key, key_as_pem(new_key()), files.PRIVATE))
    return read_key((folder / pair.key).read_bytes(), str(folder / pair.key))


def _key_bytes(folder: Path, pair: Pair) -> bytes:
    path = folder / pair.key
    if not path.exists():
        raise EtcdDebError(
            f"{path} is missing",
            details=("expected  the key that the request was made with", "found     none"),
            hint="to make keys and requests: etcd-deb cluster certs FILE --csr",
        )
    return public_bytes(read_key(path.read_bytes(), str(path)))


def _read_if_there(path: Path) -> tuple[x509.Certificate, ...]:
    return read_certificates(path.read_bytes(), str(path)) if path.exists() else ()


def _all_certificates(signed: Path) -> tuple[x509.Certificate, ...]:
    paths = sorted(path for path in signed.rglob("*") if path.is_file()) if signed.is_dir() else [signed]
    found: dict[bytes, x509.Certificate] = {}
    for path in paths:
        content = path.read_bytes()
        # Whatever else a CA sends along.
        if b"BEGIN CERTIFICATE-----" in content or not signed.is_dir():
            for certificate in read_certificates(content, str(path)):
                found.setdefault(as_pem(certificate), certificate)
    return tuple(found.values())


def _chain_for(key: bytes, found: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """The newest certificate of the key, and those that lead from it to a root, without the root."""
    own = sorted((one for one in found if public_bytes(one) == key), key=begins)
    if not own:
        return ()
    chain = [own[-1]]
    while True:
        above = [
            one
            for one in found
            if one not in chain and not judge.issued_by(one, one) and judge.issued_by(chain[-1], one)
        ]
        if not above:
            return tuple(chain)
        chain.append(above[0])
