"""--to: the option of the commands that also bring a repository elsewhere, and what they do for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import click

from builder.cli.terminal import show_error
from builder.errors import EtcdDebError

if TYPE_CHECKING:
    # Each command loads what it needs.
    from builder.progress import Progress
    from builder.repository.layout import Repository
    from builder.repository.remote.push import Pushed
    from builder.repository.remote.target import Target

_Command = TypeVar("_Command", bound=Callable[..., object])


def to(*, required: bool) -> Callable[[_Command], _Command]:
    """--to and --endpoint-url."""

    def options(command: _Command) -> _Command:
        endpoint = click.option(
            "--endpoint-url", metavar="URL", help="The S3 store, where it is not Amazon's."
        )
        targets = click.option(
            "--to",
            "targets",
            multiple=True,
            required=required,
            metavar="TARGET",
            help="Bring the repository to DIR, rsync://HOST/MODULE, HOST:PATH or s3://BUCKET/PREFIX;"
            " may be repeated.",
        )
        return targets(endpoint(command))

    return options


def parse_targets(texts: Sequence[str], endpoint_url: str | None) -> tuple[Target, ...]:
    """Raises UsageError, before anything is changed."""
    if not texts:
        return ()
    from builder.repository.remote.target import parse_target

    return tuple(parse_target(text, endpoint_url) for text in texts)


def push_to_each(
    repository: Repository, targets: Sequence[Target], progress: Progress
) -> tuple[tuple[Pushed, ...], bool]:
    """What was brought where, and whether all went well. One that fails is shown, and stops no other."""
    if not targets:
        return (), True
    from builder.repository.remote.push import push

    done: list[Pushed] = []
    for target in targets:
        try:
            done.append(push(repository, target, progress.apart()))
        except EtcdDebError as error:
            show_error(error)
    return tuple(done), len(done) == len(targets)
