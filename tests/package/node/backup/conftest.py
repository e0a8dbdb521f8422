"""Programs of the versions that backups are made and restored with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.releases import releases
from tests.system.article import binary_of

PROGRAMS = ("etcd", "etcdctl", "etcdutl")


@pytest.fixture(scope="session")
def programs_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Mapping[str, Path]]:
    """programs_of(version) unpacks the programs of a release, once for each."""
    found = dict[str, Mapping[str, Path]]()

    def of(version: str) -> Mapping[str, Path]:
        if version not in found:
            releases.ensure(version)
            folder = tmp_path_factory.mktemp(f"etcd-{version}")
            for name in PROGRAMS:
                (folder / name).write_bytes(binary_of(version, name))
                (folder / name).chmod(0o755)
            found[version] = {name: folder / name for name in PROGRAMS}
        return found[version]

    return of
