"""An installed etcd-deb carries all it needs: it builds outside the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.support.account import Account, assert_built
from tests.support.releases.fake_release import VERSION, good_tarball, publish, tarball_name

CHECKOUT = Path(__file__).resolve().parents[2]


def test_wheel_carries_every_file_of_template_and_settings(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("builder/data/")}
    wanted = {
        f"builder/data/{path.relative_to(CHECKOUT)}"
        for folder in ("conf", "debian-template")
        for path in (CHECKOUT / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert packed == wanted


def test_wheel_has_the_nodes_python_to_import(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("etcd_ha/")}
    node = CHECKOUT / "debian-template/node"
    assert packed == {str(path.relative_to(node)) for path in (node / "etcd_ha").rglob("*.py")}


def test_installed_wheel_builds_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    # By the pip of these tests: installing one there would take longer than all else.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    pip = [sys.executable, "-m", "pip", "-q", "--python", str(environment / "bin/python")]
    subprocess.run([*pip, "install", str(wheel)], check=True)
    account = Account(tmp_path / "account")
    account.program = environment / "bin/etcd-deb"
    releases = publish(tmp_path / "releases", {"amd64": good_tarball()})
    account.trusts(releases / f"v{VERSION}" / tarball_name())
    result = account.build(VERSION, releases)
    assert_built(account, result, f"etcd-ha_{VERSION}-1_amd64")
    where = subprocess.run(
        [str(environment / "bin/python"), "-c", "import builder; print(builder.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert Path(where).is_relative_to(environment)
