"""The certificates of this node: what etcd.yaml names, or the places that cluster.yaml and debconf use."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from etcd_ha.errors import EtcdHaError
from etcd_ha.keeper.here import Here

FOLDER = "/etc/etcd/tls"
CLIENTS, MEMBERS = "client-transport-security", "peer-transport-security"
PARTS = ("cert-file", "key-file", "trusted-ca-file", "client-cert-auth")
_AUTOMATIC = (f"{CLIENTS}.auto-tls", f"{MEMBERS}.auto-tls")
_VALUES = 'LIB=$1; . "$LIB/yaml.sh"; shift; yaml_values "$@"'
TLS_KEYS = tuple(f"{block}.{part}" for block in (CLIENTS, MEMBERS) for part in PARTS)


@dataclass(frozen=True, slots=True)
class Files:
    """settings: keys of etcd.yaml with TLS; a block that names a certificate is left alone."""

    settings: Mapping[str, str]
    certificate: str
    key: str
    authority: str | None
    members_authority: str | None

    @property
    def trusted(self) -> str:
        """A digest of the CA file for members; empty where it is the system's. Raises EtcdHaError."""
        if not self.members_authority:
            return ""
        try:
            return hashlib.sha256(Path(self.members_authority).read_bytes()).hexdigest()
        except OSError as error:
            raise EtcdHaError(
                f"{self.members_authority} can't be read", details=(f"found     {error}",)
            ) from error


def values_of(here: Here, keys: Sequence[str]) -> dict[str, str]:
    """Those of etcd.yaml that it has, read in one pass. Raises EtcdHaError where one can't be read."""
    library = here.environment.get("ETCD_HA_LIB", "/usr/lib/etcd-ha/lib")
    file = here.environment.get("CONFIG", "/etc/etcd/etcd.yaml")
    done = subprocess.run(
        ["sh", "-c", _VALUES, "sh", library, file, *keys],
        check=False, capture_output=True, text=True, env=dict(here.environment),
    )  # fmt: skip
    rows = [line.split("\t", 2) for line in done.stdout.splitlines()]
    unread = [row[2] for row in rows if row[0] == "2"] or ([done.stdout.strip()] if done.returncode else [])
    if unread or len(rows) != len(keys):
        raise EtcdHaError(
            "etcd.yaml can't be read", details=(f"found     {'; '.join(unread)}",), hint="etcd-ha config lint"
        )
    return {key: value for status, key, value in rows if status == "0" and value}


def files_of(here: Here) -> Files:
    """Those of this node. Raises EtcdHaError."""
    folder = Path(here.environment.get("ETCD_HA_TLS", FOLDER))
    peer = "peer" if (folder / "peer.crt").exists() else "server"
    now = values_of(here, (*TLS_KEYS, *_AUTOMATIC))
    settings = {**_block(now, CLIENTS, folder, "server"), **_block(now, MEMBERS, folder, peer)}
    return Files(
        settings,
        settings[f"{CLIENTS}.cert-file"],
        settings[f"{CLIENTS}.key-file"],
        settings.get(f"{CLIENTS}.trusted-ca-file"),
        settings.get(f"{MEMBERS}.trusted-ca-file"),
    )


def _block(now: Mapping[str, str], block: str, folder: Path, name: str) -> dict[str, str]:
    if now.get(f"{block}.auto-tls") == "true":
        raise EtcdHaError(
            f"etcd.yaml has {block}.auto-tls, so etcd makes certificates that nobody can verify",
            hint=f"etcd-ha config unset {block}.auto-tls",
        )
    if now.get(f"{block}.cert-file"):
        return {key: now[key] for part in PARTS if now.get(key := f"{block}.{part}")}
    values = (f"{folder}/{name}.crt", f"{folder}/{name}.key", f"{folder}/ca.crt", "true")
    return {f"{block}.{part}": value for part, value in zip(PARTS, values, strict=True)}


def judge(here: Here, settings: Mapping[str, str]) -> None:
    """Judge etcd.yaml with these settings, as before a start. Raises EtcdHaError that names each fault."""
    file = Path(here.environment.get("CONFIG", "/etc/etcd/etcd.yaml"))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "etcd.yaml")
        copy.write_bytes(file.read_bytes())
        elsewhere = {**here.environment, "CONFIG": str(copy), "BACKUPS": folder}
        words = [word for pair in settings.items() for word in pair]
        done = _config(here, elsewhere, "set", *words)
        said = done.stderr.splitlines()
        if not done.returncode and (said := _config(here, elsewhere, "lint", str(copy)).stdout.splitlines()):
            copy.write_bytes(file.read_bytes())
            before = _config(here, elsewhere, "lint", str(copy)).stdout.splitlines()
            said = [one for one in said if one not in before]
    if said:
        raise EtcdHaError(
            "with TLS, this member would not work; nothing was changed",
            details=tuple(f"found     {one.removeprefix('etcd-ha: error: ')}" for one in said),
            hint=f"the node's certificates belong into {FOLDER}: server.crt, server.key, peer.crt, peer.key, "
            "ca.crt",
        )


def _config(here: Here, environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(here.commands / "config"), *words],
        check=False, capture_output=True, text=True, env=dict(environment),
    )  # fmt: skip
