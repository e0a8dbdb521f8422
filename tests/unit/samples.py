"""A release of a few kilobytes, taken through the stages of a build without a network."""

from __future__ import annotations

from pathlib import Path

from builder.package.examine import ExaminedBinaries, examine
from builder.package.unpack import unpack
from builder.release.fetch import Fetched, Hearing, Sources, Testimony
from builder.release.github import GitHub
from builder.release.origin import FolderOrigin, Origin, ReleaseFile, RemoteOrigin
from builder.release.pins import Pin, Pins
from builder.release.verify import VerifiedTarball, verify
from builder.system.progress import Progress
from builder.version import Architecture, UpstreamVersion, parse_version
from tests.support.releases.fake_release import Tarball, binaries, sha256

NO_WORDS = Hearing()


def version(text: str) -> UpstreamVersion:
    """A full version."""
    parsed = parse_version(text)
    assert isinstance(parsed, UpstreamVersion)
    return parsed


FILE = ReleaseFile(version("3.6.99"), Architecture.AMD64)
PIN_LIST = Path("/lists/SHA256SUMS")
URL = f"https://releases.invalid/v3.6.99/{FILE.name}"


def word_of(witness: str, digest: str, name: str = FILE.name) -> Testimony:
    """A witness that names one file."""
    return Testimony(witness, "SHA256SUMS", f"{digest}  {name}\n")


def arrived(
    folder: Path, content: bytes, hearing: Hearing = NO_WORDS, file: ReleaseFile = FILE, url: str = URL
) -> Fetched:
    """A tarball as fetch() hands it on."""
    path = folder / file.name
    path.write_bytes(content)
    return Fetched(file, path, url, hearing, in_cache=False)


def pinning(digest: str, file: ReleaseFile = FILE) -> Pins:
    """One pin."""
    return Pins({file.name: Pin(digest, PIN_LIST)})


def verified(folder: Path, content: bytes, file: ReleaseFile = FILE, url: str = URL) -> VerifiedTarball:
    """A tarball that its pin vouches for."""
    fetched = arrived(folder, content, file=file, url=url)
    return verify(fetched, pinning(sha256(content), file), folder / "work", require_pin=True)


def examined(
    folder: Path, text: str = "3.6.99", architecture: Architecture = Architecture.ARM64, url: str = URL
) -> ExaminedBinaries:
    """The tiny programs of a release, looked at; those of arm64 are not run."""
    release = version(text)
    programs = binaries(architecture, version=text)
    wanted = {name: programs[name] for name in release.programs}
    content = Tarball(architecture, text).programs(wanted).gz()
    folder.mkdir(exist_ok=True)
    tarball = verified(folder, content, ReleaseFile(release, architecture), url)
    return examine(unpack(tarball, folder / "unpacked", Progress()), Progress())


def sources(
    origin: Origin,
    *,
    witness: str = "https://witness.invalid",
    api: str = "https://api.invalid",
    default: bool = False,
) -> Sources:
    """Where to ask. default: the origin stands for GitHub's own downloads."""
    return Sources(
        origin=origin,
        witness=RemoteOrigin(witness),
        github=GitHub(RemoteOrigin(api), timeout=5),
        timeout=5,
        witness_has_tarballs=default,
        cache_limit=10**9,
    )


def folder_sources(folder: Path) -> Sources:
    """A folder, and nobody else."""
    return sources(FolderOrigin(folder))


class Heard(Progress):
    """Progress that remembers the steps."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[str] = []

    def step(self, message: str) -> None:
        self.steps.append(message)
