"""The options that several commands share, and what they make of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from click.shell_completion import CompletionItem

from builder.cli.terminal import TerminalProgress, Verbosity, say
from builder.settings import COMPRESSIONS, ENVIRONMENT_PREFIX, Settings, Value, load_settings

if TYPE_CHECKING:
    # Loading requests takes longer than all of `etcd-deb --help` may.
    from builder.cluster.model import Cluster
    from builder.pipeline import Choices
    from builder.release.fetch import Sources
    from builder.release.pins import Pins
    from builder.repository.state.layout import Repository

# Where click's contexts of a command and of those above it keep it.
_VERBOSITY = "etcd-deb.verbosity"

_Command = TypeVar("_Command", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Invocation:
    """What was said before the command's name."""

    config: Path | None
    environment: Mapping[str, str]

    def settings(self, **options: Value | None) -> Settings:
        """The settings in force; an option that was not given is None."""
        return load_settings(self.config, self.environment, options)


pass_invocation = click.make_pass_decorator(Invocation)


def progress() -> TerminalProgress:
    """What the command shows while it works, as loud as -v and -q say. The last one given counts."""
    return TerminalProgress(click.get_current_context().meta.get(_VERBOSITY, Verbosity.STEPS))


def verbosity() -> list[click.Parameter]:
    """-v and -q, which every command takes, before its name and after it."""

    def sets(level: Verbosity) -> Callable[[click.Context, click.Parameter, bool], None]:
        def callback(context: click.Context, _: click.Parameter, given: bool) -> None:
            if given:
                context.meta[_VERBOSITY] = level

        return callback

    return [
        click.Option(
            ["-v", "--verbose"],
            is_flag=True,
            expose_value=False,
            callback=sets(Verbosity.ALL),
            help="Show the output of dpkg-buildpackage as well.",
        ),
        click.Option(
            ["-q", "--quiet"],
            is_flag=True,
            expose_value=False,
            callback=sets(Verbosity.QUIET),
            help="Show only results, warnings and errors.",
        ),
    ]


def renamed(old: str, new: str) -> type[click.Command]:
    """A command with an option that had another name; the old one is taken with a warning in this release."""

    class Renamed(click.Command):
        def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
            at = args.index("--") if "--" in args else len(args)
            words = [word.partition("=") for word in args[:at]]
            if any(name == old for name, *_ in words) and not ctx.resilient_parsing:
                now = f"{old} of {ctx.command_path} is now {new}; the next release will refuse {old}"
                say(f"etcd-deb: warning: {now}")
            spelt = ["".join((new if name == old else name, *value)) for name, *value in words]
            return super().parse_args(ctx, [*spelt, *args[at:]])

    return Renamed


class Folder(click.Path):
    """A folder that may be there or not; shells complete names of folders."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def shell_complete(
        self, _ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        return [CompletionItem(incomplete, type="dir")]


class SuiteName(click.types.StringParamType):
    """A suite; shells complete those of the repository that was named before it."""

    name = "suite"

    def shell_complete(
        self, ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        folder = ctx.params.get("folder")
        if not isinstance(folder, Path):
            return []
        from builder.repository.state.layout import suites_below

        with suppress(OSError, RuntimeError):
            found = suites_below(folder.expanduser())
            return [CompletionItem(suite) for suite in found if suite.startswith(incomplete)]
        return []


def _variable(name: str) -> str:
    return f"[{ENVIRONMENT_PREFIX}{name.upper()}]"


def source(command: _Command) -> _Command:
    return click.option(
        "--source",
        metavar="URL|DIR",
        help=f"Where to get releases: the parent of v3.6.7/. Default: GitHub. {_variable('source')}",
    )(command)


def pins(command: _Command) -> _Command:
    return click.option(
        "--pins",
        metavar="FILE",
        help=f"Trust these digests, instead of the lists of etcd-deb and the user. {_variable('pins')}",
    )(command)


def arch(command: _Command) -> _Command:
    return click.option(
        "--arch",
        "arches",
        multiple=True,
        metavar="ARCH",
        help="amd64, arm64, ppc64el, s390x or all; may be repeated. Default: that of this machine."
        f" {_variable('arches')}",
    )(command)


def require_pin(command: _Command) -> _Command:
    return click.option(
        "--require-pin", is_flag=True, help="Refuse a release without a pin, whatever the witnesses say."
    )(command)


def revision(command: _Command) -> _Command:
    return click.option(
        "--revision", default="1", show_default=True, metavar="REV", help="Debian revision of the package."
    )(command)


def compression(command: _Command) -> _Command:
    return click.option(
        "--compression", type=click.Choice(COMPRESSIONS), help=f"Default: xz. {_variable('compression')}"
    )(command)


def maintainer(command: _Command) -> _Command:
    return click.option(
        "--maintainer", metavar="NAME", help=f'Maintainer, "Name <address>". {_variable("maintainer")}'
    )(command)


def repository(command: _Command) -> _Command:
    return click.option(
        "--repo", "folder", metavar="DIR", required=True, type=Folder(), help="The repository."
    )(command)


def suite(command: _Command) -> _Command:
    return click.option("--suite", required=True, type=SuiteName(), help="The suite, such as trixie.")(
        command
    )


def as_json(command: _Command) -> _Command:
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(command)


def repository_at(folder: Path) -> Repository:
    """Raises EtcdDebError where there is none."""
    from builder.repository.state.layout import open_repository

    return open_repository(folder.resolve())


def sources_of(settings: Settings) -> Sources:
    """Where the settings say to ask. Raises UsageError."""
    from builder import shipped
    from builder.release.cache import MEGABYTE
    from builder.release.fetch import Sources
    from builder.release.github import GitHub
    from builder.release.origin import RemoteOrigin, parse_https, parse_source
    from builder.settings import read_settings_file

    origin = parse_source(settings.source)
    default = parse_source(str(read_settings_file(shipped.CONF / "etcd-deb.toml")["source"]))
    return Sources(
        origin=origin,
        witness=parse_https(settings.witness, "witness"),
        github=GitHub(parse_https(settings.api, "api"), settings.timeout),
        timeout=settings.timeout,
        witness_has_tarballs=isinstance(origin, RemoteOrigin)
        and isinstance(default, RemoteOrigin)
        and origin.is_same(default),
        cache_limit=settings.cache_limit * MEGABYTE,
    )


def pins_of(settings: Settings) -> Pins:
    """The pins in force. Raises EtcdDebError for a list that can't be read."""
    from builder.release.pins import read_pins

    return read_pins(settings.pins)


def choices_of(settings: Settings, *, require_pin: bool) -> Choices:
    """How the settings say to build."""
    from builder.pipeline import Choices

    return Choices(
        maintainer=settings.maintainer,
        require_pin=require_pin,
        compression=settings.compression,
        key=settings.key,
    )


cluster_file = click.argument("file", metavar="FILE", type=click.Path(path_type=Path))


def cluster_output(command: _Command) -> _Command:
    return click.option(
        "--output",
        type=Folder(),
        metavar="DIR",
        default="cluster",
        show_default=True,
        help="Folder that has a folder for each node.",
    )(command)


def read_cluster_file(file: Path) -> Cluster:
    """The cluster that a file describes; what is doubtful in it is said. Raises EtcdDebError."""
    from builder.cluster.model import doubts
    from builder.cluster.read import read_cluster

    described = read_cluster(file)
    for doubt in doubts(described):
        progress().warn(doubt)
    return described
