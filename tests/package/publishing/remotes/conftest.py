"""The same tests for a bucket and for an rsync module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.lab.publisher import Publisher
from tests.lab.remotes import RemoteStore, bucket_of_moto, module_of_rsync

KINDS: dict[str, Callable[[Path], AbstractContextManager[RemoteStore]]] = {
    "s3": bucket_of_moto,
    "rsync": module_of_rsync,
}


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path, publisher: Publisher) -> Iterator[RemoteStore]:
    """Empty, and the URL that the repository's .sources file names."""
    with KINDS[request.param](tmp_path / "store") as store:
        publisher.account.variables.update(store.variables)
        assert publisher.init("--url", store.url).status == 0
        yield store
