"""`pin`: a release's digests, recorded."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli import options
from builder.cli.options import Invocation, pass_invocation
from builder.version import parse_version


@click.command()
@click.argument("version")
@options.source
@options.pins
@options.as_json
@pass_invocation
def pin(invocation: Invocation, version: str, source: str | None, pins: str | None, as_json: bool) -> None:
    """Record a release's digests if two witnesses agree on them.

    The digests go to the list that --pins names, or to your own list next to your settings.

    \b
    etcd-deb pin v3.6.7 --pins conf/SHA256SUMS
    """
    from builder.cli import report
    from builder.release.checksums import format_checksums
    from builder.release.keep import pin_release
    from builder.release.listing import resolve
    from builder.release.pins import own_list

    settings = invocation.settings(source=source, pins=pins)
    asked = parse_version(version)
    sources = options.sources_of(settings)
    progress = options.progress()
    pin_list = Path(settings.pins) if settings.pins else own_list()
    digests = pin_release(resolve(asked, sources, progress), sources, pin_list, progress)
    progress.step(f"recorded in {pin_list}")
    click.echo(
        report.pinned_as_json(pin_list, digests) if as_json else format_checksums(digests).rstrip("\n")
    )
