"""The commands that only tell: versions, inspect, doctor."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli import options
from builder.cli.options import Invocation, pass_invocation
from builder.errors import GENERAL, NOT_COMPARED, UNVERIFIED


@click.command()
@options.source
@options.pins
@options.as_json
@pass_invocation
def versions(invocation: Invocation, source: str | None, pins: str | None, as_json: bool) -> None:
    """List the releases: date, pinned or not, supported or end of life, known faults.

    With GitHub as the source, its security advisories are read too, and kept for later builds.
    """
    from builder.cli import report
    from builder.release.advisories import known_faults, refresh
    from builder.release.listing import list_releases

    settings = invocation.settings(source=source, pins=pins)
    progress = options.progress()
    sources = options.sources_of(settings)
    found = list_releases(sources, options.pins_of(settings), progress)
    if sources.witness_has_tarballs:
        refresh(sources.github, progress)
    faults = known_faults(progress)
    click.echo(report.releases_as_json(found, faults) if as_json else report.releases_as_text(found, faults))


@click.command()
@click.argument("package", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE.deb")
@options.source
@options.pins
@click.option("--rebuild", is_flag=True, help="Build the package again, and compare every byte.")
@options.as_json
@pass_invocation
def inspect(
    invocation: Invocation,
    package: Path,
    source: str | None,
    pins: str | None,
    rebuild: bool,
    as_json: bool,
) -> int:
    """Show what a package says of itself, and compare it with the release it names.

    Without --rebuild, the programs and the list of members are compared, and the result says what was not.
    Exit status 3: something differs. Exit status 4: it could not be compared.
    """
    from builder.cli import report
    from builder.inspection.inspect import Verdict, inspect_by_rebuild
    from builder.inspection.inspect import inspect as run_inspect
    from builder.release.advisories import known_faults

    settings = invocation.settings(source=source, pins=pins)
    progress = options.progress()
    compare = inspect_by_rebuild if rebuild else run_inspect
    found = compare(package, options.sources_of(settings), options.pins_of(settings), progress)
    faults = known_faults(progress).of_package(found.version)
    click.echo(
        report.inspection_as_json(found, faults) if as_json else report.inspection_as_text(found, faults)
    )
    return {Verdict.DIFFERENT: UNVERIFIED, Verdict.UNKNOWN: NOT_COMPARED}.get(found.finding.verdict, 0)


@click.command()
@options.as_json
def doctor(as_json: bool) -> int:
    """List missing programs and how to install them.

    Exit status 1: a build does not work without one of them.
    """
    from builder.cli import report
    from builder.cli.doctor import NEEDS

    click.echo(report.needs_as_json(NEEDS) if as_json else report.needs_as_text(NEEDS))
    return GENERAL if any(need.required and need.path is None for need in NEEDS) else 0
