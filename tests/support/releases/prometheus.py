"""Debian's Prometheus, unpacked and not installed: nothing of it is started on this machine."""

from __future__ import annotations

from pathlib import Path

from tests.support.cache import CACHE, locked, new_folder
from tests.support.command import run
from tests.support.machines.mirror import download_packages

# The older of the two that people run: what it can read, trixie's can as well.
SUITE = "bookworm"


def prometheus_programs() -> Path:
    """The folder with prometheus and promtool, fetched once."""
    target = CACHE / "prometheus" / SUITE
    with locked(target.with_name(f"{SUITE}.lock")):
        if not target.is_dir():
            with new_folder(target) as folder:
                fetched = folder / "fetched"
                fetched.mkdir()
                (deb,) = download_packages(SUITE, ["prometheus"], fetched)
                run(["dpkg-deb", "--extract", deb, fetched / "root"])
                for name in ("prometheus", "promtool"):
                    (fetched / "root/usr/bin" / name).rename(folder / name)
                run(["rm", "-r", fetched])
    return target
