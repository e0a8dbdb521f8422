"""What a running etcd shows of itself, however it was started; real etcd, on this machine's loopback."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.package.node.node_shell import LIBRARY
from tests.support.releases.loopback_etcd import LoopbackEtcd, free_ports, loopback_etcd, options_of, programs

SHELL = r"""
LIB=$1 ETCD_BIN=$2 CONFIG=$3 view=$4 pid=$5
for part in service yaml bbolt wal host member client process process-settings cluster-view; do
    . "$LIB/$part.sh"
done
CONFIG=$(process_config "$pid") || CONFIG=$view/none
look_at_process "$pid" "$view/process"
shift 5
"$@"
"""


@pytest.fixture(scope="module")
def etcd_programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """etcd and etcdctl 3.7.3."""
    return programs(tmp_path_factory.mktemp("3.7.3"), "3.7.3")


@contextlib.contextmanager
def started(etcd_programs: Path, folder: Path, kind: str) -> Iterator[LoopbackEtcd]:
    """An etcd that has the same settings in one of the ways to set it up."""
    ports = free_ports(2)
    url = f"http://127.0.0.1:{ports[0]}"
    options = options_of(folder, "by hand", url, f"http://127.0.0.1:{ports[1]}")
    if kind == "relative":
        options["data-dir"] = "data"
    arguments = [word for name, value in options.items() for word in (f"-{name}", value)]
    variables = {f"ETCD_{name.replace('-', '_').upper()}": value for name, value in options.items()}
    file = folder / "other.yaml"
    folder.mkdir(parents=True)
    # The first value is what nothing reads for certain.
    file.write_text("".join(f"? {name}\n: {value}\n" for name, value in options.items()))
    how: dict[str, tuple[list[str], dict[str, str]]] = {
        "flags": ([f"--{name}={value}" for name, value in options.items()], {}),
        "flags and words": (arguments, {"ETCD_EMPTY": ""}),
        "relative": (arguments, {}),
        "variables": ([], variables),
        "unreadable file": (["--config-file", "other.yaml"], {}),
        "unreadable file by a variable": ([], {"ETCD_CONFIG_FILE": str(file)}),
    }
    words, environment = how[kind]
    with loopback_etcd(etcd_programs, folder, url, words, environment) as etcd:
        yield etcd


def told(etcd: LoopbackEtcd, folder: Path, *command: str) -> str:
    """What a function of the library says of the process; status 2 is "unknown"."""
    view = folder / "view"
    view.mkdir(exist_ok=True)
    words = [LIBRARY, etcd.programs, folder / "none", view, etcd.pid, *command]
    done = subprocess.run(
        ["sh", "-uc", SHELL, "sh", *map(str, words)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else f"status {done.returncode}"


@pytest.mark.parametrize(
    "kind",
    [
        *("flags", "flags and words", "relative", "variables"),
        *("unreadable file", "unreadable file by a variable"),
    ],
)
def test_process_tells_what_no_file_tells(etcd_programs: Path, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "member"
    with started(etcd_programs, folder, kind) as etcd:
        assert str(etcd.pid) in told(etcd, folder, "etcd_processes").split()
        assert told(etcd, folder, "data_dir") == f"{folder}/data"
        assert told(etcd, folder, "wal_dir") == f"{folder}/data/member/wal"
        assert told(etcd, folder, "own_endpoint") == etcd.url
        assert told(etcd, folder, "setting", "name", "default") == "by hand"
        assert told(etcd, folder, "setting", "advertise-client-urls") == etcd.url
        assert told(etcd, folder, "peer_entries").startswith("by hand http://127.0.0.1:")
        assert told(etcd, folder, "member_has_data") == ""
        unknown = "status 2" if "file" in kind else "0"
        assert told(etcd, folder, "setting", "quota-backend-bytes", "0") == unknown


def test_files_of_a_process_are_those_of_its_working_directory(etcd_programs: Path, tmp_path: Path) -> None:
    port, peer_port = free_ports(2)
    url, peer_url = (f"http://127.0.0.1:{number}" for number in (port, peer_port))
    flags = [f"--{name}={value}" for name, value in options_of(tmp_path, "n", url, peer_url).items()]
    # A certificate that a plain URL does not use.
    variables = {"ETCD_TRUSTED_CA_FILE": "/etc/ca.pem", "ETCD_CERT_FILE": "cert.pem"}
    with loopback_etcd(
        etcd_programs, tmp_path, url, [*flags, "--key-file", "tls/key.pem"], variables
    ) as etcd:
        section = "client-transport-security"
        assert told(etcd, tmp_path, "setting", f"{section}.trusted-ca-file") == "/etc/ca.pem"
        assert told(etcd, tmp_path, "setting", f"{section}.cert-file") == f"{tmp_path}/cert.pem"
        assert told(etcd, tmp_path, "setting", f"{section}.key-file") == f"{tmp_path}/tls/key.pem"
        present = "present_certificate; echo $ETCDCTL_CACERT"
        assert told(etcd, tmp_path, "eval", present) == "/etc/ca.pem"


def test_process_of_another_pid_namespace_is_not_of_this_system(etcd_programs: Path, tmp_path: Path) -> None:
    (port, peer_port) = free_ports(2)
    url = f"http://127.0.0.1:{port}"
    flags = [
        f"--{name}={value}"
        for name, value in options_of(tmp_path, "n", url, f"http://127.0.0.1:{peer_port}").items()
    ]
    before = ["unshare", "--pid", "--fork", "--kill-child"]
    with loopback_etcd(etcd_programs, tmp_path, url, flags, before=before) as etcd:
        (child,) = Path(f"/proc/{etcd.pid}/task/{etcd.pid}/children").read_text().split()
        assert Path(f"/proc/{child}/exe").readlink() == etcd_programs / "etcd"
        assert child not in told(etcd, tmp_path, "etcd_processes").split()
