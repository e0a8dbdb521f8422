"""Debian's cloud-init, without a boot: its modules do what user-data says (order: test_debians_own)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.package.cluster.made import FULL, etcd_deb
from tests.package.cluster.test_debians_own import described
from tests.support.machines.chroot import Chroot, chroot

SEED = "/var/lib/cloud/seed/nocloud"
# A seed on the disk is all that is asked, and a chroot has no network, disk or keys of ssh to set up.
SETTINGS = """\
datasource_list: [NoCloud]
network: {config: disabled}
cloud_init_modules: [bootcmd, write_files]
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chroot]:
    """A Debian 13 root on which cloud-init has run what it runs before packages, and after them."""
    folder = tmp_path_factory.mktemp("seed")
    out = ("--output", folder / "out")
    file = described(folder, FULL)
    etcd_deb("certs", file, *out)
    etcd_deb("cloud-init", file, *out)
    (folder / "out/pg1/meta-data").write_text("instance-id: one\n")
    (folder / "settings").write_text(SETTINGS)
    with chroot("trixie", "systemd", "cloud-init") as root:
        for name in ("user-data", "meta-data"):
            root.put(folder / "out/pg1" / name, f"{SEED}/{name}")
        root.put(folder / "settings", "/etc/cloud/cloud.cfg.d/99_seed.cfg")
        root.run("cloud-init", "init", "--local")
        root.run("cloud-init", "init")
        root.run("cloud-init", "single", "--name", "apt_configure", "--frequency", "always")
        # Of the packages: the account that they bring.
        root.run("groupadd", "--system", "postgres")
        root.run("cloud-init", "single", "--name", "write_files_deferred", "--frequency", "always")
        yield root


def owners(node: Chroot, folder: str) -> dict[str, str]:
    said = node.run("sh", "-c", f"cd {folder} && stat -c '%n %U:%G %a' *").stdout
    return dict(line.split(" ", 1) for line in said.splitlines())


def test_cloud_init_takes_every_key_of_user_data(node: Chroot) -> None:
    said = node.run("cloud-init", "schema", "--config-file", f"{SEED}/user-data").stdout
    assert "Valid schema" in said


def test_the_account_is_there_before_the_certificates_that_it_reads(node: Chroot) -> None:
    assert "etcd member" in node.run("getent", "passwd", "etcd").stdout
    assert owners(node, "/etc/etcd/tls") == {
        "ca.crt": "root:root 644",
        "server.crt": "root:root 644",
        "server.key": "root:etcd 640",
        "peer.crt": "root:root 644",
        "peer.key": "root:etcd 640",
        "root.crt": "root:root 644",
        "root.key": "root:root 600",
    }


def test_patronis_files_wait_for_the_packages(node: Chroot) -> None:
    assert owners(node, "/etc/patroni/tls") == {
        "ca.crt": "root:root 644",
        "client.crt": "root:root 644",
        "client.key": "root:postgres 640",
    }
    assert owners(node, "/etc/patroni")["dcs.yml"] == "root:root 644"


def test_debconf_has_the_answers_before_there_is_a_package(node: Chroot) -> None:
    known = (node.root / "var/cache/debconf/config.dat").read_text()
    assert "Name: etcd-ha/members\n" in known
    assert (
        "Value: pg1=https://192.0.2.1:2380,pg2=https://192.0.2.2:2380,pg3=https://192.0.2.3:2380\n" in known
    )


def test_the_repository_is_added_and_no_source_of_the_image_is_touched(node: Chroot) -> None:
    source: Path = node.root / "etc/apt/sources.list.d/etcd-ha.sources"
    assert "URIs: http://apt.example.org\n" in source.read_text()
    others = [path for path in source.parent.iterdir() if path != source]
    assert not [path for path in others if "cloud-init" in path.read_text()]
