"""Real releases of the registries, and the packages built from them, each once a session."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.package.deb import Deb
from tests.package.genuine import genuine as genuine
from tests.package.node.node_shell import NodeShell, node_shell
from tests.package.surroundings import CHECKOUT
from tests.support.account import Account
from tests.support.command import run
from tests.support.releases import releases
from tests.support.releases.fake_release import Tarball, binaries, publish, tarball_name
from tests.support.upload import Upload

# The newest static build, and the newest of Debian's dynamic ones.
STATIC, DYNAMIC = releases.NEWEST["3.7"], "3.5.30"


@pytest.fixture(scope="session")
def release_folder() -> Path:
    """What ci/lab-releases makes: STATIC and DYNAMIC laid out as on GitHub, with SHA256SUMS as pins."""
    releases.ensure(STATIC, DYNAMIC)
    return releases.RELEASES


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "pip", "-q", "wheel", "--no-deps", "-w", folder, CHECKOUT], within=300)
    (wheel,) = folder.glob("etcd_deb-*.whl")
    return wheel


@pytest.fixture(scope="session")
def foreign_upload(tmp_path_factory: pytest.TempPathFactory) -> Upload:
    """What `etcd-deb build --arch arm64` made of a release whose programs only look like etcd."""
    folder = tmp_path_factory.mktemp("arm64")
    version = "3.6.99"
    tarball = Tarball("arm64").programs(binaries("arm64")).gz()
    root = publish(folder / "releases", {"arm64": tarball})
    account = Account(folder / "account")
    account.trusts(root / f"v{version}" / tarball_name("arm64"))
    result = account.build(version, root, "--arch", "arm64")
    assert result.status == 0, result.err
    return Upload(account.output, version, "arm64", result.out)


@pytest.fixture(scope="session", params=[STATIC, DYNAMIC])
def deb(request: pytest.FixtureRequest, upload: Callable[..., Upload]) -> Deb:
    """The package of each real release."""
    version: str = request.param
    return Deb(upload(version).deb)


@pytest.fixture(scope="session")
def static_deb(upload: Callable[..., Upload]) -> Deb:
    """The package of a static build, as upstream's are."""
    return Deb(upload(STATIC).deb)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeShell]:
    """One process of the node's shell for all cases."""
    with node_shell(tmp_path_factory.mktemp("shell")) as running:
        yield running


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
