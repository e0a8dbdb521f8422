"""The options that several commands share, and what they make of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from builder.settings import COMPRESSIONS, ENVIRONMENT_PREFIX, Settings, Value, load_settings

if TYPE_CHECKING:
    # Loading requests takes longer than all of `etcd-deb --help` may.
    from builder.fetch import Sources
    from builder.pins import Pins
    from builder.repository.layout import Repository

_Command = TypeVar("_Command", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Invocation:
    """What was said before the command's name."""

    config: Path | None
    environment: Mapping[str, str]
    verbose: bool

    def settings(self, **options: Value | None) -> Settings:
        """The settings in force; an option that was not given is None."""
        return load_settings(self.config, self.environment, options)


pass_invocation = click.make_pass_decorator(Invocation)


def _variable(name: str) -> str:
    return f"[{ENVIRONMENT_PREFIX}{name.upper()}]"


def source(command: _Command) -> _Command:
    return click.option(
        "--source",
        metavar="URL|DIR",
        help=f"Where releases come from, above v3.6.7/; GitHub by default. {_variable('source')}",
    )(command)


def pins(command: _Command) -> _Command:
    return click.option(
        "--pins",
        metavar="FILE",
        help=f"Digests that decide alone, instead of the list that comes with etcd-deb. {_variable('pins')}",
    )(command)


def arch(command: _Command) -> _Command:
    return click.option(
        "--arch",
        "arches",
        multiple=True,
        metavar="ARCH",
        help="amd64, arm64, ppc64el, s390x or all; may be repeated; this machine's by default."
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
        "--compression", type=click.Choice(COMPRESSIONS), help=f"xz by default. {_variable('compression')}"
    )(command)


def maintainer(command: _Command) -> _Command:
    return click.option(
        "--maintainer", metavar="NAME", help=f'"Name <address>" of who packs it. {_variable("maintainer")}'
    )(command)


def as_json(command: _Command) -> _Command:
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(command)


def repository_at(folder: Path) -> Repository:
    """Raises EtcdDebError where there is none."""
    from builder.repository.layout import open_repository

    return open_repository(folder.resolve())


def sources_of(settings: Settings) -> Sources:
    """Where the settings say to ask. Raises UsageError."""
    from builder import shipped
    from builder.cache import MEGABYTE
    from builder.fetch import Sources
    from builder.github import GitHub
    from builder.release import RemoteOrigin, parse_https, parse_source
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
    from builder.pins import read_pins

    return read_pins(settings.pins)
