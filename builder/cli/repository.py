"""The commands below `repo`, which make and keep a repository."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli import options, pushing
from builder.cli.options import Invocation, pass_invocation
from builder.cli.terminal import TerminalProgress
from builder.errors import GENERAL, UNVERIFIED

_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
_suite = click.argument("suite")


@click.group()
def repo() -> None:
    """Make and keep a signed apt repository.

    \b
    etcd-deb repo init /srv/apt --suite trixie --new-key --url http://apt.example.org
    etcd-deb repo show /srv/apt trixie
    """


@repo.command("init")
@_folder
@click.option("--suite", "suites", multiple=True, help="A suite to make; may be repeated.")
@click.option("--key", metavar="FPR", help="OpenPGP key that signs.")
@click.option("--new-key", is_flag=True, help="Make an ed25519 key without a passphrase.")
@click.option("--gnupg-home", metavar="DIR", help="Where gpg has the key; outside the repository.")
@click.option("--url", help="Where clients will find the repository.")
@click.option("--origin", help="Origin and Label of its Release files; etcd-ha by default.")
@click.option(
    "--valid-days",
    type=click.IntRange(0),
    help="Days until Valid-Until, 3650 at most; 0 for none, as by default.",
)
@pass_invocation
def init(
    invocation: Invocation,
    folder: Path,
    suites: tuple[str, ...],
    key: str | None,
    new_key: bool,
    gnupg_home: str | None,
    url: str | None,
    origin: str | None,
    valid_days: int | None,
) -> None:
    """Make a repository, or add a suite to one.

    Prints the fingerprint of the key, and the .sources file of each suite.
    """
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
    repository = create(folder, wishes, TerminalProgress(verbose=invocation.verbose))
    click.echo(f"key     {repository.settings.key}")
    for suite in repository.suites:
        click.echo(f"{suite}  {repository.sources_file(suite)}")


@repo.command("list")
@_folder
@options.as_json
def list_(folder: Path, as_json: bool) -> None:
    """List the suites with their packages."""
    from builder.cli import repository_report as report
    from builder.repository.look import look

    suites = look(options.repository_at(folder))
    click.echo(report.suites_as_json(suites) if as_json else report.suites_as_text(suites))


@repo.command()
@_folder
@_suite
@options.as_json
def show(folder: Path, suite: str, as_json: bool) -> None:
    """Show a suite: its packages, files and generations."""
    from builder.cli import repository_report as report
    from builder.repository.look import look_at

    found = look_at(options.repository_at(folder), suite)
    click.echo(report.suite_as_json(found) if as_json else report.suite_as_text(found))


@repo.command()
@_folder
@options.as_json
@click.pass_obj
def verify(invocation: Invocation, folder: Path, as_json: bool) -> int:
    """Check signatures, indices, packages, keys, pages and files; status 3 where something is wrong."""
    from builder.cli import repository_report as report
    from builder.repository.check import check

    problems = check(options.repository_at(folder), TerminalProgress(verbose=invocation.verbose))
    click.echo(report.problems_as_json(problems) if as_json else report.problems_as_text(problems))
    return UNVERIFIED if problems else 0


@repo.command()
@_folder
@_suite
@click.argument("version")
@options.as_json
@pass_invocation
def remove(invocation: Invocation, folder: Path, suite: str, version: str, as_json: bool) -> None:
    """Take a version, such as 3.6.7-1, out of a suite."""
    from builder.cli import repository_report as report
    from builder.repository.upkeep import remove as run_remove

    removed = run_remove(
        options.repository_at(folder), suite, version, TerminalProgress(verbose=invocation.verbose)
    )
    click.echo(report.removed_as_json(removed) if as_json else report.removed_as_text(removed))


@repo.command()
@_folder
@_suite
@click.argument("version")
@pass_invocation
def release(invocation: Invocation, folder: Path, suite: str, version: str) -> None:
    """Withhold a version no more that remove or rollback took back, so that sync and publish may bring it."""
    from builder.repository.upkeep import release as run_release

    progress = TerminalProgress(verbose=invocation.verbose)
    for freed in run_release(options.repository_at(folder), suite, version, progress):
        click.echo(f"{suite}  {freed.replace('_', ' ')} is withheld no more")


@repo.command()
@_folder
@_suite
@click.option(
    "--keep",
    type=click.IntRange(1),
    required=True,
    help="Versions to keep of each component and architecture.",
)
@options.as_json
@pass_invocation
def prune(invocation: Invocation, folder: Path, suite: str, keep: int, as_json: bool) -> None:
    """Take all but the newest versions out of a suite, and delete files that nothing names any more."""
    from builder.cli import repository_report as report
    from builder.repository.upkeep import prune as run_prune

    removed = run_prune(
        options.repository_at(folder), suite, keep, TerminalProgress(verbose=invocation.verbose)
    )
    click.echo(report.removed_as_json(removed) if as_json else report.removed_as_text(removed))


@repo.command()
@_folder
@click.argument("source")
@click.argument("target")
@click.option("--version", help="Such as 3.6.7-1; all of the suite's by default.")
@options.as_json
@pass_invocation
def promote(
    invocation: Invocation, folder: Path, source: str, target: str, version: str | None, as_json: bool
) -> None:
    """Add the packages of SOURCE, a suite, to TARGET."""
    from builder.cli import repository_report as report
    from builder.repository.upkeep import promote as run_promote

    progress = TerminalProgress(verbose=invocation.verbose)
    published = run_promote(options.repository_at(folder), source, target, version, progress)
    click.echo(report.published_as_json(published) if as_json else report.published_as_text(published))


@repo.command()
@_folder
@_suite
@click.option(
    "--to",
    "number",
    type=click.IntRange(1),
    help="A generation that `show` lists; the one before by default.",
)
@pass_invocation
def rollback(invocation: Invocation, folder: Path, suite: str, number: int | None) -> None:
    """Show clients an earlier state of a suite again."""
    from builder.repository.upkeep import rollback as run_rollback

    generation = run_rollback(
        options.repository_at(folder), suite, number, TerminalProgress(verbose=invocation.verbose)
    )
    click.echo(f"{suite}  generation {generation.number}")


@repo.command()
@_folder
@pass_invocation
def resign(invocation: Invocation, folder: Path) -> None:
    """Sign every suite anew, with a later Date and Valid-Until."""
    from builder.repository.upkeep import resign as run_resign

    for generation in run_resign(options.repository_at(folder), TerminalProgress(verbose=invocation.verbose)):
        click.echo(f"{generation.suite}  generation {generation.number}")


@repo.command("rotate-key")
@_folder
@click.option("--new-key", is_flag=True, help="Make an ed25519 key without a passphrase.")
@click.option("--key", metavar="FPR", help="Another OpenPGP key of the same GNUPGHOME.")
@click.option("--finish", is_flag=True, help="Let the old key go, once all nodes have the new one.")
@pass_invocation
def rotate_key(invocation: Invocation, folder: Path, new_key: bool, key: str | None, finish: bool) -> None:
    """Change the key that signs: both sign, until --finish lets the old one go.

    \b
    etcd-deb repo rotate-key /srv/apt --new-key
    etcd-deb repo rotate-key /srv/apt --finish
    """
    from builder.errors import UsageError
    from builder.repository import rotate

    if sum((new_key, key is not None, finish)) != 1:
        raise UsageError(
            "rotate-key takes one step at a time",
            details=("expected  one of --new-key, --key FPR and --finish",),
            hint=f"etcd-deb repo rotate-key {folder} --new-key begins",
        )
    repository, progress = options.repository_at(folder), TerminalProgress(verbose=invocation.verbose)
    done = rotate.finish(repository, progress) if finish else rotate.begin(repository, key, progress)
    for fingerprint in done.keys:
        click.echo(f"signs   {fingerprint}")
    if done.gone:
        click.echo(f"gone    {done.gone}")


@repo.command()
@_folder
@pushing.to(required=True)
@options.as_json
@pass_invocation
def push(
    invocation: Invocation, folder: Path, targets: tuple[str, ...], endpoint_url: str | None, as_json: bool
) -> int:
    """Bring remotes to the state of the repository, after prune, promote, rollback or resign.

    \b
    etcd-deb repo push /srv/apt --to web1.example.org:/srv/www/apt
    """
    from builder.cli import repository_report as report

    remotes = pushing.parse_targets(targets, endpoint_url, folder)
    progress = TerminalProgress(verbose=invocation.verbose)
    pushed, well = pushing.push_to_each(options.repository_at(folder), remotes, progress)
    click.echo(report.pushed_as_json(pushed) if as_json else report.pushed_as_text(pushed))
    return 0 if well else GENERAL
