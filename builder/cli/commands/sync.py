"""`sync`: a suite that follows upstream."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli import options, pushing
from builder.cli.options import Invocation, pass_invocation
from builder.cli.terminal import show_error
from builder.errors import GENERAL


@click.command()
@options.repository
@options.suite
@click.option("--series", multiple=True, help="Series, such as 3.6; may be repeated. [ETCD_DEB_SERIES]")
@options.arch
@options.source
@options.pins
@options.require_pin
@options.maintainer
@options.compression
@pushing.to(required=False)
@options.as_json
@pass_invocation
def sync(
    invocation: Invocation,
    folder: Path,
    suite: str,
    series: tuple[str, ...],
    arches: tuple[str, ...],
    source: str | None,
    pins: str | None,
    require_pin: bool,
    maintainer: str | None,
    compression: str | None,
    targets: tuple[str, ...],
    endpoint_url: str | None,
    as_json: bool,
) -> int:
    """Build and publish the upstream releases that a suite lacks.

    \b
    etcd-deb sync --repo /srv/apt --suite trixie
    etcd-deb sync --repo /srv/apt --suite trixie --series 3.6 --arch all
    """
    from builder.cli import repository_report as report
    from builder.release.github import keep_advisories
    from builder.sync import mark_faults, parse_series
    from builder.sync import sync as run_sync

    settings = invocation.settings(
        series=series or None,
        arches=arches or None,
        source=source,
        pins=pins,
        maintainer=maintainer,
        compression=compression,
    )
    wanted = parse_series(settings.series)
    choices = options.choices_of(settings, require_pin=require_pin)
    sources, pinned = options.sources_of(settings), options.pins_of(settings)
    progress = options.progress()
    remotes = pushing.parse_targets(targets, endpoint_url, folder)
    repository = options.repository_at(folder)
    if sources.witness_has_tarballs:
        keep_advisories(sources.github, progress)
        mark_faults(repository, progress)
    synced = run_sync(repository, suite, wanted, settings.arches, choices, sources, pinned, progress)
    for failure in synced.failures:
        show_error(failure.error)
    pushed, well = pushing.push_to_each(repository, remotes, progress)
    click.echo(report.synced_as_json(synced, pushed) if as_json else report.synced_as_text(synced, pushed))
    return 0 if well and not synced.failures else GENERAL
