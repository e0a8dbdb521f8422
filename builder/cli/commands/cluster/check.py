"""The command that looks at a cluster: cluster check."""

from __future__ import annotations

import os
from pathlib import Path

import click

from builder.cli import options
from builder.errors import UsageError

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("check")
@options.cluster_file
@options.cluster_output
@click.option("--cacert", type=_FILE, envvar="ETCDCTL_CACERT", help="CA of the members. [ETCDCTL_CACERT]")
@click.option("--cert", type=_FILE, envvar="ETCDCTL_CERT", help="Certificate to present. [ETCDCTL_CERT]")
@click.option("--key", type=_FILE, envvar="ETCDCTL_KEY", help="Its key. [ETCDCTL_KEY]")
@click.option("--credentials", type=_FILE, help="File with USER:PASSWORD in its first line. [ETCDCTL_USER]")
@options.as_json
def check(
    file: Path,
    output: Path,
    cacert: Path | None,
    cert: Path | None,
    key: Path | None,
    credentials: Path | None,
    as_json: bool,
) -> int:
    """Check every member of a cluster, and show how to fix each fault.

    Connect to each client URL, put a key on one member, get it on another and delete it on a third. With TLS,
    use root's certificate and the CA from the folder, unless the options name others.
    Exit status 1: something is wrong. Exit status 2: no member answered, or not everything could be checked.
    """
    from etcd_ha.check import report

    from builder.advisories import known_faults
    from builder.cluster.check import Presented, check_cluster

    if (cert is None) is not (key is None):
        raise UsageError("--cert and --key must be given together", hint="give both or neither")
    presented = Presented(cacert, cert, key, credentials, os.environ.get("ETCDCTL_USER"))
    described = options.read_cluster_file(file)
    faults = known_faults(options.progress())
    found = check_cluster(described, file, presented.completed(described, output), faults)
    click.echo(report.as_json(found) if as_json else report.as_text(found))
    return found.status
