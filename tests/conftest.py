"""What all tests share: etcd-deb's own package; made-up inputs are the same in each run of ci/test."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.cache import locked, new_folder, shared_folder
from tests.support.command import run

settings.register_profile("same inputs", derandomize=True)
settings.load_profile("same inputs")


@pytest.fixture(scope="session")
def own_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """etcd-deb's own package, made once for all workers."""
    folder = shared_folder(tmp_path_factory, "own-package")
    with locked(folder.with_suffix(".lock")):
        if not folder.is_dir():
            with new_folder(folder) as made:
                run([Path(__file__).parents[1] / "ci/package", made], within=300)
    (deb,) = folder.iterdir()
    return deb
