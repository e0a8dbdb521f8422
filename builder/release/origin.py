"""Which files a release consists of, and where they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from builder.errors import UsageError
from builder.version import Architecture, UpstreamVersion

CHECKSUMS = "SHA256SUMS"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """The tarball of one version for one architecture (etcd: scripts/build-binary.sh)."""

    version: UpstreamVersion
    architecture: Architecture

    @property
    def directory(self) -> str:
        """The tarball's one top directory."""
        return f"etcd-{self.version.tag}-linux-{self.architecture.upstream}"

    @property
    def name(self) -> str:
        return f"{self.directory}.tar.gz"


@dataclass(frozen=True, slots=True)
class RemoteOrigin:
    """A web server that has releases at BASE/vX.Y.Z/FILE."""

    base: str

    def url(self, version: UpstreamVersion, name: str) -> str:
        return f"{self.base}/{version.tag}/{name}"

    @property
    def host(self) -> str:
        return urlsplit(without_login(self.base)).netloc

    @property
    def server(self) -> tuple[str, int]:
        """Host and port, the same for each spelling of them; 0 for http's and https's own port."""
        parts = urlsplit(self.base)
        host = (parts.hostname or "").encode("idna").decode().lower().removesuffix(".")
        if ":" in host:
            host = str(ip_address(host))
        port = parts.port or 0
        return host, 0 if port == _PORTS[parts.scheme] else port

    def is_same(self, other: RemoteOrigin) -> bool:
        """Whether both are the same place, whatever their spelling and login."""
        return (self.server, _place(self.base)) == (other.server, _place(other.base))

    def __str__(self) -> str:
        return self.host


@dataclass(frozen=True, slots=True)
class FolderOrigin:
    """A folder that has releases at FOLDER/vX.Y.Z/FILE; no network is used with it."""

    folder: Path

    def path(self, version: UpstreamVersion, name: str) -> Path:
        return self.folder / version.tag / name

    def __str__(self) -> str:
        return str(self.folder)


Origin = RemoteOrigin | FolderOrigin


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, re.sub("/+", "/", unquote(parts.path)).rstrip("/")


def without_login(url: str) -> str:
    """The URL as it may be shown and kept: without the name and password that a mirror may want."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def parse_source(text: str) -> Origin:
    """The origin that `--source` names: https://, http://, file: or a folder. Raises UsageError."""
    try:
        parts = urlsplit(text)
        if (
            parts.scheme in ("http", "https")
            and _is_host(parts.hostname or "", parts.port)
            and text.isprintable()
        ):
            return RemoteOrigin(parts.scheme + text[len(parts.scheme) :].rstrip("/"))
    except ValueError:
        # A host in brackets that is no IPv6 address, or a port that is none.
        parts = urlsplit("")
    folder = unquote(parts.path) if parts.scheme == "file" else text
    if parts.scheme == "file" and folder and "\0" not in folder:
        return FolderOrigin(Path(folder))
    if "://" in text or not text or "\0" in folder or text.startswith(("http:", "https:", "file:")):
        raise UsageError(
            f"{text!r} is not a source of releases",
            details=("expected  https://…, http://…, file:/… or a folder",),
            hint="name the folder or URL above v3.6.7/",
        )
    return FolderOrigin(Path(text))


def _is_host(name: str, port: int | None) -> bool:
    """Whether a resolver takes the name: labels of 63 characters, 253 in all (RFC 1035)."""
    try:
        encoded = name.encode("idna")
    except UnicodeError:
        return False
    return 0 < len(encoded) <= 253 and not re.search(rb"[^A-Za-z0-9._:-]", encoded) and port != 0


def parse_https(text: str, setting: str) -> RemoteOrigin:
    """An origin that must be https, since the user didn't give it as a source. Raises UsageError."""
    origin = parse_source(text) if text.lower().startswith("https://") else None
    if not isinstance(origin, RemoteOrigin):
        raise UsageError(
            f"setting {setting!r} is not an https URL",
            details=(f"found     {text}",),
            hint="plain http is accepted only for --source",
        )
    return origin
