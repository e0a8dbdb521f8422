"""`publish`: packages into a repository."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli import options, pushing
from builder.errors import GENERAL


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.repository
@options.suite
@click.option("--component", help="Default: the series of the version, such as 3.6.")
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

    FILE is a .changes or .deb file.

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
