"""No network beyond loopback, no settings of whoever runs the tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.support.releases.fake_release import good_tarball, publish
from tests.support.releases.release_server import ReleaseServer


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of a user without settings, pins, cache or token."""
    for name in [name for name in os.environ if name.startswith("ETCD_DEB_") or name.endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    return home


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    """A CA that requests is told to trust."""
    return trustme.CA()


@pytest.fixture
def server(tmp_path: Path, ca: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReleaseServer]:
    """An https server on 127.0.0.1 without any file yet."""
    bundle = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    root = tmp_path / "www"
    root.mkdir()
    with ReleaseServer(root, ca) as running:
        yield running


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a release that two witnesses vouch for."""
    root = publish(tmp_path_factory.mktemp("releases"), {"amd64": good_tarball()})
    (folder,) = root.iterdir()
    (folder / "SHA256SUMS.storage.invalid").write_bytes((folder / "SHA256SUMS").read_bytes())
    return root
