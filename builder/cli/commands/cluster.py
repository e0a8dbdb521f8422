"""The commands below `cluster`, which describe a cluster, equip its nodes and look at it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from builder.cli import options
from builder.cli.terminal import say
from builder.cli.usage import Group

if TYPE_CHECKING:
    from builder.cluster.model import Cluster

_file = click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
_output = click.option(
    "--output",
    type=options.Folder(),
    default="cluster",
    show_default=True,
    help="Folder with a folder for each node.",
)


@click.group(cls=Group)
def cluster() -> None:
    """Describe a cluster in one file, and equip its nodes.

    \b
    etcd-deb cluster show cluster.yaml
    etcd-deb cluster preseed cluster.yaml --output cluster
    """


def _read(file: Path) -> Cluster:
    from builder.cluster.model import doubts
    from builder.cluster.read import read_cluster

    described = read_cluster(file)
    for doubt in doubts(described):
        options.progress().warn(doubt)
    return described


@cluster.command("show")
@_file
def show(file: Path) -> None:
    """Show the nodes of a cluster and what the other commands would write."""
    from builder.cli.cluster_report import shown

    click.echo(shown(_read(file)))


@cluster.command("preseed")
@_file
@_output
def preseed(file: Path, output: Path) -> None:
    """Write the answers for debconf of each node.

    A node loads its own before the package is installed: debconf-set-selections etcd-ha.preseed
    """
    from builder.cluster import folder
    from builder.cluster.preseed import preseed as text_of

    described = _read(file)
    outputs = [
        folder.Output(Path(node.name, folder.PRESEED), text_of(described, node).encode())
        for node in described.nodes
    ]
    for path in folder.write(output, outputs):
        click.echo(path)
    say(f"On each node: debconf-set-selections {folder.PRESEED}; apt install etcd-ha")
