"""A throw-away authority, and certificates for nodes and clients."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import trustme

from tests.support.machines.machine import Machine

FOLDER = "/etc/etcd/tls"
# What debconf is told besides.
ANSWERS = {
    "tls": "true",
    "tls-ca": f"{FOLDER}/ca.pem",
    "tls-cert": f"{FOLDER}/node.pem",
    "tls-key": f"{FOLDER}/node.key",
}
# What etcdctl on a node needs besides its endpoints.
CLIENT = {
    "ETCDCTL_CACERT": f"{FOLDER}/ca.pem",
    "ETCDCTL_CERT": f"{FOLDER}/node.pem",
    "ETCDCTL_KEY": f"{FOLDER}/node.key",
}


def hand_out(machines: Sequence[Machine], client: Path | None = None) -> None:
    """A certificate of its own for each node, and one for a client outside into the folder `client`."""
    authority = trustme.CA()
    for machine in machines:
        certificate = authority.issue_cert(machine.address, machine.name, "127.0.0.1")
        machine.run("mkdir", "-p", FOLDER)
        machine.put(f"{FOLDER}/ca.pem", authority.cert_pem.bytes().decode())
        machine.put(f"{FOLDER}/node.pem", certificate.cert_chain_pems[0].bytes().decode())
        machine.put(f"{FOLDER}/node.key", certificate.private_key_pem.bytes().decode())
    if client is not None:
        give_to_client(authority, client)


def give_to_client(authority: trustme.CA, folder: Path) -> None:
    """A client's certificate and its key, and the authority's, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate = authority.issue_cert("client.example.org")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "node.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "node.key"))
