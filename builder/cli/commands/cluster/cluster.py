"""The commands below `cluster`, which describe a cluster, equip its nodes and look at it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from builder.cli import options
from builder.cli.commands.cluster.certs import certs
from builder.cli.commands.cluster.check import check
from builder.cli.terminal import say
from builder.cli.usage import Group
from builder.errors import UsageError

if TYPE_CHECKING:
    from builder.cluster.folder import Output


@click.group(cls=Group)
def cluster() -> None:
    """Set up and check a cluster that one file describes.

    \b
    etcd-deb cluster show cluster.yaml
    etcd-deb cluster certs cluster.yaml
    etcd-deb cluster cloud-init cluster.yaml
    etcd-deb cluster check cluster.yaml
    """


cluster.add_command(certs)
cluster.add_command(check)


@cluster.command("show")
@options.cluster_file
@options.as_json
def show(file: Path, as_json: bool) -> None:
    """Show the nodes of a cluster, and what the other commands would write."""
    from builder.cli import cluster_report as report

    described = options.read_cluster_file(file)
    click.echo(report.cluster_as_json(described) if as_json else report.cluster_as_text(described))


@cluster.command("preseed")
@options.cluster_file
@options.cluster_output
@options.as_json
def preseed(file: Path, output: Path, as_json: bool) -> None:
    """Write the debconf answers of each node.

    Load them on the node before you install the package: debconf-set-selections etcd-ha.preseed
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


@cluster.command("cloud-init")
@options.cluster_file
@options.cluster_output
@click.option("--golden", is_flag=True, help="Write for an image that already has the packages.")
@options.as_json
def cloud_init(file: Path, output: Path, golden: bool, as_json: bool) -> None:
    """Write cloud-init user-data for each node.

    It has the repository, the answers, the certificates from the folder and the packages. It contains
    private keys: give it only to the node.
    """
    from builder.cluster import folder
    from builder.cluster.cloud_init import read_material, user_data

    described = options.read_cluster_file(file)
    material = read_material(described, output)
    outputs = [
        folder.Output(
            Path(node.name, folder.USER_DATA),
            user_data(described, node, material, golden=golden).encode(),
            folder.PRIVATE,
        )
        for node in described.nodes
    ]
    _write(output, outputs, as_json)
    say("Give each machine its user-data before its first boot.")


@cluster.command("patroni")
@options.cluster_file
@options.cluster_output
@click.option(
    "--style",
    type=click.Choice(("debian", "plain")),
    default="debian",
    show_default=True,
    help="debian: dcs.yml and a command for each node; plain: a section for a hand-written file.",
)
@options.as_json
def patroni(file: Path, output: Path, style: str, as_json: bool) -> None:
    """Write the part of Patroni's configuration that names etcd."""
    from builder.cli import cluster_report as report
    from builder.cluster import folder
    from builder.cluster.patroni import command, dcs, section

    described = options.read_cluster_file(file)
    if described.patroni is None:
        raise UsageError(
            f"{file} has no patroni section",
            details=(
                "expected  the version of PostgreSQL and the network of its clients",
                "found     neither",
            ),
            hint=f"add to {file}: patroni: {{postgresql: 17, network: 192.168.6.0/24}}",
        )
    nodes = described.patroni.nodes
    name, text = (folder.DCS, dcs(described)) if style == "debian" else (folder.ETCD3, section(described))
    outputs = [folder.Output(Path(node.name, name), text.encode()) for node in nodes]
    paths = folder.write(output, outputs)
    commands = {node.name: command(described.patroni, node) for node in nodes} if style == "debian" else {}
    click.echo(
        report.patroni_as_json(paths, commands) if as_json else report.patroni_as_text(paths, commands)
    )
    if style == "debian":
        say(f"Copy {folder.DCS} to /etc/patroni on each node, then run its command there.")


def _write(folder: Path, outputs: Sequence[Output], as_json: bool) -> None:
    from builder.cli import cluster_report as report
    from builder.cluster.folder import write

    paths = write(folder, outputs)
    click.echo(report.files_as_json(paths) if as_json else "\n".join(map(str, paths)))
