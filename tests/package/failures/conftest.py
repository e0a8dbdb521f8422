"""A place to work, and the three origins of a release on one local web server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.support.account import Account
from tests.support.faults.answers import Status
from tests.support.releases.fake_release import VERSION, good_tarball, publish, sha256, tarball_name
from tests.support.releases.release_server import ReleaseServer


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    """A CA that etcd-deb is told to trust."""
    return trustme.CA()


@pytest.fixture
def account(tmp_path: Path) -> Account:
    """Folders of a user who has built nothing yet."""
    return Account(tmp_path / "account")


class Origins:
    """Mirror (the source), witness and API: three folders of one https server."""

    def __init__(self, server: ReleaseServer) -> None:
        self.server = server
        self.source = f"{server.url}/mirror"
        self.tarball = f"/mirror/v{VERSION}/{tarball_name()}"
        self.checksums = f"/mirror/v{VERSION}/SHA256SUMS"
        self.witness_checksums = f"/witness/v{VERSION}/SHA256SUMS"
        self.api_release = f"/api/releases/tags/v{VERSION}"

    def file(self, path: str) -> Path:
        return self.server.root / path.lstrip("/")

    def publish(self, **tarballs: bytes) -> None:
        """The same release at the mirror and at the witness, which has its SHA256SUMS alone."""
        publish(self.server.root / "mirror", tarballs)
        witness = self.file(self.witness_checksums)
        witness.parent.mkdir(parents=True, exist_ok=True)
        witness.write_text(self.file(self.checksums).read_text())

    def tell_api(self, **tarballs: bytes) -> None:
        """GitHub's digests of these tarballs."""
        assets = [
            {"name": tarball_name(architecture), "digest": f"sha256:{sha256(data)}"}
            for architecture, data in tarballs.items()
        ]
        release = self.file(self.api_release)
        release.parent.mkdir(parents=True, exist_ok=True)
        release.write_text(json.dumps({"tag_name": f"v{VERSION}", "assets": assets}))

    def list_at_api(self, *releases: dict[str, str]) -> None:
        """GitHub's list of releases."""
        body = json.dumps(releases).encode()
        self.server.script_always("/api/releases", Status(200, body=body))


@pytest.fixture
def origins(tmp_path: Path, ca: trustme.CA, account: Account) -> Iterator[Origins]:
    """A good release at all origins but the API, where the account's settings look for it."""
    bundle = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(bundle))
    root = tmp_path / "www"
    root.mkdir()
    with ReleaseServer(root, ca) as server:
        account.variables |= {
            "REQUESTS_CA_BUNDLE": str(bundle),
            "ETCD_DEB_WITNESS": f"{server.other_url}/witness",
            "ETCD_DEB_API": f"{server.other_url}/api",
            "ETCD_DEB_TIMEOUT": "20",
        }
        origins = Origins(server)
        origins.publish(amd64=good_tarball())
        yield origins
