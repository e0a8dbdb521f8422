"""--to: the option of the commands that also push a repository, and what they do for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from builder.cli.terminal import show_error
from builder.errors import EtcdDebError, Interrupted

if TYPE_CHECKING:
    # Each command loads what it needs.
    from builder.repository.remote.push import Pushed
    from builder.repository.remote.target import Target
    from builder.repository.state.layout import Repository
    from builder.system.progress import Progress

_Command = TypeVar("_Command", bound=Callable[..., object])


def to(*, required: bool) -> Callable[[_Command], _Command]:
    """--to and --endpoint-url."""

    def options(command: _Command) -> _Command:
        endpoint = click.option("--endpoint-url", metavar="URL", help="The S3 store, if it is not Amazon's.")
        targets = click.option(
            "--to",
            "targets",
            multiple=True,
            required=required,
            metavar="TARGET",
            help="Push the repository to DIR, rsync://HOST/MODULE, HOST:PATH or s3://BUCKET/PREFIX;"
            " may be repeated.",
        )
        return targets(endpoint(command))

    return options


def parse_targets(texts: Sequence[str], endpoint_url: str | None, folder: Path) -> tuple[Target, ...]:
    """folder: of the repository. Raises UsageError, before anything is changed."""
    if not texts:
        return ()
    from builder.repository.remote.target import parse_target

    return tuple(parse_target(text, endpoint_url, folder.resolve()) for text in texts)


def push_to_each(
    repository: Repository, targets: Sequence[Target], progress: Progress
) -> tuple[tuple[Pushed, ...], bool]:
    """What was pushed where, and whether every push succeeded. A failure is shown; the others continue."""
    if not targets:
        return (), True
    from builder.repository.remote.push import push
    from builder.repository.remote.storage import AGAIN

    done: list[Pushed] = []
    for target in targets:
        try:
            done.append(push(repository, target, progress.apart()))
        except EtcdDebError as error:
            show_error(error)
        except OSError as error:
            show_error(
                EtcdDebError(f"can't write {target}: {error}", hint="check the owner and mode of that folder")
            )
        except Interrupted as end:
            end.left = f"the repository here is whole; {AGAIN}"
            raise
    return tuple(done), len(done) == len(targets)
