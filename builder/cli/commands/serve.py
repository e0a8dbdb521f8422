"""`serve`: a repository on loopback."""

from __future__ import annotations

from pathlib import Path

import click

from builder.cli import options


@click.command()
@click.argument("folder", metavar="DIR", type=options.Folder())
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free port."
)
@click.option("--address", default="127.0.0.1", show_default=True, help="Address to listen on.")
def serve(folder: Path, port: int, address: str) -> None:
    """Serve a repository over HTTP, for trying it out."""
    from builder.repository.serve import serve as run_serve

    run_serve(options.repository_at(folder).root, address, port, click.echo)
