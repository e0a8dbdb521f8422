"""Names and addresses as a host sees them (lib/host.sh, config)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.package.node.node_functions import functions_of
from tests.package.node.node_shell import LIBRARY, TEMPLATE

# Debian's own default has the second line.
HOSTS = """\
127.0.0.1 localhost
127.0.1.1\tpg1.example.org\tpg1 # the installer's
10.0.0.2 pg2
127.0.0.1 localhost.localdomain pg3
127.0.1.1 both
10.0.0.1 both
"""
# What is not in /etc/hosts is asked of getent; a name server that is away answers late.
GETENT = """\
#!/bin/sh
case $2 in
    slow) exec sleep 5 ;;
    dns) echo "10.0.0.1 STREAM dns" ;;
    *:*) echo "$2 STREAM" | sed 's/00*\\([0-9a-f]\\)/\\1/g' ;;
    *) exit 2 ;;
esac
"""
IP = """\
#!/bin/sh
echo '1: lo    inet 127.0.0.1/8 scope host lo'
echo '2: eth0    inet 10.0.0.1/24 scope global eth0'
echo '2: eth0    inet6 fd00::1/64 scope global'
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Programs of a host with the addresses 10.0.0.1 and fd00::1."""
    for name, text in (("getent", GETENT), ("ip", IP)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "hosts").write_text(HOSTS)
    return f"{tmp_path}:/usr/bin:/bin"


def shell(path: str, code: str, stdin: str = "") -> str:
    """What the code says with the library and the functions of `etcd-ha config` read."""
    parts = f'. "{LIBRARY}/host.sh"; {functions_of(TEMPLATE / "node/commands/config")}\n'
    environment = {"PATH": path, "HOSTS_FILE": f"{path.split(':')[0]}/hosts"}
    return subprocess.run(
        ["sh", "-euc", parts + code], env=environment, input=stdin, capture_output=True, text=True, check=True
    ).stdout


def doubts(path: str, address: str, *entries: str) -> list[str]:
    """Those about the member pg1 that listens on an address."""
    lines = "".join(f"{entry}\n" for entry in entries)
    return [
        line.replace("\t", " ").strip()
        for line in shell(path, f"host_doubts pg1 '{address}'", lines).splitlines()
    ]


@pytest.mark.parametrize(
    ("address", "entry", "doubt"),
    [
        ("10.0.0.1", "pg1 pg1", "own-name pg1 10.0.0.1"),
        ("10.0.0.1", "pg1 PG1", "own-name PG1 10.0.0.1"),
        ("10.0.0.1", "pg1 10.0.0.11", "own-url 10.0.0.11 10.0.0.1"),
        ("10.0.0.1", "pg1 pg2", "own-url pg2 10.0.0.1"),
        ("10.0.0.1", "pg1 127.0.0.1", "own-url 127.0.0.1 10.0.0.1"),
        ("10.0.0.1", "pg1 nowhere", "unknown-name nowhere"),
        ("10.0.0.1", "pg1 slow", "no-answer slow"),
        ("10.0.0.1", "pg3 pg3", "peer-name pg3 127.0.0.1"),
        ("10.0.0.1", "pg4 nowhere", "unknown-name nowhere"),
        ("10.0.0.7", "pg1 10.0.0.7", "foreign-address 10.0.0.7 10.0.0.1 fd00::1"),
    ],
)
def test_what_does_not_fit_the_host_is_named(path: str, address: str, entry: str, doubt: str) -> None:
    assert doubts(path, address, entry) == [doubt]


@pytest.mark.parametrize(
    ("address", "entry"),
    [
        ("10.0.0.1", "pg1 10.0.0.1"),
        ("10.0.0.1", "pg1 dns"),
        ("10.0.0.1", "pg1 both"),
        ("10.0.0.1", "pg2 pg2"),
        ("10.0.0.1", "pg2 10.9.9.9"),
        ("fd00::1", "pg1 fd00::0001"),
        ("127.0.0.1", "pg1 127.0.0.1"),
        ("", "pg1 pg1"),
    ],
)
def test_what_fits_the_host_raises_no_doubt(path: str, address: str, entry: str) -> None:
    assert doubts(path, address, entry) == []


def test_a_host_whose_addresses_cannot_be_known_has_none_that_is_wrong(path: str) -> None:
    folder = Path(path.split(":")[0])
    for name in ("ip", "hostname"):
        (folder / name).write_text("#!/bin/sh\nexit 1\n")
        (folder / name).chmod(0o755)
    assert doubts(path, "10.0.0.7", "pg1 10.0.0.7") == []


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("pg1", 'replace the line "127.0.1.1 pg1.example.org pg1" with: 10.0.0.1 pg1.example.org pg1'),
        ("pg3", 'remove pg3 from the line "127.0.0.1 localhost.localdomain pg3" and add: 10.0.0.1 pg3'),
        ("pg9", "Add this line to /etc/hosts: 10.0.0.1 pg9"),
    ],
)
def test_advice_about_the_hosts_file_has_the_line_to_type(path: str, name: str, advice: str) -> None:
    assert advice in shell(path, f"hosts_advice {name} 10.0.0.1")
