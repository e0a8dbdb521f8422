"""`fetch`: a release in a folder that `--source` serves."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli import options
from builder.cli.options import Invocation, pass_invocation
from builder.version import parse_version


@click.command(cls=options.renamed("--to", "--output"))
@click.argument("version")
@click.option(
    "--output",
    "folder",
    type=options.Folder(),
    required=True,
    metavar="DIR",
    help="Folder to fill.",
)
@options.arch
@options.source
@options.pins
@options.as_json
@pass_invocation
def fetch(
    invocation: Invocation,
    version: str,
    folder: Path,
    arches: tuple[str, ...],
    source: str | None,
    pins: str | None,
    as_json: bool,
) -> None:
    """Fetch and verify a release for later offline builds with --source DIR.

    \b
    etcd-deb fetch v3.6.7 --arch all --output /srv/releases
    etcd-deb build v3.6.7 --source /srv/releases
    """
    from builder.cli import report
    from builder.release.keep import keep_release
    from builder.release.listing import resolve

    settings = invocation.settings(source=source, pins=pins, arches=arches or None)
    asked = parse_version(version)
    sources, pinned = options.sources_of(settings), options.pins_of(settings)
    progress = options.progress()
    found = resolve(asked, sources, progress)
    kept = keep_release(found, settings.arches, sources, pinned, folder, progress)
    click.echo(report.kept_as_json(kept) if as_json else report.kept_as_text(kept))
