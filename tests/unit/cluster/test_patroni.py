"""The etcd3: section, and the command for each node."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from builder.cluster.patroni import command, dcs, section
from tests.unit.cluster.files import FIVE, SMALL, described

TLS = {
    "protocol": "https",
    "cacert": "/etc/patroni/tls/ca.crt",
    "cert": "/etc/patroni/tls/client.crt",
    "key": "/etc/patroni/tls/client.key",
}


def test_both_styles_say_the_same_of_every_member(tmp_path: Path) -> None:
    cluster = described(tmp_path, FIVE)
    expected = {"etcd3": {"hosts": ["192.0.2.1:2379", "192.0.2.2:2379", "192.0.2.3:2379"], **TLS}}
    assert yaml.safe_load(section(cluster)) == expected
    assert yaml.safe_load(dcs(cluster)) == expected


def test_without_tls_no_file_is_named(tmp_path: Path) -> None:
    cluster = described(tmp_path, SMALL.replace("own", "none"))
    found = yaml.safe_load(section(cluster))["etcd3"]
    assert set(found) == {"hosts", "protocol"}
    assert found["protocol"] == "http"


def test_an_address_of_ipv6_is_text_for_yaml(tmp_path: Path) -> None:
    cluster = described(tmp_path, SMALL.replace("192.0.2.1", "2001:db8::1"))
    assert yaml.safe_load(dcs(cluster))["etcd3"]["hosts"][0] == "[2001:db8::1]:2379"


@pytest.mark.parametrize("text", [FIVE, SMALL, SMALL.replace("192.0.2.1", "2001:db8::1")])
def test_nothing_in_dcs_yml_ends_the_script_that_it_is_pasted_into(tmp_path: Path, text: str) -> None:
    pasted = dcs(described(tmp_path, text))
    assert "/" not in pasted.replace("\\/", "")
    assert not set("&@$#") & set(pasted)


def test_the_command_names_the_address_and_the_network(tmp_path: Path) -> None:
    cluster = described(tmp_path, FIVE)
    assert cluster.patroni
    assert command(cluster.patroni, cluster.patroni.nodes[0]) == (
        "pg_createconfig_patroni --hostip=192.0.2.11 --network=192.0.2.0/24 17 main"
    )
