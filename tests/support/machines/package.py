"""A package for the benchmarks of ci/, built from the lab's own releases; tests share those of `upload`."""

import sys
from pathlib import Path

from tests.support.command import run
from tests.support.releases import releases


def build_package(version: str, output: Path) -> Path:
    """The .deb of a version that the registries hold, built into `output`."""
    releases.ensure(version)
    run(
        [
            *(Path(sys.executable).with_name("etcd-deb"), "build", version),
            *("--source", releases.RELEASES, "--pins", releases.PINS, "--output", output),
        ],
        within=300,
    )
    (deb,) = (path for path in output.glob("*.deb") if not path.is_symlink())
    return deb
