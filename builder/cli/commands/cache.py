"""The commands below `cache`: what downloads take up, and removing them."""

from __future__ import annotations

import click

from builder.cli import options
from builder.cli.options import Invocation, pass_invocation
from builder.cli.usage import Group


@click.group(cls=Group)
def cache() -> None:
    """List or remove cached downloads."""


@cache.command("list")
@options.as_json
@pass_invocation
def list_(invocation: Invocation, as_json: bool) -> None:
    """List downloads with size, date of last use and path, and show the limit (cache_limit)."""
    from builder.cli import report
    from builder.release.cache import cache_folder, contents

    files, limit = contents(), invocation.settings().cache_limit
    click.echo(
        report.cache_as_json(cache_folder(), files, limit) if as_json else report.cache_as_text(files, limit)
    )


@cache.command()
@click.option(
    "--keep",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="MB",
    help="Keep the most recently used downloads, up to this size.",
)
@options.as_json
def prune(keep: int, as_json: bool) -> None:
    """Remove downloads that no running etcd-deb uses, least recently used first."""
    from builder.cli import report
    from builder.release.cache import MEGABYTE
    from builder.release.cache import prune as run_prune

    pruned = run_prune(keep * MEGABYTE)
    click.echo(report.pruned_as_json(pruned) if as_json else report.pruned_as_text(pruned))
