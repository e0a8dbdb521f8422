"""Usage errors, in the form of every other error."""

from __future__ import annotations

import difflib
import sys

import click

from builder.errors import EtcdDebError, UsageError


class Group(click.Group):
    """A group that suggests the nearest command for an unknown one."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        # Debian 12's click and newer ones do different things without a command.
        super().__init__(*args, **{**kwargs, "no_args_is_help": False})  # type: ignore[arg-type]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if ctx.resilient_parsing or self.get_command(ctx, name) or name.startswith("-"):
            return super().resolve_command(ctx, args)
        known = [other for other in self.list_commands(ctx) if not self.commands[other].hidden]
        nearest = difflib.get_close_matches(name, known, n=1)
        raise UsageError(
            f"{ctx.command_path} has no command {name!r}",
            details=(f"expected  one of {', '.join(known)}",),
            hint=f"did you mean {ctx.command_path} {nearest[0]}?"
            if nearest
            else f"{ctx.command_path} --help",
        )


def as_ours(error: click.ClickException, root: click.Group) -> EtcdDebError:
    """click's error with what it expected, and what to type next. root: the whole command line."""
    summary = _sentence(error.format_message())
    if not isinstance(error, click.UsageError):
        return EtcdDebError(summary)
    context = error.ctx or _typed(root)
    hint = f"{context.command_path} --help"
    if isinstance(error, click.NoSuchOption):
        summary = f"{context.command_path} has no option {error.option_name}"
        known = [flag for each in context.command.params for flag in each.opts]
        nearest = difflib.get_close_matches(error.option_name, known, n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else hint
    usage = context.command.get_usage(context).partition(": ")[2]
    return UsageError(summary, details=(f"expected  {' '.join(usage.split())}",), hint=hint)


def _typed(root: click.Group) -> click.Context:
    """The command that was typed; click does not report it with each error."""
    command: click.Command = root
    context = click.Context(root, info_name="etcd-deb")
    for word in sys.argv[1:]:
        if isinstance(command, click.Group) and word in command.commands:
            command = command.commands[word]
            context = click.Context(command, info_name=word, parent=context)
    return context


def _sentence(text: str) -> str:
    """As our own messages begin and end."""
    return text[:1].lower() + text[1:].rstrip(".")
