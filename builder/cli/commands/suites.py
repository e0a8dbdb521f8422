"""The commands below `repo` that change what a suite holds."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli import options

_folder = click.argument("folder", metavar="DIR", type=options.Folder())
_suite = click.argument("suite", type=options.SuiteName())


@click.command()
@_folder
@_suite
@click.argument("version")
@options.as_json
def remove(folder: Path, suite: str, version: str, as_json: bool) -> None:
    """Take a version, such as 3.6.7-1, out of a suite."""
    from builder.cli import repository_report as report
    from builder.repository.upkeep import remove as run_remove

    removed = run_remove(options.repository_at(folder), suite, version, options.progress())
    click.echo(report.removed_as_json(removed) if as_json else report.removed_as_text(removed))


@click.command()
@_folder
@_suite
@click.argument("version")
@options.as_json
def release(folder: Path, suite: str, version: str, as_json: bool) -> None:
    """Withhold a version no more that remove or rollback took back, so that sync and publish may bring it."""
    from builder.cli import repository_report as report
    from builder.repository.upkeep import release as run_release

    freed = run_release(options.repository_at(folder), suite, version, options.progress())
    click.echo(report.released_as_json(suite, freed) if as_json else report.released_as_text(suite, freed))


@click.command()
@_folder
@_suite
@click.option(
    "--keep",
    type=click.IntRange(1),
    required=True,
    help="Versions to keep of each component and architecture.",
)
@options.as_json
def prune(folder: Path, suite: str, keep: int, as_json: bool) -> None:
    """Take all but the newest versions out of a suite, and delete files that nothing names any more."""
    from builder.cli import repository_report as report
    from builder.repository.upkeep import prune as run_prune

    removed = run_prune(options.repository_at(folder), suite, keep, options.progress())
    click.echo(report.removed_as_json(removed) if as_json else report.removed_as_text(removed))


@click.command()
@_folder
@click.argument("source", type=options.SuiteName())
@click.argument("target", type=options.SuiteName())
@click.option("--version", help="Such as 3.6.7-1; all of the suite's by default.")
@options.as_json
def promote(folder: Path, source: str, target: str, version: str | None, as_json: bool) -> None:
    """Add the packages of SOURCE, a suite, to TARGET."""
    from builder.cli import repository_report as report
    from builder.repository.upkeep import promote as run_promote

    progress = options.progress()
    published = run_promote(options.repository_at(folder), source, target, version, progress)
    click.echo(report.published_as_json(published) if as_json else report.published_as_text(published))


@click.command(cls=options.renamed("--to", "--generation"))
@_folder
@_suite
@click.option(
    "--generation",
    "number",
    type=click.IntRange(1),
    help="One that `repo list DIR SUITE` shows as kept; the one before by default.",
)
@options.as_json
def rollback(folder: Path, suite: str, number: int | None, as_json: bool) -> None:
    """Show clients an earlier state of a suite again; what it takes back is withheld."""
    from builder.cli import repository_report as report
    from builder.repository.upkeep import rollback as run_rollback

    shown = (run_rollback(options.repository_at(folder), suite, number, options.progress()),)
    click.echo(report.generations_as_json(shown) if as_json else report.generations_as_text(shown))
