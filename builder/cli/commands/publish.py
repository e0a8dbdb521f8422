"""The commands that bring packages to a repository, and show it: publish, sync, serve."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli import options, pushing
from builder.cli.options import Invocation, pass_invocation
from builder.cli.terminal import show_error
from builder.errors import GENERAL

_repo = click.option(
    "--repo", "folder", metavar="DIR", required=True, type=options.Folder(), help="The repository."
)
_suite = click.option("--suite", required=True, type=options.SuiteName(), help="The suite, such as trixie.")


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@_repo
@_suite
@click.option("--component", help="By default the series of the version, such as 3.6.")
@pushing.to(required=False)
@options.as_json
def publish(
    files: tuple[Path, ...],
    folder: Path,
    suite: str,
    component: str | None,
    targets: tuple[str, ...],
    endpoint_url: str | None,
    as_json: bool,
) -> int:
    """Publish packages in a signed apt repository.

    FILE is a .changes or a .deb.

    \b
    etcd-deb repo init /srv/apt --suite trixie --new-key --url http://apt.example.org
    etcd-deb publish dist/*.changes --repo /srv/apt --suite trixie
    etcd-deb publish dist/*.changes --repo /srv/apt --suite trixie --to s3://apt.example.org/debian
    """
    from builder.cli import repository_report as report
    from builder.repository.publish import publish as run_publish

    progress = options.progress()
    remotes = pushing.parse_targets(targets, endpoint_url, folder)
    repository = options.repository_at(folder)
    published = run_publish(repository, suite, files, component, progress)
    pushed, well = pushing.push_to_each(repository, remotes, progress)
    click.echo(
        report.published_as_json(published, pushed)
        if as_json
        else report.published_as_text(published, pushed)
    )
    return 0 if well else GENERAL


@click.command()
@_repo
@_suite
@click.option("--series", multiple=True, help="Such as 3.6; may be repeated. [ETCD_DEB_SERIES]")
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
    """Build and publish what upstream has released and the suite lacks.

    \b
    etcd-deb sync --repo /srv/apt --suite trixie
    etcd-deb sync --repo /srv/apt --suite trixie --series 3.6 --arch all
    """
    from builder.cli import repository_report as report
    from builder.release.advisories import refresh
    from builder.sync import Wanted, mark_faults, parse_series
    from builder.sync import sync as run_sync

    settings = invocation.settings(
        series=series or None,
        arches=arches or None,
        source=source,
        pins=pins,
        maintainer=maintainer,
        compression=compression,
    )
    wanted = Wanted(
        series=parse_series(settings.series),
        architectures=settings.arches,
        maintainer=settings.maintainer,
        require_pin=require_pin,
        compression=settings.compression,
        key=settings.key,
    )
    sources, pinned = options.sources_of(settings), options.pins_of(settings)
    progress = options.progress()
    remotes = pushing.parse_targets(targets, endpoint_url, folder)
    repository = options.repository_at(folder)
    if sources.witness_has_tarballs:
        refresh(sources.github, progress)
        mark_faults(repository, progress)
    synced = run_sync(repository, suite, wanted, sources, pinned, progress)
    for failure in synced.failures:
        show_error(failure.error)
    pushed, well = pushing.push_to_each(repository, remotes, progress)
    click.echo(report.synced_as_json(synced, pushed) if as_json else report.synced_as_text(synced, pushed))
    return 0 if well and not synced.failures else GENERAL


@click.command()
@click.argument("folder", metavar="DIR", type=options.Folder())
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one."
)
@click.option("--address", default="127.0.0.1", show_default=True, help="Where to listen.")
def serve(folder: Path, port: int, address: str) -> None:
    """Serve what a repository publishes on loopback, for trying it out."""
    from builder.repository.serve import serve as run_serve

    run_serve(options.repository_at(folder).root, address, port, click.echo)
