"""The commands below `repo`, which make and keep a repository."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli import options, pushing
from builder.cli.terminal import say
from builder.cli.usage import Group
from builder.errors import GENERAL, UNVERIFIED

_folder = click.argument("folder", metavar="DIR", type=options.Folder())
_suite = click.argument("suite", type=options.SuiteName())


@click.group(cls=Group)
def repo() -> None:
    """Create and maintain a signed apt repository.

    \b
    etcd-deb repo init /srv/apt --suite trixie --new-key --url http://apt.example.org
    etcd-deb repo list /srv/apt
    """


@repo.command("init")
@_folder
@click.option("--suite", "suites", multiple=True, help="Suite to create; may be repeated.")
@click.option("--key", metavar="FPR", help="OpenPGP key to sign with.")
@click.option("--new-key", is_flag=True, help="Make an ed25519 key without a passphrase.")
@click.option("--gnupg-home", metavar="DIR", help="GNUPGHOME that has the key; outside the repository.")
@click.option("--url", help="Where clients will find the repository.")
@click.option("--origin", help="Origin and Label of the Release files. Default: etcd-ha.")
@click.option(
    "--valid-days",
    type=click.IntRange(0),
    help="Days until Valid-Until, at most 3650. Default: 0, no Valid-Until.",
)
@options.as_json
def init(
    folder: Path,
    suites: tuple[str, ...],
    key: str | None,
    new_key: bool,
    gnupg_home: str | None,
    url: str | None,
    origin: str | None,
    valid_days: int | None,
    as_json: bool,
) -> None:
    """Create a repository, or change one.

    Print the fingerprint of the key, and the path of the .sources file of each suite.
    """
    from builder.cli import repository_report as report
    from builder.repository.create import Wishes, create

    wishes = Wishes(
        suites=suites,
        key=key,
        new_key=new_key,
        gnupg_home=gnupg_home,
        url=url,
        origin=origin,
        valid_days=valid_days,
    )
    repository = create(folder, wishes, options.progress())
    click.echo(report.made_as_json(repository) if as_json else report.made_as_text(repository))


@repo.command("list")
@_folder
@click.argument("suite", required=False, type=options.SuiteName())
@options.as_json
def list_(folder: Path, suite: str | None, as_json: bool) -> None:
    """List suites with their packages and withheld versions; for one SUITE, also files and generations."""
    from builder.cli import repository_report as report
    from builder.repository.look import look, look_at

    repository = options.repository_at(folder)
    if suite is None:
        suites = look(repository)
        click.echo(report.suites_as_json(suites) if as_json else report.suites_as_text(suites))
    else:
        one = look_at(repository, suite)
        click.echo(report.suites_as_json((one,)) if as_json else report.suite_as_text(one))


@repo.command(hidden=True)
@_folder
@click.argument("suite", type=options.SuiteName())
@options.as_json
def show(folder: Path, suite: str, as_json: bool) -> None:
    """Show a suite: the old name of `repo list DIR SUITE`."""
    from builder.cli import repository_report as report
    from builder.repository.look import look_at

    say("etcd-deb: warning: repo show is now repo list; the next release will refuse repo show")
    found = look_at(options.repository_at(folder), suite)
    click.echo(report.suite_as_json(found) if as_json else report.suite_as_text(found))


@repo.command()
@_folder
@options.as_json
def verify(folder: Path, as_json: bool) -> int:
    """Check signatures, indices, packages, keys, pages and files. Exit status 3: something is wrong."""
    from builder.cli import repository_report as report
    from builder.repository.check import check

    problems = check(options.repository_at(folder), options.progress())
    click.echo(report.problems_as_json(problems) if as_json else report.problems_as_text(problems))
    return UNVERIFIED if problems else 0


@repo.command()
@_folder
@options.as_json
def resign(folder: Path, as_json: bool) -> None:
    """Sign every suite again, with a later Date and Valid-Until."""
    from builder.cli import repository_report as report
    from builder.repository.upkeep import resign as run_resign

    signed = run_resign(options.repository_at(folder), options.progress())
    click.echo(report.generations_as_json(signed) if as_json else report.generations_as_text(signed))


@repo.command("rotate-key")
@_folder
@click.option("--new-key", is_flag=True, help="Make an ed25519 key without a passphrase.")
@click.option("--key", metavar="FPR", help="Another OpenPGP key in the same GNUPGHOME.")
@click.option("--finish", is_flag=True, help="Retire the old key, once all nodes have the new one.")
@options.as_json
def rotate_key(folder: Path, new_key: bool, key: str | None, finish: bool, as_json: bool) -> None:
    """Change the signing key: both keys sign until --finish retires the old one.

    \b
    etcd-deb repo rotate-key /srv/apt --new-key
    etcd-deb repo rotate-key /srv/apt --finish
    """
    from builder.cli import repository_report as report
    from builder.errors import UsageError
    from builder.repository import rotate

    if sum((new_key, key is not None, finish)) != 1:
        raise UsageError(
            "rotate-key needs exactly one step",
            details=("expected  one of --new-key, --key FPR and --finish",),
            hint=f"to begin: etcd-deb repo rotate-key {folder} --new-key",
        )
    repository, progress = options.repository_at(folder), options.progress()
    done = rotate.finish(repository, progress) if finish else rotate.begin(repository, key, progress)
    click.echo(report.rotated_as_json(done) if as_json else report.rotated_as_text(done))


@repo.command()
@_folder
@pushing.to(required=True)
@options.as_json
def push(folder: Path, targets: tuple[str, ...], endpoint_url: str | None, as_json: bool) -> int:
    """Push the repository to remotes, after prune, promote, rollback or resign.

    \b
    etcd-deb repo push /srv/apt --to web1.example.org:/srv/www/apt
    """
    from builder.cli import repository_report as report

    remotes = pushing.parse_targets(targets, endpoint_url, folder)
    progress = options.progress()
    pushed, well = pushing.push_to_each(options.repository_at(folder), remotes, progress)
    click.echo(report.pushed_as_json(pushed) if as_json else report.pushed_as_text(pushed))
    return 0 if well else GENERAL


@repo.command()
@_folder
@_suite
@click.argument("version")
@options.as_json
def remove(folder: Path, suite: str, version: str, as_json: bool) -> None:
    """Remove a version, such as 3.6.7-1, from a suite, and withhold it."""
    from builder.cli import repository_report as report
    from builder.repository.upkeep import remove as run_remove

    removed = run_remove(options.repository_at(folder), suite, version, options.progress())
    click.echo(report.removed_as_json(removed) if as_json else report.removed_as_text(removed))


@repo.command()
@_folder
@_suite
@click.argument("version")
@options.as_json
def release(folder: Path, suite: str, version: str, as_json: bool) -> None:
    """Let sync and publish add a withheld version again."""
    from builder.cli import repository_report as report
    from builder.repository.upkeep import release as run_release

    freed = run_release(options.repository_at(folder), suite, version, options.progress())
    click.echo(report.released_as_json(suite, freed) if as_json else report.released_as_text(suite, freed))


@repo.command()
@_folder
@_suite
@click.option(
    "--keep",
    type=click.IntRange(1),
    required=True,
    help="Number of versions to keep for each component and architecture.",
)
@options.as_json
def prune(folder: Path, suite: str, keep: int, as_json: bool) -> None:
    """Remove old versions from a suite, and delete unreferenced files."""
    from builder.cli import repository_report as report
    from builder.repository.upkeep import prune as run_prune

    removed = run_prune(options.repository_at(folder), suite, keep, options.progress())
    click.echo(report.removed_as_json(removed) if as_json else report.removed_as_text(removed))


@repo.command()
@_folder
@click.argument("source", type=options.SuiteName())
@click.argument("target", type=options.SuiteName())
@click.option("--version", help="Version to add, such as 3.6.7-1. Default: all.")
@options.as_json
def promote(folder: Path, source: str, target: str, version: str | None, as_json: bool) -> None:
    """Add the packages of the suite SOURCE to the suite TARGET."""
    from builder.cli import repository_report as report
    from builder.repository.upkeep import promote as run_promote

    progress = options.progress()
    published = run_promote(options.repository_at(folder), source, target, version, progress)
    click.echo(report.published_as_json(published) if as_json else report.published_as_text(published))


@repo.command(cls=options.renamed("--to", "--generation"))
@_folder
@_suite
@click.option(
    "--generation",
    "number",
    type=click.IntRange(1),
    help="A generation that `repo list DIR SUITE` shows as kept. Default: the previous one.",
)
@options.as_json
def rollback(folder: Path, suite: str, number: int | None, as_json: bool) -> None:
    """Restore an earlier state of a suite, and withhold what this removes."""
    from builder.cli import repository_report as report
    from builder.repository.upkeep import rollback as run_rollback

    shown = (run_rollback(options.repository_at(folder), suite, number, options.progress()),)
    click.echo(report.generations_as_json(shown) if as_json else report.generations_as_text(shown))
