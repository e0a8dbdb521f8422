"""What is written for Debian's programs, against them: cloud-init's schema, pg_createconfig_patroni."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft4Validator

from builder.cluster.patroni import section
from tests.package.cluster.made import FULL, cluster_of, etcd_deb
from tests.support.command import run
from tests.support.machines.mirror import download_packages
from tests.support.sample import sampled
from tests.unit.cluster.files import FIVE

SUITES = ("bookworm", "trixie")
REPOSITORY = "repository: {url: http://apt.example.org, suite: trixie, component: 3.6, keyring: key.asc}\n"
KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nbWFkZSB1cA==\n=AAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"
SCHEMA = "usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json"


@pytest.fixture(scope="module", params=sampled(SUITES, "trixie"))
def debian(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """cloud-init and patroni of a suite, unpacked."""
    folder = tmp_path_factory.mktemp(request.param)
    for deb in download_packages(request.param, ["cloud-init", "patroni"], folder):
        run(["dpkg-deb", "--extract", deb, folder / "root"])
    return folder / "root"


def described(folder: Path, text: str) -> Path:
    file = folder / "cluster.yaml"
    file.write_text(text + REPOSITORY)
    (folder / "key.asc").write_text(KEY)
    return file


@pytest.mark.parametrize("golden", [(), ("--golden",)], ids=["bare", "golden"])
@pytest.mark.parametrize("text", [FULL, FIVE, FULL.replace("own", "none").replace("kubernetes: true", "")])
def test_user_data_has_the_form_of_cloud_inits_schema(
    debian: Path, tmp_path: Path, text: str, golden: tuple[str, ...]
) -> None:
    file, out = described(tmp_path, text), ("--output", tmp_path / "out")
    if "own" in text:
        etcd_deb("certs", file, *out)
    etcd_deb("cloud-init", file, *out, *golden)
    validator = Draft4Validator(json.loads((debian / SCHEMA).read_text()))
    written = sorted((tmp_path / "out").glob("*/user-data"))
    assert len(written) == len(cluster_of(file).nodes)
    for path in written:
        assert path.stat().st_mode & 0o777 == 0o600
        validator.validate(yaml.safe_load(path.read_text()))
    spoilt = yaml.safe_load(written[0].read_text()) | {"write_files": [{"paht": "/etc/x"}]}
    assert not validator.is_valid(spoilt)


def configured(debian: Path, tmp_path: Path, dcs: str, version: str) -> str:
    """What Debian's own script makes of dcs.yml, its paths turned into a folder; all else is as it is."""
    root = tmp_path / "root"
    etc = root / "etc/patroni"
    etc.mkdir(parents=True)
    etc.joinpath("config.yml.in").write_bytes((debian / "etc/patroni/config.yml.in").read_bytes())
    etc.joinpath("dcs.yml").write_text(dcs)
    initdb = root / f"usr/lib/postgresql/{version}/bin/initdb"
    initdb.parent.mkdir(parents=True)
    initdb.touch()
    programs = root / "programs"
    programs.mkdir()
    for name in ("pg_lsclusters", "chown"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    script = (debian / "usr/bin/pg_createconfig_patroni").read_text()
    for place in ("/etc/patroni", "/usr/lib/postgresql"):
        script = script.replace(place, f"{root}{place}")
    (root / "script").write_text(script)
    words = ["--hostip=192.0.2.1", "--network=192.0.2.0/24", version, "main"]
    path = f"{programs}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", root / "script", *words], env={"PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return (etc / f"{version}-main.yml").read_text()


def test_debians_script_takes_dcs_yml_whole(debian: Path, tmp_path: Path) -> None:
    file = described(tmp_path, FULL)
    etcd_deb("patroni", file, "--output", tmp_path / "out")
    written = (tmp_path / "out/pg1/dcs.yml").read_text()
    found = yaml.safe_load(configured(debian, tmp_path, written, "17"))
    assert found["etcd3"] == yaml.safe_load(written)["etcd3"]
    assert found["etcd3"]["cacert"] == "/etc/patroni/tls/ca.crt"
    assert found["restapi"]["listen"].startswith("192.0.2.1:8008")
    assert "192.0.2.0/24" in str(found)


def test_debians_script_loses_a_bare_path_which_is_why_ours_is_escaped(debian: Path, tmp_path: Path) -> None:
    cluster = cluster_of(described(tmp_path, FULL))
    assert configured(debian, tmp_path, section(cluster), "17") == ""


def test_debians_cloud_init_runs_its_modules_in_the_order_that_user_data_counts_on(debian: Path) -> None:
    config = yaml.safe_load((debian / "etc/cloud/cloud.cfg").read_text())
    stages = ("cloud_init_modules", "cloud_config_modules", "cloud_final_modules")
    order = [str(module).replace("-", "_") for stage in stages for module in config[stage]]
    wanted = [
        *("bootcmd", "write_files", "apt_configure", "package_update_upgrade_install"),
        *("write_files_deferred", "scripts_user"),
    ]
    assert [module for module in order if module in wanted] == wanted
