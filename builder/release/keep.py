"""Keeping a release for later: its files in a folder that `--source` serves, its digests as pins."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from builder.errors import NoSuchRelease, VerificationFailed
from builder.release.checksums import parse_checksums
from builder.release.fetch import Sources, fetch, hear
from builder.release.origin import ReleaseFile
from builder.release.pins import Pins, record_pins
from builder.release.verify import agreed_digest, verify
from builder.system.files import replacing, work_folder
from builder.system.progress import Progress
from builder.version import Architecture, UpstreamVersion


def keep_release(
    version: UpstreamVersion,
    architectures: Sequence[Architecture],
    sources: Sources,
    pins: Pins,
    folder: Path,
    progress: Progress,
) -> tuple[Path, ...]:
    """The release's tarballs below folder, verified, with what the witnesses said beside them.

    Raises what fetch() and verify() raise; nothing is kept that was not verified.
    """
    kept: list[Path] = []
    target = folder / version.tag
    for architecture in architectures:
        fetched = fetch(ReleaseFile(version, architecture), sources, progress, witnesses=True)
        with work_folder(progress) as work:
            try:
                verified = verify(fetched, pins, work, require_pin=False)
            except VerificationFailed:
                fetched.discard()
                raise
            for testimony in fetched.hearing.testimonies:
                with replacing(target / testimony.file, f"keeping {testimony.file}") as out:
                    out.write(testimony.checksums.encode())
            path = target / verified.file.name
            with verified.path.open("rb") as source, replacing(path, f"keeping {path.name}") as out:
                shutil.copyfileobj(source, out, 1024 * 1024)
        kept.append(path)
    return tuple(kept)


def pin_release(
    version: UpstreamVersion, sources: Sources, pin_list: Path, progress: Progress
) -> Mapping[str, str]:
    """The digests of the release's tarballs, once two witnesses agreed on each, recorded in a list of pins.

    Raises VerificationFailed where they don't agree, and where the list has another digest already.
    """
    hearing = hear(version, sources, progress)
    named = {
        name
        for testimony in hearing.testimonies
        for name in parse_checksums(testimony.checksums, testimony.witness)
    }
    files = [ReleaseFile(version, architecture) for architecture in Architecture]
    digests = {file.name: agreed_digest(file.name, hearing)[0] for file in files if file.name in named}
    if not digests:
        raise NoSuchRelease(
            f"no witness lists a tarball of etcd {version.tag}",
            details=tuple(hearing.silent),
            hint="etcd-deb versions lists the releases",
        )
    record_pins(pin_list, digests)
    return digests
