"""The same tests for a bucket and for an rsync module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.support.archives.publisher import Publisher
from tests.support.archives.remotes import Moto, RemoteStore, module_of_rsync, moto_server
from tests.support.sample import sampled

_number = count()


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """It takes longer to start than most tests."""
    with moto_server(tmp_path_factory.mktemp("moto")) as server:
        yield server


# The server of buckets takes several times as long, so ci/test has it where a test asks for it.
@pytest.fixture(params=sampled(["s3", "rsync"], "rsync"))
def store(request: pytest.FixtureRequest, tmp_path: Path, publisher: Publisher) -> Iterator[RemoteStore]:
    """Empty, and the URL that the repository's .sources file names."""
    with ExitStack() as stack:
        if request.param == "s3":
            moto: Moto = request.getfixturevalue("moto")
            store: RemoteStore = moto.bucket(f"bucket-{next(_number)}")
        else:
            store = stack.enter_context(module_of_rsync(tmp_path / "store"))
        publisher.account.variables.update(store.variables)
        assert publisher.init("--url", store.url).status == 0
        yield store
