"""A value of etcd.yaml that can't be read for certain is neither absent nor its default, for whoever asks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.package.node.config.yaml_files import READ, UNREAD
from tests.package.node.node_functions import Answer, call
from tests.package.node.node_shell import LIBRARY, REFUSED, TEMPLATE
from tests.support.releases.judge import judge


def member(script: str, config: Path) -> Answer:
    """A function of member.sh."""
    return call("yaml bbolt member host client upgrade", script, config=config)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration file that isn't there yet."""
    return tmp_path / "etcd.yaml"


@pytest.mark.parametrize("form", READ)
def test_a_form_that_etcd_reads_is_read(form: str, config: Path, tmp_path: Path) -> None:
    config.write_text(READ[form])
    with judge("3.7.3", tmp_path / "judge") as etcd:
        assert etcd.ask(config.read_bytes()).values["data-dir"] == "/srv/data"
    assert member("database_file", config) == Answer(0, "/srv/data/member/snap/db\n", "")
    assert member("wal_dir", config) == Answer(0, "/srv/data/member/wal\n", "")


@pytest.mark.parametrize("form", UNREAD)
@pytest.mark.parametrize(
    "function", ["setting data-dir /default", "data_dir", "wal_dir", "database_file", "member_has_data"]
)
def test_a_form_that_is_not_read_is_no_default(form: str, function: str, config: Path) -> None:
    config.write_text(UNREAD[form])
    answer = member(function, config)
    assert (answer.status, answer.err) == (REFUSED, "")
    assert f"-dir can't be read from {config}: line " in answer.out


@pytest.mark.parametrize(
    ("key", "function"),
    [
        ("listen-client-urls", "own_endpoint"),
        ("initial-cluster", "peer_entries"),
        ("advertise-client-urls", "client_url_of_host pg2"),
        ("name", "data_dir"),
        ("wal-dir", "wal_dir"),
        ("data-dir", "newer_data_versions 3.6.16"),
        ("listen-client-urls", "identify_client"),
        ("quota-backend-bytes", "setting quota-backend-bytes 0"),
    ],
)
def test_what_is_made_of_an_unread_value_is_unread(key: str, function: str, config: Path) -> None:
    config.write_text(f"{key}: |+\n  http://10.0.0.1:1\n")
    answer = member(function, config)
    assert (answer.status, answer.err) == (REFUSED, "")
    assert answer.out.startswith(f"{key} can't be read from {config}: line 1: ")


def test_a_part_of_a_block_in_flow_style_is_not_absent(config: Path) -> None:
    config.write_text("client-transport-security: {cert-file: /c}\n")
    answer = member("setting client-transport-security.cert-file", config)
    assert (answer.status, answer.err) == (REFUSED, "")


def test_a_file_that_is_not_there_has_no_defaults(config: Path) -> None:
    assert member("setting name default", config) == Answer(
        REFUSED, f"name can't be read from {config}: the file does not exist\n", ""
    )


@pytest.mark.parametrize("written", ["", "name: ~\n", "wal-dir: /log\n"])
def test_absent_and_null_give_the_default(written: str, config: Path) -> None:
    config.write_text(written)
    assert member("setting name default; data_dir", config) == Answer(0, "default\n/default.etcd\n", "")


def test_a_relative_path_is_meant_from_the_root_directory_in_which_the_unit_runs(config: Path) -> None:
    config.write_text("data-dir: data\nwal-dir: log\n")
    assert member("data_dir; wal_dir", config).out == "/data\n/log\n"
    assert 'ReadWritePaths="-/data"\nReadWritePaths="-/log"\n' in generate(config)[0]


def test_numbers_and_switches_are_as_etcd_takes_them(config: Path) -> None:
    config.write_text("quota-backend-bytes: 0x80000000\nclient-transport-security:\n  auto-tls: Yes\n")
    assert member("setting client-transport-security.auto-tls", config).out == "true\n"
    assert member("setting quota-backend-bytes 0", config).status == REFUSED


# Row by row: what a caller does where it can't read a value.

FAKE_ETCD = '#!/bin/sh\ncase $* in *--version*) echo "etcd Version: 3.7.3" ;; *) echo "started $2" ;; esac\n'


def preflight(config: Path) -> Answer:
    """Preflight as the main process of the unit, with a program that only says that it was started."""
    program = config.parent / "bin" / "etcd"
    program.parent.mkdir(exist_ok=True)
    program.write_text(FAKE_ETCD)
    program.chmod(0o755)
    done = subprocess.run(
        ["sh", TEMPLATE / "node/commands/preflight", program, "--config-file", config],
        env={"PATH": os.environ["PATH"], "ETCD_HA_LIB": str(LIBRARY)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("form", UNREAD)
def test_preflight_starts_a_member_whose_data_dir_it_cannot_read(form: str, config: Path) -> None:
    config.write_text(UNREAD[form])
    answer = preflight(config)
    assert (answer.status, answer.out) == (0, f"started {config}\n")
    assert answer.err.count("etcd-ha: warning: ") == 1
    assert ": line 1" in answer.err or ": line 2" in answer.err


UNREAD_BESIDE_A_CERTIFICATE = "data-dir: |\n  /srv/data\npeer-transport-security:\n  cert-file: /none/c.pem\n"


def test_preflight_still_judges_what_it_can_read(config: Path) -> None:
    config.write_text(f"{UNREAD_BESIDE_A_CERTIFICATE}  key-file: /none/c.key\n")
    answer = preflight(config)
    assert answer.status == 1
    assert "/none/c.pem (peer-transport-security.cert-file) does not exist. " in answer.err
    assert answer.err.count("The service looks for it again in a few seconds.") == 2


def test_preflight_promises_no_new_look_at_a_file_where_a_setting_is_lacking(config: Path) -> None:
    config.write_text(UNREAD_BESIDE_A_CERTIFICATE)
    answer = preflight(config)
    assert answer.status == 78
    assert "/none/c.pem (peer-transport-security.cert-file) does not exist. " in answer.err
    assert "in a few seconds" not in answer.err
    assert "Preflight looks for it again at the next start." in answer.err


def generate(config: Path) -> tuple[str, str]:
    """The drop-in that the generator makes, and what it says."""
    output = config.parent / "units"
    done = subprocess.run(
        ["sh", TEMPLATE / "generator/etcd-ha", output],
        env={
            "PATH": os.environ["PATH"],
            "ETCD_HA_LIB": str(LIBRARY),
            "ETCD_HA_CONFIG": str(config),
            "ETCD_HA_UNIT": "/none",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    made = output / "etcd.service.d" / "etcd-ha-paths.conf"
    return made.read_text() if made.exists() else "", done.stderr


@pytest.mark.parametrize("form", [*UNREAD, "a quote"])
def test_the_sandbox_opens_where_the_path_of_the_data_is_not_known(form: str, config: Path) -> None:
    config.write_text(UNREAD.get(form, "data-dir: /srv/it's\n"))
    made, said = generate(config)
    assert "\n[Service]\nProtectSystem=no\nProtectHome=no\nPrivateTmp=no\n" in made
    assert "ReadWritePaths" not in made
    assert said.startswith("etcd-ha: warning: etcd.service may write wherever the user etcd may: ")


@pytest.mark.parametrize("form", READ)
def test_the_sandbox_lets_etcd_write_where_the_data_is(form: str, config: Path) -> None:
    config.write_text(READ[form])
    assert 'ReadWritePaths="-/srv/data"\n' in generate(config)[0]


def test_the_sandbox_needs_nothing_for_the_packages_own_directory(config: Path) -> None:
    config.write_text("data-dir: /var/lib/etcd-ha\n")
    assert generate(config) == ("", "")


@pytest.mark.parametrize("form", UNREAD)
def test_data_that_may_lie_below_the_directory_of_debians_package_is_not_called_safe(
    form: str, config: Path
) -> None:
    config.write_text(UNREAD[form])
    assert (
        call("message yaml service takeover", 'takeover_is_endangered "$CONFIG"', config=config).status
        == REFUSED
    )


def purge(root: Path) -> str:
    """What postrm says when the package is purged from another root."""
    script = (TEMPLATE / "etcd-ha.postrm").read_text().replace("#DEBHELPER#", "")
    for part in LIBRARY.iterdir():
        script = script.replace(f"#LIB_{part.name.replace('-', '_')}#", part.read_text())
    done = subprocess.run(
        ["sh", "-c", script.replace("/usr/share/debconf/confmodule", "/none"), "postrm", "purge"],
        env={"PATH": os.environ["PATH"], "DPKG_ROOT": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stderr


@pytest.mark.parametrize("form", READ)
def test_purge_tells_of_data_that_is_kept(form: str, tmp_path: Path) -> None:
    config = tmp_path / "etc/etcd/etcd.yaml"
    config.parent.mkdir(parents=True)
    (tmp_path / "srv/data").mkdir(parents=True)
    config.write_text("# made by the package etcd-ha\n" + READ[form])
    assert "etcd-ha: data is kept in /srv/data\n" in purge(tmp_path)
    assert not config.exists()


@pytest.mark.parametrize("form", UNREAD)
def test_purge_keeps_a_file_that_may_name_data_it_cannot_read(form: str, tmp_path: Path) -> None:
    config = tmp_path / "etc/etcd/etcd.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("# made by the package etcd-ha\n" + UNREAD[form])
    assert f"{config} is kept, since it may name a directory with data that is kept as well" in purge(
        tmp_path
    )
    assert config.exists()
