"""The commands below `cluster`, which describe a cluster and equip its nodes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from builder.cli import options
from builder.cli.commands.certs import certs
from builder.cli.terminal import say
from builder.cli.usage import Group

if TYPE_CHECKING:
    from builder.cluster.folder import Output


@click.group(cls=Group)
def cluster() -> None:
    """Describe a cluster in one file, and equip its nodes.

    \b
    etcd-deb cluster show cluster.yaml
    etcd-deb cluster certs cluster.yaml
    """


cluster.add_command(certs)


@cluster.command("show")
@options.cluster_file
@options.as_json
def show(file: Path, as_json: bool) -> None:
    """Show the nodes of a cluster and what the other commands would write."""
    from builder.cli import cluster_report as report

    described = options.read_cluster_file(file)
    click.echo(report.cluster_as_json(described) if as_json else report.cluster_as_text(described))


@cluster.command("preseed")
@options.cluster_file
@options.cluster_output
@options.as_json
def preseed(file: Path, output: Path, as_json: bool) -> None:
    """Write the answers for debconf of each node.

    A node loads its own before the package is installed: debconf-set-selections etcd-ha.preseed
    """
    from builder.cluster import folder
    from builder.cluster.preseed import preseed as text_of

    described = options.read_cluster_file(file)
    outputs = [
        folder.Output(Path(node.name, folder.PRESEED), text_of(described, node).encode())
        for node in described.nodes
    ]
    _write(output, outputs, as_json)
    say(f"On each node: debconf-set-selections {folder.PRESEED}; apt install etcd-ha")


def _write(folder: Path, outputs: Sequence[Output], as_json: bool) -> None:
    from builder.cli import cluster_report as report
    from builder.cluster.folder import write

    paths = write(folder, outputs)
    click.echo(report.files_as_json(paths) if as_json else "\n".join(map(str, paths)))
