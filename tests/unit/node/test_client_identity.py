"""What etcdctl on a node is told: who asks, and where the member is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from builder.shipped import DEBIAN_TEMPLATE

ASK = '. "$1/yaml.sh"; . "$1/host.sh"; . "$1/member.sh"; . "$1/client.sh"; identify_client; env'


def variables(folder: Path, **exported: str) -> dict[str, str]:
    """The ETCDCTL_ variables of a client, given those that the admin's shell exports."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "CONFIG": str(folder / "etcd.yaml"),
        "CREDENTIALS": str(folder / "credentials"),
        "LIB": str(DEBIAN_TEMPLATE / "node/lib"),
        **exported,
    }
    words = ["sh", "-euc", ASK, "sh", str(DEBIAN_TEMPLATE / "node/lib")]
    said = subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout
    pairs = (line.partition("=") for line in said.splitlines() if line.startswith("ETCDCTL_"))
    return {name: value for name, _, value in pairs}


def test_variables_that_contradict_options_are_dropped(tmp_path: Path) -> None:
    contradict = {
        f"ETCDCTL_{name}": "x" for name in ("ENDPOINTS", "WRITE_OUT", "DIAL_TIMEOUT", "COMMAND_TIMEOUT")
    }
    assert variables(tmp_path, **contradict) == {"ETCDCTL_API": "3"}


def test_user_comes_from_the_credentials_unless_the_admin_says_another(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("root:secret\nignored\n")
    assert variables(tmp_path)["ETCDCTL_USER"] == "root:secret"
    assert variables(tmp_path, ETCDCTL_USER="dba:x")["ETCDCTL_USER"] == "dba:x"


@pytest.mark.parametrize(
    ("listens", "endpoint"),
    [
        ("http://10.0.0.5:2379", "http://10.0.0.5:2379"),
        ("http://10.0.0.5:2379,http://127.0.0.1:2379", "http://127.0.0.1:2379"),
        ("http://127.0.0.1:2379, http://10.0.0.5:2379", "http://127.0.0.1:2379"),
        ("http://0.0.0.0:2379", "http://127.0.0.1:2379"),
        ("http://[::]:2379", "http://[::1]:2379"),
        ("http://[fd00::5]:2379,http://[fd00::6]:2379", "http://[fd00::5]:2379"),
        # Under TLS the certificate has to carry the name.
        ("https://0.0.0.0:2379", "https://pg1:2379"),
    ],
)
def test_member_is_found_where_it_listens(tmp_path: Path, listens: str, endpoint: str) -> None:
    config = tmp_path / "etcd.yaml"
    config.write_text(f"listen-client-urls: {listens}\nadvertise-client-urls: https://pg1:2379\n")
    ask = '. "$1/yaml.sh"; . "$1/host.sh"; . "$1/member.sh"; . "$1/client.sh"; own_endpoint'
    words = ["sh", "-euc", ask, "sh", str(DEBIAN_TEMPLATE / "node/lib")]
    environment = {"PATH": "/usr/bin:/bin", "CONFIG": str(config), "LIB": str(DEBIAN_TEMPLATE / "node/lib")}
    said = subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout
    assert said == f"{endpoint}\n"
