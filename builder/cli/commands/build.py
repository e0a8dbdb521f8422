"""`build`: packages of a release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from builder.cli import options
from builder.cli.options import Invocation, pass_invocation
from builder.settings import Settings
from builder.system.progress import Progress
from builder.version import PackageVersion, parse_revision, parse_version

if TYPE_CHECKING:
    # Loading these takes longer than all of `etcd-deb --help` may.
    from builder.release.fetch import Sources
    from builder.release.pins import Pins


@click.command()
@click.argument("version")
@options.arch
@options.source
@options.pins
@options.require_pin
@options.revision
@options.maintainer
@options.compression
@click.option(
    "--output",
    metavar="DIR",
    type=options.Folder(),
    help="Folder for the packages. Default: dist. [ETCD_DEB_OUTPUT]",
)
@click.option("--key", metavar="KEYID", help="OpenPGP key that signs .changes. [ETCD_DEB_KEY]")
@options.as_json
@pass_invocation
def build(
    invocation: Invocation,
    version: str,
    arches: tuple[str, ...],
    source: str | None,
    pins: str | None,
    require_pin: bool,
    revision: str,
    maintainer: str | None,
    compression: str | None,
    output: Path | None,
    key: str | None,
    as_json: bool,
) -> None:
    """Build the packages of a release.

    VERSION is v3.6.7, 3.6.7, 3.6 (its newest release), latest, or v3.7.0-rc.0.

    \b
    etcd-deb build v3.6.7
    etcd-deb build v3.6.7 --arch arm64 --compression zstd
    etcd-deb build v3.6.7 --source /srv/releases --require-pin
    """
    from builder.cli import report
    from builder.pipeline import build as run_build

    settings = invocation.settings(
        source=source,
        pins=pins,
        arches=arches or None,
        maintainer=maintainer,
        compression=compression,
        output=None if output is None else str(output),
        key=key,
    )
    progress = options.progress()
    packed, sources, pinned = requested(version, revision, settings, progress)
    choices = options.choices_of(settings, require_pin=require_pin)
    built = run_build(packed, settings.arches, choices, sources, pinned, Path(settings.output), progress)
    click.echo(report.built_as_json(built) if as_json else report.built_as_text(built))


def requested(
    version: str, revision: str, settings: Settings, progress: Progress
) -> tuple[PackageVersion, Sources, Pins]:
    """The version that `build` and `source` were asked for, and where they look for it."""
    from builder.release.listing import resolve

    asked, revision = parse_version(version), parse_revision(revision)
    sources, pinned = options.sources_of(settings), options.pins_of(settings)
    return PackageVersion(resolve(asked, sources, progress), revision), sources, pinned
