"""The CAs of a cluster: ca.d/ca-N.crt with its key; ca.d/state.json says who signs and who is trusted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from builder.cluster import folder as files
from builder.cluster.model import Cluster
from builder.cluster.tls.certificates import (
    Signer,
    as_pem,
    ends,
    key_as_pem,
    new_authority,
    new_key,
    public_bytes,
    read_certificates,
    read_key,
)
from builder.errors import EtcdDebError

STATE = Path(files.AUTHORITY, "state.json")


@dataclass(frozen=True, slots=True)
class State:
    """Numbers of CAs: the one that signs, and those that nodes trust."""

    signer: int
    trusted: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.signer not in self.trusted or len(self.trusted) > 2:
            raise ValueError("the signing CA is not trusted, or more than two are")

    @property
    def bundle(self) -> tuple[Path, ...]:
        """The files whose certificates nodes trust."""
        return tuple(certificate_of(number) for number in self.trusted)


FIRST = State(1, (1,))


def certificate_of(number: int) -> Path:
    return Path(files.AUTHORITY, f"ca-{number}.crt")


def key_of(number: int) -> Path:
    return Path(files.AUTHORITY, f"ca-{number}.key")


def read_state(folder: Path) -> State:
    """The first CA alone where nothing is said. Raises EtcdDebError."""
    path = folder / STATE
    if not path.exists():
        return FIRST
    try:
        said = json.loads(path.read_bytes())
        return State(int(said["signer"]), tuple(int(number) for number in said["trusted"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise EtcdDebError(
            f"{path} does not say which CA signs",
            details=('expected  {"signer": 1, "trusted": [1]}', f"found     {error!r}"),
            hint=f"restore {path} from a backup, or write it again",
        ) from error


def state_file(state: State) -> files.Output:
    text = json.dumps({"signer": state.signer, "trusted": list(state.trusted)})
    return files.Output(STATE, f"{text}\n".encode())


def create(folder: Path, number: int, cluster: Cluster, now: datetime) -> None:
    """A CA of that number, where there is none. An existing key is used and kept."""
    certificate, key_file = certificate_of(number), key_of(number)
    if (folder / certificate).exists() and (folder / key_file).exists():
        return
    if (folder / certificate).exists():
        raise EtcdDebError(
            f"{folder / key_file} is missing",
            details=("expected  the key of the CA beside its certificate", "found     only the certificate"),
            hint=f"restore {key_file.name}; without it: etcd-deb cluster certs FILE in a new folder",
        )
    if not (folder / key_file).exists():
        files.write_new(folder, files.Output(key_file, key_as_pem(new_key()), files.PRIVATE))
    key = read_key((folder / key_file).read_bytes(), str(folder / key_file))
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise EtcdDebError(
            f"{folder / key_file} is not a key for an etcd-deb CA",
            details=("expected  an EC key", f"found     {type(key).__name__}"),
            hint=f"put its certificate beside it, as {certificate.name}",
        )
    made = new_authority(key, cluster.token, cluster.tls.authority_days, now)
    files.write(folder, (files.Output(certificate, as_pem(made)),))


def read_signer(folder: Path, state: State, now: datetime) -> Signer:
    """Raises EtcdDebError if the two don't match, or it can no longer sign."""
    paths = folder / certificate_of(state.signer), folder / key_of(state.signer)
    certificate = read_certificates(paths[0].read_bytes(), str(paths[0]))[0]
    key = read_key(paths[1].read_bytes(), str(paths[1]))
    if public_bytes(certificate) != public_bytes(key):
        raise EtcdDebError(
            f"{paths[1]} is not the key of {paths[0]}",
            details=("expected  the key that the certificate was made for", "found     another key"),
            hint="restore both from a backup",
        )
    if ends(certificate) <= now:
        raise EtcdDebError(
            f"{paths[0]} expired on {ends(certificate):%Y-%m-%d}",
            details=("expected  a valid CA", "found     one whose certificates are refused"),
            hint="to replace it: etcd-deb cluster certs rotate-ca FILE trust-both",
        )
    return Signer(certificate, key)


def read_trusted(folder: Path, state: State) -> tuple[x509.Certificate, ...]:
    """What nodes trust, in the order of the numbers."""
    return tuple(
        certificate
        for path in state.bundle
        for certificate in read_certificates((folder / path).read_bytes(), str(folder / path))[:1]
    )


def bundle_as_pem(trusted: Sequence[x509.Certificate]) -> bytes:
    return b"".join(map(as_pem, trusted))
