"""`versions`: which releases there are."""

from __future__ import annotations

import click

from builder.cli import options
from builder.cli.options import Invocation, pass_invocation


@click.command()
@options.source
@options.pins
@options.as_json
@pass_invocation
def versions(invocation: Invocation, source: str | None, pins: str | None, as_json: bool) -> None:
    """List the releases: date, pinned or not, supported or end of life, known faults.

    If the source is GitHub, also read its security advisories and keep them for later builds.
    """
    from builder.advisories import known_faults
    from builder.cli import report
    from builder.release.github import keep_advisories
    from builder.release.listing import list_releases

    settings = invocation.settings(source=source, pins=pins)
    progress = options.progress()
    sources = options.sources_of(settings)
    found = list_releases(sources, options.pins_of(settings), progress)
    if sources.witness_has_tarballs:
        keep_advisories(sources.github, progress)
    faults = known_faults(progress)
    click.echo(report.releases_as_json(found, faults) if as_json else report.releases_as_text(found, faults))
