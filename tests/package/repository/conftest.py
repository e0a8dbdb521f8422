"""A repository for each test, and one key for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.archives.apt_client import AptClient
from tests.support.archives.publisher import Publisher, signing_home


@pytest.fixture(scope="session")
def gnupg_home() -> Iterator[Path]:
    """Where the key is; made by the first `repo init`."""
    with signing_home() as home:
        yield home


@pytest.fixture
def publisher(tmp_path: Path, gnupg_home: Path) -> Publisher:
    """A repository with the suite trixie, and nothing in it yet."""
    publisher = Publisher(tmp_path, gnupg_home)
    assert publisher.init().status == 0
    return publisher


@pytest.fixture
def apt(tmp_path: Path) -> AptClient:
    """A client that knows no repository yet."""
    return AptClient(tmp_path / "apt")
