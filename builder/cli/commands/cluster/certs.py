"""The commands below `cluster certs`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from builder.cli import options
from builder.cli.terminal import say
from builder.cli.usage import Group
from builder.errors import GENERAL, UsageError

if TYPE_CHECKING:
    from builder.cluster.tls.issuing import Written

STEPS = ("trust-both", "replace", "trust-new")
_QUIET = ("-v", "--verbose", "-q", "--quiet")


class WithDefault(Group):
    """A group whose commands may be left out: `cluster certs FILE` is `cluster certs make FILE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = next((number for number, word in enumerate(args) if word not in _QUIET), len(args))
        if args[at:] and args[at] not in (*self.commands, "-h", "--help"):
            args = [*args[:at], "make", *args[at:]]
        return super().parse_args(ctx, args)


@click.group(cls=WithDefault)
def certs() -> None:
    """Make, renew, list and rotate the certificates of a cluster.

    \b
    etcd-deb cluster certs cluster.yaml          makes the missing CA, keys and certificates
    etcd-deb cluster certs list cluster.yaml     lists expiry dates
    """


def _now() -> datetime:
    return datetime.now(UTC)


@certs.command("make")
@options.cluster_file
@options.cluster_output
@click.option(
    "--renew", is_flag=True, help="Also renew certificates with under a third of their lifetime left."
)
@click.option("--csr", is_flag=True, help="Write signing requests for a company's CA.")
@click.option(
    "--import", "signed", type=click.Path(path_type=Path), metavar="DIR", help="Import what that CA signed."
)
@options.as_json
def make(file: Path, output: Path, renew: bool, csr: bool, signed: Path | None, as_json: bool) -> None:
    """Make the CA, keys and certificates that are missing or unusable.

    The word make may be omitted. An existing key is never replaced.
    """
    from builder.cluster.tls import issuing

    if signed is not None and (csr or renew):
        raise UsageError(
            "--import can't be combined with --csr or --renew",
            details=("expected  --import alone", "found     --import and another"),
            hint="etcd-deb cluster certs FILE --csr, and later --import DIR",
        )
    described = options.read_cluster_file(file)
    advice = "Copy each node's etcd-tls and patroni-tls to /etc/etcd/tls and /etc/patroni/tls there."
    if csr:
        written = issuing.make_requests(described, output, _now(), renew=renew)
        advice = "Have the CA sign each .csr, then: etcd-deb cluster certs FILE --import DIR"
    elif signed is not None:
        written = issuing.take_in(described, output, signed, _now())
    else:
        written = issuing.make(described, output, _now(), renew=renew)
    _show(written, advice, as_json)


@certs.command("list")
@options.cluster_file
@options.cluster_output
@options.as_json
def list_(file: Path, output: Path, as_json: bool) -> int:
    """List certificates and when they expire.

    Exit status 1: a certificate is unusable or expires in less than 30 days.
    """
    from builder.cli import cluster_report as report
    from builder.cluster.tls.expiry import listed

    described = options.read_cluster_file(file)
    rows = listed(described, output, _now())
    click.echo(report.certificates_as_json(rows) if as_json else report.certificates_as_text(rows))
    if all(row.is_fine for row in rows):
        return 0
    asked = " --csr" if described.tls.authority == "company" else ""
    say(f"etcd-deb: warning: certificates need attention: etcd-deb cluster certs{asked} --renew {file}")
    return GENERAL


@certs.command("rotate-ca")
@options.cluster_file
@click.argument("step", type=click.Choice(STEPS), metavar="STEP")
@options.cluster_output
@options.as_json
def rotate_ca(file: Path, step: str, output: Path, as_json: bool) -> None:
    """Replace the CA in three steps: trust-both, replace, trust-new.

    After each step, copy the files to the nodes. After trust-both and trust-new, also run etcd-ha restart on
    each node: etcd reads its CA file only when it starts.
    """
    from builder.cluster.tls.rotation import Step, rotate

    written = rotate(options.read_cluster_file(file), output, Step(step), _now())
    restart = "" if step == "replace" else ", then run there: etcd-ha restart"
    _show(written, f"Before the next step, copy etcd-tls and patroni-tls to each node{restart}", as_json)


def _show(written: Sequence[Written], advice: str, as_json: bool) -> None:
    from builder.cli import cluster_report as report

    for one in written:
        options.progress().step(f"{one.path}: {one.why}")
    if as_json:
        click.echo(report.written_as_json(written))
    else:
        click.echo("".join(f"{one.path}\n" for one in written), nl=False)
    say(advice if written else "Nothing to do: every certificate is usable.")
