"""user-data: what each node is given, whose it is and when it is written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from builder import shipped
from builder.cluster.cloud_init import SOURCES, Material, read_material, user_data
from builder.cluster.model import Cluster
from builder.cluster.preseed import preseed
from builder.cluster.tls.issuing import make
from builder.errors import EtcdDebError, UsageError
from tests.unit.cluster.files import FIVE, SMALL, described

KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nbWFkZSB1cA==\n=AAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"
REPOSITORY = "repository: {url: http://apt.example.org, suite: trixie, component: 3.6, keyring: key.asc}\n"
NOW = datetime.now(UTC)


def equipped(folder: Path, text: str) -> tuple[Cluster, Material]:
    cluster = described(folder, text + REPOSITORY)
    (folder / "key.asc").write_text(KEY)
    if cluster.has_tls:
        make(cluster, folder / "out", NOW, renew=False)
    return cluster, read_material(cluster, folder / "out")


def said(cluster: Cluster, material: Material, number: int, *, golden: bool = False) -> dict[str, object]:
    text = user_data(cluster, cluster.nodes[number], material, golden=golden)
    assert text.startswith("#cloud-config\n")
    found = yaml.safe_load(text)
    assert isinstance(found, dict)
    return found


def files(found: dict[str, object]) -> dict[str, dict[str, object]]:
    listed = found["write_files"]
    assert isinstance(listed, list)
    assert len({entry["path"] for entry in listed}) == len(listed)
    return {entry["path"]: entry for entry in listed}


def test_a_member_gets_the_repository_the_answers_and_the_package(tmp_path: Path) -> None:
    cluster, material = equipped(tmp_path, SMALL)
    found = said(cluster, material, 0)
    assert found["hostname"] == "pg1"
    assert found["apt"] == {
        "preserve_sources_list": True,
        "debconf_selections": {"etcd-ha": preseed(cluster, cluster.nodes[0])},
    }
    assert (found["package_update"], found["packages"]) == (True, ["etcd-ha"])
    source = files(found)[SOURCES]
    assert "defer" not in source
    assert str(source["content"]).splitlines() == [
        *("Types: deb", "URIs: http://apt.example.org", "Suites: trixie", "Components: 3.6"),
        *("Architectures: amd64 arm64 ppc64el s390x", "Signed-By:"),
        *(f" {line or '.'}" for line in KEY.splitlines()),
    ]


def test_etcds_certificates_are_there_before_the_package_and_so_is_its_account(tmp_path: Path) -> None:
    cluster, material = equipped(tmp_path, SMALL)
    found = said(cluster, material, 0)
    shipped_lines = (shipped.DEBIAN_TEMPLATE / "etcd-ha.sysusers").read_text().splitlines()
    (line,) = (line for line in shipped_lines if not line.startswith("#"))
    assert found["bootcmd"] == [["systemd-sysusers", "--inline", line]]
    assert not [path for path, entry in files(found).items() if "defer" in entry]


def test_files_of_accounts_that_packages_bring_are_deferred(tmp_path: Path) -> None:
    cluster, material = equipped(tmp_path, SMALL + "patroni: {postgresql: 17, network: 192.0.2.0/24}\n")
    found = files(said(cluster, material, 0))
    for path, entry in found.items():
        group = str(entry.get("owner", "root:root")).partition(":")[2]
        assert ("defer" in entry) is path.startswith("/etc/patroni/"), path
        assert group in ("root", "etcd") or entry["defer"] is True, path
    owners = {path: (entry.get("owner"), entry["permissions"]) for path, entry in found.items()}
    assert owners["/etc/etcd/tls/server.key"] == ("root:etcd", "0640")
    assert owners["/etc/etcd/tls/root.key"] == ("root:root", "0600")
    assert owners["/etc/patroni/tls/client.key"] == ("root:postgres", "0640")
    assert found["/etc/patroni/dcs.yml"]["defer"] is True
    # It has to be there before postgresql-17 makes a cluster of its own.
    assert "defer" not in found["/etc/postgresql-common/createcluster.d/patroni.conf"]


def test_a_node_gets_no_key_of_another_node_and_none_of_the_ca(tmp_path: Path) -> None:
    cluster, material = equipped(tmp_path, SMALL + "kubernetes: true\n")
    text = user_data(cluster, cluster.nodes[0], material, golden=False)
    for path, content in material.content.items():
        if path.suffix == ".key":
            inside = content.decode().splitlines()[1] in text
            assert inside is (path.parts[0] == "pg1"), path
    assert (tmp_path / "out/ca.d/ca-1.key").read_text().splitlines()[1] not in text


def test_a_golden_image_gets_its_answers_and_no_packages(tmp_path: Path) -> None:
    cluster, material = equipped(tmp_path, FIVE)
    member, client = (said(cluster, material, number, golden=True) for number in (0, 3))
    answers = files(member)["/run/etcd-ha.preseed"]
    assert answers["content"] == preseed(cluster, cluster.nodes[0])
    assert member["runcmd"] == [
        ["debconf-set-selections", answers["path"]],
        ["dpkg-reconfigure", "-f", "noninteractive", "etcd-ha"],
    ]
    for found in (member, client):
        # cloud-init warns of selections for a package that is installed.
        assert found["apt"] == {"preserve_sources_list": True}
        assert not {"packages", "package_update"} & set(found)
    assert "runcmd" not in client
    assert "/etc/postgresql-common/createcluster.d/patroni.conf" not in files(client)


def test_only_nodes_of_patroni_get_postgresql(tmp_path: Path) -> None:
    cluster, material = equipped(tmp_path, FIVE)
    assert said(cluster, material, 0)["packages"] == ["etcd-ha"]
    assert said(cluster, material, 3)["packages"] == ["etcd-ha", "postgresql-17", "patroni", "python3-etcd"]


def test_without_tls_no_certificate_is_asked_for(tmp_path: Path) -> None:
    cluster, material = equipped(tmp_path, SMALL.replace("own", "none"))
    found = said(cluster, material, 0)
    assert list(files(found)) == [SOURCES]
    assert "bootcmd" not in found


def test_what_is_missing_is_said_with_the_command_that_makes_it(tmp_path: Path) -> None:
    (tmp_path / "key.asc").write_text(KEY)
    with pytest.raises(UsageError, match="does not name a repository"):
        read_material(described(tmp_path, SMALL), tmp_path / "out")
    with pytest.raises(EtcdDebError, match="is missing") as refusal:
        read_material(described(tmp_path, SMALL + REPOSITORY), tmp_path / "out")
    assert refusal.value.hint == f"etcd-deb cluster certs FILE --output {tmp_path}/out"


@pytest.mark.parametrize(
    "content",
    [b"", b"\x99\x01\x0d\x04", KEY.replace("PUBLIC", "PRIVATE").encode(), b"-----BEGIN CERTIFICATE-----\n"],
)
def test_what_is_no_public_key_is_refused_and_not_shown(tmp_path: Path, content: bytes) -> None:
    cluster = described(tmp_path, SMALL.replace("own", "none") + REPOSITORY)
    (tmp_path / "key.asc").write_bytes(content)
    with pytest.raises(EtcdDebError, match="key") as refusal:
        read_material(cluster, tmp_path / "out")
    assert "bWFkZSB1cA" not in refusal.value.render()
