"""Releases with etcd's layout and tiny binaries: good ones, and tarballs that have to be refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from tests.support.releases.tiny_elf import MACHINES, BuildInfo, tiny_elf

# In no list of known digests, so that what a test pins is all there is.
VERSION = "3.6.99"
PROGRAMS = ("etcd", "etcdctl", "etcdutl")
MTIME = 1_700_000_000
_GIB = 1024**3


def upstream(architecture: str) -> str:
    """Upstream's spelling of a Debian architecture."""
    return "ppc64le" if architecture == "ppc64el" else architecture


def tarball_name(architecture: str = "amd64", version: str = VERSION) -> str:
    return f"etcd-v{version}-linux-{upstream(architecture)}.tar.gz"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def binaries(
    architecture: str = "amd64",
    *,
    version: str = VERSION,
    machine: int | None = None,
    padding: bytes = b"",
) -> dict[str, bytes]:
    """The three programs, saying `version`; `machine` makes them ELF of another architecture."""
    series = version.rpartition(".")[0]
    says = {
        "etcd": f"etcd Version: {version}\nGit SHA: 1f3c2ab\nGo Version: go1.24.11\n"
        f"Go OS/Arch: linux/{upstream(architecture)}\n",
        "etcdctl": f"etcdctl version: {version}\nAPI version: {series}\n",
        "etcdutl": f"etcdutl version: {version}\nAPI version: {series}\n",
    }
    return {
        name: tiny_elf(text, machine or MACHINES[architecture], _info(name, architecture), padding)
        for name, text in says.items()
    }


def _info(program: str, architecture: str) -> BuildInfo:
    folder = "server" if program == "etcd" else program
    return BuildInfo(
        package=f"go.etcd.io/etcd/{folder}/v3",
        module=f"go.etcd.io/etcd/{folder}/v3",
        version="(devel)",
        dependencies=(
            ("go.etcd.io/bbolt", "v1.4.3"),
            ("go.uber.org/zap", "v1.27.0"),
            ("google.golang.org/grpc", "v1.71.1"),
        ),
        settings=(
            ("-buildmode", "exe"),
            ("-compiler", "gc"),
            ("CGO_ENABLED", "0"),
            ("GOARCH", upstream(architecture)),
            ("GOOS", "linux"),
        ),
    )


class Tarball:
    """Members in the order given, owned by whoever ran upstream's release script."""

    def __init__(self, architecture: str = "amd64", version: str = VERSION, *, released: int = MTIME) -> None:
        self.top = f"etcd-v{version}-linux-{upstream(architecture)}"
        self._released = released
        self._out = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._out, mode="w", format=tarfile.GNU_FORMAT)  # noqa: SIM115
        self._folder(self.top)
        self.file(f"{self.top}/README.md", b"# etcd\n", mode=0o644)
        self._folder(f"{self.top}/Documentation")
        self.file(f"{self.top}/Documentation/README.md", b"See etcd.io.\n", mode=0o644)

    def programs(self, contents: Mapping[str, bytes]) -> Tarball:
        """The programs where upstream has them."""
        for name, data in contents.items():
            self.file(f"{self.top}/{name}", data)
        return self

    def file(self, name: str, data: bytes, mode: int = 0o755) -> Tarball:
        """A regular file under any name."""
        member = self._member(name, mode)
        member.size = len(data)
        self._tar.addfile(member, io.BytesIO(data))
        return self

    def with_pax(self, name: str, data: bytes, headers: Mapping[str, str]) -> Tarball:
        """A regular file with extended headers (POSIX pax), which win over its own."""
        member = self._member(name, 0o755)
        member.size, member.pax_headers = len(data), dict(headers)
        self._out.seek(self._tar.offset)
        self._out.write(
            member.tobuf(format=tarfile.PAX_FORMAT) + data + bytes(-len(data) % tarfile.BLOCKSIZE)
        )
        self._tar.offset = self._out.tell()
        return self

    def special(self, name: str, kind: bytes, target: str = "") -> Tarball:
        """A link, device or pipe (tarfile's SYMTYPE, LNKTYPE, CHRTYPE, FIFOTYPE)."""
        member = self._member(name, 0o777)
        member.type, member.linkname = kind, target
        member.devmajor, member.devminor = 1, 5
        self._tar.addfile(member)
        return self

    def _folder(self, name: str) -> None:
        member = self._member(name, 0o755)
        member.type = tarfile.DIRTYPE
        self._tar.addfile(member)

    def _member(self, name: str, mode: int) -> tarfile.TarInfo:
        member = tarfile.TarInfo(name)
        member.mode, member.mtime = mode, self._released
        member.uid = member.gid = 1000
        member.uname = member.gname = "releaser"
        return member

    def unfinished(self) -> bytes:
        """The tar archive so far, to which members can be added."""
        return self._out.getvalue()

    def raw(self) -> bytes:
        """The finished tar archive, not compressed."""
        self._tar.close()
        return self._out.getvalue()

    def gz(self) -> bytes:
        """The finished tarball."""
        return gzip.compress(self.raw(), mtime=MTIME)


def good_tarball(architecture: str = "amd64", *, padding: bytes = b"") -> bytes:
    """What upstream publishes, but small."""
    return Tarball(architecture).programs(binaries(architecture, padding=padding)).gz()


def bomb(name: str) -> bytes:
    """A good tarball whose member `name` has 10 GiB of zeros; about 10 MB."""
    programs = {program: data for program, data in binaries().items() if not name.endswith(f"/{program}")}
    start = Tarball().programs(programs).unfinished()
    member = tarfile.TarInfo(name)
    member.size, member.mode = 10 * _GIB, 0o755
    chunk = 64 * 1024**2
    # A gzip file may have many members: the same one again and again costs no time to make.
    zeros = gzip.compress(bytes(chunk), mtime=MTIME)
    header = member.tobuf(format=tarfile.GNU_FORMAT)
    end = gzip.compress(bytes(2 * tarfile.BLOCKSIZE), mtime=MTIME)
    return gzip.compress(start + header, mtime=MTIME) + zeros * (member.size // chunk) + end


def publish(root: Path, tarballs: Mapping[str, bytes], *, version: str = VERSION, sums: bool = True) -> Path:
    """Lay tarballs (architecture -> bytes) out as ROOT/vX.Y.Z/FILE with SHA256SUMS; returns ROOT."""
    folder = root / f"v{version}"
    folder.mkdir(parents=True, exist_ok=True)
    digests = {}
    for architecture, data in tarballs.items():
        name = tarball_name(architecture, version)
        (folder / name).write_bytes(data)
        digests[name] = sha256(data)
    if sums:
        (folder / "SHA256SUMS").write_text(checksum_lines(digests))
    return root


def checksum_lines(digests: Mapping[str, str]) -> str:
    """The format of sha256sum, of digests by file name."""
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items())
