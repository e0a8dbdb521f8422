"""`inspect`: a package against the release that it names."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli import options
from builder.cli.options import Invocation, pass_invocation
from builder.errors import NOT_COMPARED, UNVERIFIED


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
    """Show what a package says about itself, and compare it with its release.

    Without --rebuild, compare only the programs and the file list, and say what was not compared.
    Exit status 3: something differs. Exit status 4: the package could not be compared.
    """
    from builder.advisories import known_faults
    from builder.cli import report
    from builder.inspection.inspect import Verdict, inspect_by_rebuild
    from builder.inspection.inspect import inspect as run_inspect

    settings = invocation.settings(source=source, pins=pins)
    progress = options.progress()
    compare = inspect_by_rebuild if rebuild else run_inspect
    found = compare(package, options.sources_of(settings), options.pins_of(settings), progress)
    faults = known_faults(progress).of_package(found.version)
    click.echo(
        report.inspection_as_json(found, faults) if as_json else report.inspection_as_text(found, faults)
    )
    return {Verdict.DIFFERENT: UNVERIFIED, Verdict.UNKNOWN: NOT_COMPARED}.get(found.finding.verdict, 0)
