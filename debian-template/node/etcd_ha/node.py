"""The cluster of this node, from the node's own files."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from etcd_ha.check.expected import Expected, KnownFault, ServerFiles
from etcd_ha.check.finding import Command
from etcd_ha.connection import split
from etcd_ha.errors import EtcdHaError
from etcd_ha.identity import Identity, read_user

_HEADER = re.compile(r"# Known faults of etcd v(\S+) as of ")
_AUTHENTICATE = r"printf 'USER:PASSWORD\n' | install -m 0600 /dev/stdin {}; etcd-ha check"
_TLS, _PEER_TLS = "client-transport-security", "peer-transport-security"


class Configuration:
    """etcd.yaml, read by `etcd-ha config get`."""

    def __init__(self, program: str, environment: Mapping[str, str]) -> None:
        self._program, self._environment = program, environment

    def get(self, key: str) -> str | None:
        """A value; None if it is absent or empty. Raises EtcdHaError if it can't be read."""
        done = subprocess.run(
            ["sh", self._program, "get", key],
            capture_output=True,
            text=True,
            check=False,
            env=self._environment,
        )
        if done.returncode == 0:
            return done.stdout.rstrip("\n") or None
        if done.returncode == 1:
            return None
        said = " ".join(done.stderr.split()) or f"status {done.returncode}"
        raise EtcdHaError(
            f"{key} can't be read", details=(f"found     {said}",), hint="etcd-ha config lint, as root"
        )


def expected_of(environment: Mapping[str, str]) -> Expected:
    """What this node's files define. ETCDCTL_CACERT, _CERT, _KEY and _USER win. Raises EtcdHaError."""
    commands = Path(environment.get("ETCD_HA_COMMANDS", "/usr/lib/etcd-ha"))
    configuration = Configuration(str(commands / "config"), environment)
    credentials = environment.get("CREDENTIALS", "/etc/etcd/credentials")
    urls = split(configuration.get("advertise-client-urls"))
    if not urls:
        raise EtcdHaError(
            "etcd.yaml has no advertise-client-urls", hint="dpkg-reconfigure etcd-ha, or write the file"
        )
    peer_urls = split(configuration.get("initial-advertise-peer-urls"))
    user = environment.get("ETCDCTL_USER") or (read_user(credentials) if Path(credentials).exists() else None)
    return Expected(
        urls=urls,
        listened=_listened(configuration),
        entries=_entries(urls[0], configuration.get("initial-cluster")),
        identity=Identity(*_files(configuration, environment, urls), user),
        members=None,
        faults_of=read_faults(Path(environment.get("ETCD_HA_FAULTS", "/usr/share/etcd-ha/known-faults"))),
        renew=Command(
            "etcd-deb cluster certs FILE --renew --output DIR", "the machine with the cluster's FILE"
        ),
        present=Command("ETCDCTL_CERT=FILE ETCDCTL_KEY=FILE etcd-ha check", "this machine"),
        authenticate=Command(_AUTHENTICATE.format(credentials), "this machine"),
        own=configuration.get("name") or "",
        files=(*_presented(configuration, _TLS, urls), *_presented(configuration, _PEER_TLS, peer_urls)),
        peer_authority=configuration.get(f"{_PEER_TLS}.trusted-ca-file") if _has_tls(peer_urls) else None,
    )


def _has_tls(urls: tuple[str, ...]) -> bool:
    return any(url.startswith("https:") for url in urls)


def _presented(configuration: Configuration, section: str, urls: tuple[str, ...]) -> tuple[ServerFiles, ...]:
    """The files of a section of etcd.yaml, if it has them; etcd's working directory is /."""
    if not _has_tls(urls):
        return ()
    certificate, key, authority, other = (
        configuration.get(f"{section}.{name}-file") for name in ("cert", "key", "trusted-ca", "client-cert")
    )
    if not certificate or not key:
        return ()
    # With a CA, members demand certificates as with client-cert-auth.
    demands = bool(authority) or configuration.get(f"{section}.client-cert-auth") == "true"
    hosts = [host for url in urls if (host := urlsplit(url).hostname)]
    return (
        ServerFiles(
            certificate=str(Path("/", certificate)),
            key=str(Path("/", key)),
            authority=str(Path("/", authority)) if authority else None,
            hosts=tuple(hosts),
            is_client=demands and not other,
            is_chained=section == _PEER_TLS or (demands and not other),
        ),
    )


def _files(
    configuration: Configuration, environment: Mapping[str, str], urls: tuple[str, ...]
) -> tuple[str | None, str | None, str | None]:
    """The CA, certificate and key of a client of this node."""
    # While TLS is being turned on or off, a member listens with https before it advertises it.
    if not _has_tls((*urls, *split(configuration.get("listen-client-urls")))):
        return None, None, None
    authority = environment.get("ETCDCTL_CACERT") or configuration.get(f"{_TLS}.trusted-ca-file")
    if environment.get("ETCDCTL_CERT"):
        return authority, environment["ETCDCTL_CERT"], environment.get("ETCDCTL_KEY")
    for name in ("client-cert", "cert"):
        certificate = configuration.get(f"{_TLS}.{name}-file")
        key = configuration.get(f"{_TLS}.{name.removesuffix('cert')}key-file")
        if certificate and key and os.access(key, os.R_OK):
            return authority, certificate, key
    return authority, None, None


def _listened(configuration: Configuration) -> tuple[str, ...]:
    """Where this node's own member may answer, if it advertises something else."""
    urls = [
        url
        for key in ("listen-client-urls", "listen-client-http-urls")
        for url in split(configuration.get(key))
    ]
    return tuple(url for url in urls if urlsplit(url).hostname not in ("0.0.0.0", "::"))  # noqa: S104 - read


def _entries(own_url: str, initial_cluster: str | None) -> tuple[str, ...]:
    """Where other initial members may answer: with this member's port and scheme."""
    own = urlsplit(own_url)
    hosts = [urlsplit(url).hostname for entry in split(initial_cluster) if (url := entry.partition("=")[2])]
    shown = [f"[{host}]" if ":" in host else host for host in hosts if host]
    return tuple(f"{own.scheme}://{host}:{own.port or 2379}" for host in shown)


def read_faults(file: Path) -> Callable[[str], tuple[KnownFault, ...] | None]:
    """The known faults of a version, if the file of this package has them."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    header = _HEADER.match(lines[0]) if lines else None
    rows = [line.split("|") for line in lines[1:] if line.count("|") == 2]
    known = (
        {header.group(1): tuple(KnownFault(what, source, fixed) for fixed, what, source in rows)}
        if header
        else {}
    )
    return known.get
