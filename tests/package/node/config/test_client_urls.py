"""`etcd-ha config lint` about what etcd accepts and Patroni can't use; each command is typed as printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.package.node.config.here import Here
from tests.package.node.config.test_lint import Tool
from tests.system.advice import follow

MEMBERS = "initial-cluster: pg1=http://192.0.2.1:2380,pg2=http://192.0.2.2:2380\n"


@pytest.fixture(params=["3.5", "3.6", "3.7"])
def tool(request: pytest.FixtureRequest, tmp_path: Path) -> Tool:
    return Tool(tmp_path, request.param)


def is_clean(tool: Tool) -> bool:
    return tool.lint(tool.file.read_text()) == ""


@pytest.mark.parametrize("value", ["false", "no", "Off", "FALSE"])
def test_a_gateway_that_is_off_is_named_and_turned_on_by_the_command(tool: Tool, value: str) -> None:
    said = tool.lint(f"name: a\nenable-grpc-gateway: {value}\n")
    assert "line 2: Patroni can't use this member without the gateway" in said
    follow(said, Here(tool), "etcd-ha config set enable-grpc-gateway true")
    assert tool.file.read_text() == "name: a\nenable-grpc-gateway: true\n"
    assert is_clean(tool)


def test_http_on_a_port_of_its_own_is_named_and_ended_by_the_command(tool: Tool) -> None:
    said = tool.lint("name: a\nlisten-client-http-urls: http://192.0.2.1:2382\n")
    assert "line 2: Patroni can't use this member, since etcd then serves no HTTP at listen-" in said
    follow(said, Here(tool), "etcd-ha config set listen-client-http-urls")
    assert tool.file.read_text() == 'name: a\nlisten-client-http-urls: ""\n'
    assert is_clean(tool)


@pytest.mark.parametrize(
    ("advertised", "listens", "better"),
    [
        ("http://127.0.0.1:2379", "http://192.0.2.1:2379,http://127.0.0.1:2379", "http://192.0.2.1:2379"),
        ("https://localhost:2379", "https://0.0.0.0:2379", "https://192.0.2.1:2379"),
        ("http://[::1]:2379", "http://[::1]:2379,http://[2001:db8::1]:2379", "http://[2001:db8::1]:2379"),
        ("http://pg1:2379,http://127.0.1.1:2379", "http://192.0.2.1:2379", "http://pg1:2379"),
    ],
)
def test_a_loopback_url_that_a_cluster_is_given_is_named_and_replaced_by_the_command(
    tool: Tool, advertised: str, listens: str, better: str
) -> None:
    document = (
        f"{MEMBERS}listen-client-urls: {listens}\nadvertise-client-urls: {advertised}\n"
        "initial-advertise-peer-urls: http://192.0.2.1:2380\n"
    )
    said = tool.lint(document)
    assert "line 3: advertise-client-urls has the loopback URL " in said
    follow(said, Here(tool), "etcd-ha config set advertise-client-urls")
    assert f"advertise-client-urls: {better}\n" in tool.file.read_text().replace('"', "")
    assert "the loopback URL" not in tool.lint(tool.file.read_text())


def test_where_no_other_node_has_to_reach_it_a_loopback_url_is_fine(tool: Tool) -> None:
    url = "advertise-client-urls: http://127.0.0.1:2379\n"
    assert tool.lint(f"initial-cluster: pg1=http://192.0.2.1:2380\n{url}") == ""
    assert tool.lint(f"initial-cluster: a=http://127.0.0.1:1,b=http://127.0.0.1:2\n{url}") == ""
    assert tool.lint(url) == ""


def test_where_no_address_of_the_node_is_known_none_is_guessed(tool: Tool) -> None:
    said = tool.lint(f"{MEMBERS}advertise-client-urls: http://127.0.0.1:2379\n")
    assert said.endswith("etcd-ha config set advertise-client-urls http://ADDRESS:2379\n")
