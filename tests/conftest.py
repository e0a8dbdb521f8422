"""Packages of etcd and of etcd-deb, made once for all tests; made-up inputs are the same in each run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.account import Account
from tests.support.cache import locked, new_folder, shared_folder, write_whole
from tests.support.command import run
from tests.support.releases import releases
from tests.support.upload import Upload

# Seconds. Of the processor it takes about 20 (ci/bench judges that), and other workers may take theirs.
BUILT_WITHIN = 300

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


@pytest.fixture(scope="session")
def upload(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Upload]:
    """upload(version, compression="zstd") is what `etcd-deb build` made of a release of the registries.

    Built once, whichever of xdist's workers asks first; nobody changes it. zstd, since it is the fastest and
    many nodes unpack it; etcd-deb compresses with xz by itself.
    """
    shared = shared_folder(tmp_path_factory, "uploads")

    def of(version: str, compression: str = "zstd") -> Upload:
        releases.ensure(version)
        folder = shared / f"{version}-{compression}"
        said = folder / "said"
        with locked(shared / f"{folder.name}.lock"):
            if not said.is_file():
                account = Account(folder / "account")
                account.pins = releases.PINS
                options = ("--compression", compression, "--json")
                words = account.build_words(version, releases.RELEASES, *options)
                result = account.start(*words).finish(BUILT_WITHIN)
                assert result.status == 0, result.err
                write_whole(said, result.out)
        return Upload(folder / "account/dist", version, "amd64", said.read_text())

    return of
