"""`source`: the source tree of a package."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli import options
from builder.cli.commands.build import requested
from builder.cli.options import Invocation, pass_invocation
from builder.errors import UsageError


@click.command(cls=options.renamed("--to", "--output"))
@click.argument("version")
@click.option(
    "--output",
    "folder",
    type=options.Folder(),
    required=True,
    metavar="DIR",
    help="Folder for the tree.",
)
@options.arch
@options.source
@options.pins
@options.require_pin
@options.revision
@options.maintainer
@options.as_json
@pass_invocation
def source(
    invocation: Invocation,
    version: str,
    folder: Path,
    arches: tuple[str, ...],
    source: str | None,
    pins: str | None,
    require_pin: bool,
    revision: str,
    maintainer: str | None,
    as_json: bool,
) -> None:
    """Write a source tree that plain dpkg-buildpackage can build.

    \b
    etcd-deb source v3.6.7 --output .
    cd etcd-ha-3.6.7 && dpkg-buildpackage -b
    """
    from builder.cli import report
    from builder.pipeline import make_source

    settings = invocation.settings(source=source, pins=pins, arches=arches or None, maintainer=maintainer)
    if len(settings.arches) != 1:
        raise UsageError(
            "a source tree holds the binaries of one architecture",
            details=("expected  one architecture", f"found     {', '.join(settings.arches)}"),
            hint="name one with --arch",
        )
    progress = options.progress()
    packed, sources, pinned = requested(version, revision, settings, progress)
    choices = options.choices_of(settings, require_pin=require_pin)
    tree = make_source(packed, settings.arches, choices, sources, pinned, folder, progress)
    click.echo(report.tree_as_json(tree) if as_json else tree.root)
