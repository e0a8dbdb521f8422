"""The commands that bring packages to a repository, and show it: publish, sync, serve."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli import options
from builder.cli.options import Invocation, pass_invocation
from builder.cli.terminal import TerminalProgress, show_error
from builder.errors import GENERAL

_repo = click.option(
    "--repo", "folder", metavar="DIR", required=True, type=click.Path(path_type=Path), help="The repository."
)
_suite = click.option("--suite", required=True, help="The suite, such as trixie.")


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@_repo
@_suite
@click.option("--component", help="By default the series of the version, such as 3.6.")
@options.as_json
@pass_invocation
def publish(
    invocation: Invocation,
    files: tuple[Path, ...],
    folder: Path,
    suite: str,
    component: str | None,
    as_json: bool,
) -> None:
    """Publish packages in a signed apt repository.

    FILE is a .changes or a .deb.

    \b
    etcd-deb repo init /srv/apt --suite trixie --new-key --url http://apt.example.org
    etcd-deb publish dist/*.changes --repo /srv/apt --suite trixie
    """
    from builder.cli import repository_report as report
    from builder.repository.publish import publish as run_publish

    progress = TerminalProgress(verbose=invocation.verbose)
    published = run_publish(options.repository_at(folder), suite, files, component, progress)
    click.echo(report.published_as_json(published) if as_json else report.published_as_text(published))


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
    as_json: bool,
) -> int:
    """Build and publish what upstream has released and the suite lacks.

    \b
    etcd-deb sync --repo /srv/apt --suite trixie
    etcd-deb sync --repo /srv/apt --suite trixie --series 3.6 --arch all
    """
    from builder.cli import repository_report as report
    from builder.repository.sync import Wanted, parse_series
    from builder.repository.sync import sync as run_sync

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
    progress = TerminalProgress(verbose=invocation.verbose)
    synced = run_sync(options.repository_at(folder), suite, wanted, sources, pinned, progress)
    for failure in synced.failures:
        show_error(failure.error)
    click.echo(report.synced_as_json(synced) if as_json else report.synced_as_text(synced))
    return GENERAL if synced.failures else 0


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one."
)
@click.option("--address", default="127.0.0.1", show_default=True, help="Where to listen.")
def serve(folder: Path, port: int, address: str) -> None:
    """Serve a repository on loopback, for trying it out."""
    from builder.repository.serve import serve as run_serve

    run_serve(options.repository_at(folder).root, address, port, click.echo)
