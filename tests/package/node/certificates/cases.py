"""Certificates, keys and CA files, what etcd does with them, and what has to be said of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.support.faults import planted
from tests.support.faults.planted import ANY, CLIENT, SERVER, Authority, Issued, key_pem

ADDRESS = "127.0.0.1"
# What etcd does: it ends; it runs, but neither members nor clients connect; all is well.
ENDS, RUNS, SERVES = "ends", "runs", "serves"


@dataclass(frozen=True)
class Files:
    """What lies in the three files of a section."""

    cert: str
    key: str
    ca: str

    def write(self, folder: Path) -> None:
        """As node.pem, node.key and ca.pem."""
        folder.mkdir(parents=True)
        for title, content in (("node.pem", self.cert), ("node.key", self.key), ("ca.pem", self.ca)):
            (folder / title).write_text(content, "latin-1")


@dataclass(frozen=True)
class Case:
    """Files, what etcd does with them, and what has to be said: a level, and words of the line.

    `one_way`: the member itself connects to others, and that is enough for a quorum.
    """

    files: Callable[[Authority], Files]
    does: str
    level: str = ""
    said: Sequence[str] = field(default_factory=tuple)
    one_way: bool = False


def of(issued: Issued, authority: Authority) -> Files:
    """As they are."""
    return Files(issued.pem, issued.key_pem, authority.pem)


def issued(*hosts: str, **options: object) -> Callable[[Authority], Files]:
    """A certificate of the trusted CA."""
    return lambda root: of(root.issue(*(hosts or (ADDRESS,)), **options), root)  # type: ignore[arg-type]


def with_key(key: planted.Key) -> Callable[[Authority], Files]:
    return lambda root: of(root.issue(ADDRESS, key=key), root)


def der(text: str, command: str) -> str:
    """The binary form of PEM, as Latin-1."""
    words = ["openssl", command, "-outform", "DER"]
    done = subprocess.run(words, input=text.encode(), capture_output=True, check=True)
    return done.stdout.decode("latin-1")


def passphrase(*, traditional: bool) -> Callable[[Authority], Files]:
    def files(root: Authority) -> Files:
        node = root.issue(ADDRESS)
        return Files(node.pem, key_pem(node.key, planted.PASSPHRASE, traditional=traditional), root.pem)

    return files


def changed(**changes: Callable[[Files], str]) -> Callable[[Authority], Files]:
    """Good files, of which some are made into something else."""

    def files(root: Authority) -> Files:
        good = of(root.issue(ADDRESS), root)
        return Files(**{**good.__dict__, **{part: change(good) for part, change in changes.items()}})

    return files


def below(
    *, intermediate_sent: bool = True, leaf_first: bool = True, trusted: str = "root", **options: object
) -> Callable[[Authority], Files]:
    """A certificate of an intermediate CA."""

    def files(root: Authority) -> Files:
        parent = root if trusted == "root" else Authority("Elsewhere")
        middle = Authority("Intermediate", parent, **options)  # type: ignore[arg-type]
        node = middle.issue(ADDRESS)
        chain = [node.pem, middle.pem][: 2 if intermediate_sent else 1]
        text = "".join(chain if leaf_first else reversed(chain))
        return Files(text, node.key_pem, root.pem if trusted == "root" else middle.pem + root.pem)

    return files


def foreign(title: str) -> Callable[[Authority], Files]:
    """A certificate of a CA that is not trusted."""

    def files(root: Authority) -> Files:
        node = Authority(title).issue(ADDRESS)
        return Files(node.pem, node.key_pem, root.pem)

    return files


CASES = {
    "good": Case(issued(), SERVES),
    "without extended key usages": Case(issued(usages=()), SERVES),
    "any extended key usage": Case(issued(usages=(ANY,)), SERVES),
    "by wildcard and address": Case(issued(ADDRESS, "*.example.org"), SERVES),
    "without the key usage digitalSignature": Case(issued(signs=True), SERVES),
    "RSA": Case(with_key(rsa.generate_private_key(65537, 2048)), SERVES),
    "Ed25519": Case(with_key(ed25519.Ed25519PrivateKey.generate()), SERVES),
    "P-521": Case(with_key(ec.generate_private_key(ec.SECP521R1())), SERVES),
    "CRLF": Case(
        changed(cert=lambda f: f.cert.replace("\n", "\r\n"), key=lambda f: f.key.replace("\n", "\r\n")),
        SERVES,
    ),
    "text around the PEM": Case(changed(cert=lambda f: f"subject: n\n{f.cert}"), SERVES),
    "certificate and key in each file": Case(
        changed(cert=lambda f: f"{f.key}{f.cert}", key=lambda f: f"{f.cert}{f.key}"), SERVES
    ),
    "parameters before the key": Case(
        changed(
            key=lambda f: (
                "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + f.key
            )
        ),
        SERVES,
    ),
    "intermediate CA in the file": Case(below(), SERVES),
    "intermediate CA is what is trusted": Case(below(intermediate_sent=False, trusted="middle"), SERVES),
    "intermediate CA for both usages": Case(below(usages=(SERVER, CLIENT)), SERVES),
    "intermediate CA for any usage": Case(below(usages=(ANY,)), SERVES),
    "several trusted CAs": Case(changed(ca=lambda f: Authority("Other").pem + f.ca), SERVES),
    "passphrase": Case(passphrase(traditional=False), ENDS, "ends", ("key-file", "without a passphrase")),
    "passphrase of the old form": Case(
        passphrase(traditional=True), ENDS, "ends", ("key-file", "without a passphrase")
    ),
    "key of another certificate": Case(
        changed(key=lambda _: key_pem(planted.new_key())), ENDS, "retries", ("another key",)
    ),
    "key and certificate swapped": Case(
        changed(cert=lambda f: f.key, key=lambda f: f.cert), ENDS, "ends", ("cert-file", "PRIVATE KEY")
    ),
    "CA first": Case(below(leaf_first=False), ENDS, "retries", ("cert-file", "another certificate first")),
    "certificate in DER": Case(
        changed(cert=lambda f: der(f.cert, "x509")), ENDS, "ends", ("cert-file", "DER")
    ),
    "key in DER": Case(changed(key=lambda f: der(f.key, "pkey")), ENDS, "ends", ("key-file", "DER")),
    "empty certificate": Case(changed(cert=lambda _: ""), ENDS, "retries", ("cert-file", "empty")),
    "empty key": Case(changed(key=lambda _: ""), ENDS, "retries", ("key-file", "empty")),
    "half a certificate": Case(
        changed(cert=lambda f: f.cert[:200]), ENDS, "retries", ("cert-file", "truncated")
    ),
    "another form": Case(
        changed(cert=lambda _: "see the vault\n"), ENDS, "ends", ("cert-file", "another form")
    ),
    "damaged certificate": Case(
        changed(cert=lambda f: f.cert.replace("MII", "MIX", 1)), ENDS, "ends", ("cert-file", "damaged")
    ),
    "damaged key": Case(
        changed(key=lambda f: f.key.replace("MI", "MX", 1)), ENDS, "ends", ("key-file", "damaged")
    ),
    "curve of another world": Case(
        with_key(ec.generate_private_key(ec.SECP256K1())), ENDS, "ends", ("secp256k1",)
    ),
    "key beside the CA": Case(
        changed(ca=lambda f: f"{f.ca}{f.key}"), ENDS, "ends", ("trusted-ca-file", "PRIVATE KEY")
    ),
    "damaged CA": Case(
        changed(ca=lambda f: f.ca.replace("MII", "MIX", 1)), ENDS, "ends", ("trusted-ca-file", "damaged")
    ),
    "empty CA file": Case(changed(ca=lambda _: ""), RUNS, "retries", ("trusted-ca-file", "empty")),
    "CA in DER": Case(changed(ca=lambda f: der(f.ca, "x509")), RUNS, "ends", ("trusted-ca-file", "DER")),
    "no clientAuth": Case(
        issued(usages=(SERVER,)),
        RUNS,
        "starts",
        ("extended key usage clientAuth", "TLS Web Server Authentication"),
    ),
    "no serverAuth": Case(
        issued(usages=(CLIENT,)), RUNS, "starts", ("extended key usage serverAuth",), one_way=True
    ),
    "for another host": Case(
        issued("192.0.2.1"), RUNS, "starts", (f"subject alternative name {ADDRESS}", "192.0.2.1")
    ),
    "common name alone": Case(
        lambda root: of(root.issue(), root),
        RUNS,
        "starts",
        (f"subject alternative name {ADDRESS}", "none"),
        one_way=True,
    ),
    "expired": Case(issued(days=(-5, -1)), RUNS, "starts", ("expired on",)),
    "not yet valid": Case(issued(days=(1, 5)), RUNS, "starts", ("not valid before",)),
    "of another CA": Case(foreign("Other"), RUNS, "starts", ("issued", "CN = Other")),
    "of another CA of the same name": Case(foreign("Root"), RUNS, "starts", ("with the same name",)),
    "intermediate CA is missing": Case(
        below(intermediate_sent=False), RUNS, "starts", ("intermediate", "CN = Intermediate")
    ),
    "issuer is no CA": Case(below(is_ca=False), RUNS, "starts", ("CA:TRUE",)),
    "intermediate CA has expired": Case(below(days=(-5, -1)), RUNS, "starts", ("expired",)),
    "intermediate CA for servers alone": Case(
        below(usages=(SERVER,)), RUNS, "starts", ("extended key usages",)
    ),
}
