"""The whole command line, and how it ends.

What a command needs is imported in its body: `etcd-deb --help` must not load requests and jinja2.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete, shell_complete

from builder import __version__
from builder.cli import options
from builder.cli.commands.build import build
from builder.cli.commands.cache import cache
from builder.cli.commands.cluster.cluster import cluster
from builder.cli.commands.doctor import doctor
from builder.cli.commands.fetch import fetch
from builder.cli.commands.inspect import inspect
from builder.cli.commands.pin import pin
from builder.cli.commands.publish import publish
from builder.cli.commands.repo import repo
from builder.cli.commands.serve import serve
from builder.cli.commands.source import source
from builder.cli.commands.sync import sync
from builder.cli.commands.versions import versions
from builder.cli.options import Invocation
from builder.cli.terminal import END_AT_ONCE, Results, say, show_error
from builder.cli.usage import Group, as_ours
from builder.errors import EtcdDebError, Interrupted
from builder.system.faults import explained

# Ctrl-C, kill(1), and a terminal that is closed.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


PROGRAM = "etcd-deb"
# Set by the scripts of `completion`, in which click has named it.
COMPLETE = "_ETCD_DEB_COMPLETE"
SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Settings. [ETCD_DEB_CONFIG]")
@click.pass_context
def cli(context: click.Context, config: Path | None) -> None:
    """Turn an upstream etcd release into a verified, reproducible Debian package.

    \b
    etcd-deb build v3.6.7                 builds dist/etcd-ha_3.6.7-1_amd64.deb
    etcd-deb build 3.6 --arch all         builds the newest 3.6 for every architecture
    etcd-deb publish dist/*.changes --repo /srv/apt --suite trixie
    apt install ./dist/etcd-ha_3.6.7.deb  installs a member of a cluster
    """
    if config is None and os.environ.get("ETCD_DEB_CONFIG"):
        config = Path(os.environ["ETCD_DEB_CONFIG"])
    context.obj = Invocation(config, os.environ)


@click.command()
@click.argument("shell", type=click.Choice(list(SHELLS)), metavar="SHELL")
def completion(shell: str) -> None:
    """Print the completion script for SHELL: bash, zsh or fish.

    \b
    etcd-deb completion bash >~/.local/share/bash-completion/completions/etcd-deb
    etcd-deb completion zsh >"${fpath[1]}/_etcd-deb"
    etcd-deb completion fish >~/.config/fish/completions/etcd-deb.fish
    """
    click.echo(SHELLS[shell](cli, {}, PROGRAM, COMPLETE).source(), nl=False)


for command in (
    *(build, source, fetch, pin, versions, inspect, doctor),
    *(publish, sync, serve, repo, cluster, cache, completion),
):
    cli.add_command(command)


def _speak_up(command: click.Command) -> None:
    """-v and -q for a command and all below it."""
    command.params += options.verbosity()
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        _speak_up(below)


_speak_up(cli)


def main() -> int:
    """Run the command line. Returns a documented exit status (docs/reference/exit-codes.md)."""
    # Our files have the same modes for every user; dpkg-deb refuses a control directory made under umask 077.
    os.umask(0o022)
    if instruction := os.environ.get(COMPLETE):
        return shell_complete(cli, {}, PROGRAM, COMPLETE, instruction)
    for number in ENDING:
        # A signal that nohup made us ignore stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    results = Results(sys.stdout)
    sys.stdout = results
    try:
        status = cli.main(prog_name=PROGRAM, standalone_mode=False)
        results.flush()
    except click.ClickException as error:
        said = as_ours(error, cli)
        show_error(said)
        return said.exit_status
    except Interrupted as end:
        how = "interrupted" if end.number == signal.SIGINT else "terminated"
        say(f"etcd-deb: {how}; {end.left}")
        return 128 + end.number
    except EtcdDebError as error:
        show_error(error)
        return error.exit_status
    except Exception as error:
        found = explained(error)
        show_error(found)
        return found.exit_status
    return status if isinstance(status, int) else 0


def _end(number: int, _frame: FrameType | None) -> None:
    # Tidying up takes seconds at most, and a build that breaks it off would leave its folder and the programs
    # it runs; only uploads that have begun take longer. A session that ends sends SIGTERM and SIGHUP
    # together, which is no second thought of anybody.
    for ending in ENDING:
        signal.signal(ending, _end_uploads if ending == signal.SIGINT else signal.SIG_IGN)
    raise Interrupted(number)


def _end_uploads(number: int, _frame: FrameType | None) -> None:
    if not END_AT_ONCE.is_set():
        return
    os.write(2, b"etcd-deb: stopped at once; the next push finishes the unfinished uploads\n")
    os._exit(128 + number)
