"""A package that etcd-deb built of a made-up release, for those who judge it or forge it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from builder.inspection.inspect import Finding
from builder.release.origin import FolderOrigin
from builder.release.pins import read_pins
from builder.system.progress import Progress
from tests.support.account import Account
from tests.support.releases.fake_release import VERSION, good_tarball, publish, tarball_name
from tests.unit.samples import sources


@dataclass(frozen=True)
class Genuine:
    """A package that etcd-deb built of a release, and where that release is."""

    account: Account
    releases: Path
    deb: Path

    def look(self, package: Path, *options: str) -> tuple[int, dict[str, object]]:
        words = ("inspect", package, "--source", self.releases, "--pins", self.account.pins, "--json")
        result = self.account.run(*words, *options)
        assert result.out, result.err
        found: dict[str, object] = json.loads(result.out)
        assert self.account.scraps() == set()
        return result.status, found

    def found(self, run: Callable[..., object], package: Path) -> Finding:
        """The same in this process."""
        where = sources(FolderOrigin(self.releases))
        inspection = run(package, where, read_pins(str(self.account.pins)), Progress())
        finding: Finding = inspection.finding  # type: ignore[attr-defined]
        return finding


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> Genuine:
    folder = tmp_path_factory.mktemp("genuine")
    account = Account(folder / "account")
    releases = publish(folder / "releases", {"amd64": good_tarball()})
    account.trusts(releases / f"v{VERSION}" / tarball_name())
    result = account.build(VERSION, releases, "--compression", "gzip", "--arch", "amd64")
    assert result.status == 0, result.err
    return Genuine(account, releases, account.output / f"etcd-ha_{VERSION}-1_amd64.deb")
