"""The database of a real etcd is read right while the member writes to it."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from builder.shipped import DEBIAN_TEMPLATE
from tests.lab import releases
from tests.lab.gateway import Gateway
from tests.lab.wait import wait_for
from tests.system.article import binary_of

READS = 40
# As fast as bbolt commits; the values replace each other, so that pages are used anew.
WRITE = r"""
import base64, http.client, itertools, json, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
value = base64.b64encode(b"x" * 3000).decode()
for number in itertools.count():
    key = base64.b64encode(str(number % 50).encode()).decode()
    connection.request("POST", "/v3/kv/put", json.dumps({"key": key, "value": value}))
    connection.getresponse().read()
"""
READ = r"""
. "$1/bbolt.sh"
for _ in $(seq "$3"); do
    bbolt_pairs "$2" cluster || echo "status $?"
    bbolt_pairs "$2" members >"$4" || echo "status $?"
    wc -l <"$4"
done
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def busy_database(tmp_path: Path) -> Iterator[Path]:
    """The database of a member that commits each 20 ms while a writer writes."""
    releases.ensure("3.7.3")
    (tmp_path / "etcd").write_bytes(binary_of("3.7.3", "etcd"))
    (tmp_path / "etcd").chmod(0o755)
    client, peer = free_port(), free_port()
    urls = (f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}")
    options = {
        **{
            "data-dir": f"{tmp_path}/data",
            "backend-batch-interval": "20ms",
            "initial-cluster": f"n={urls[1]}",
        },
        **{"listen-client-urls": urls[0], "advertise-client-urls": urls[0], "name": "n"},
        **{"listen-peer-urls": urls[1], "initial-advertise-peer-urls": urls[1]},
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    with (tmp_path / "log").open("wb") as log:
        etcd = subprocess.Popen([tmp_path / "etcd", *flags], stdout=log, stderr=log)
        try:
            gateway = Gateway(urls[0], 1)
            wait_for("etcd to serve", partial(gateway.put, "first", "put"), within=30)
            gateway.close()
            writer = subprocess.Popen(["python3", "-c", WRITE, str(client)])
            try:
                yield tmp_path / "data/member/snap/db"
                assert writer.poll() is None, "the writer ended before the reader"
            finally:
                writer.kill()
                writer.wait()
        finally:
            etcd.kill()
            etcd.wait()


def test_no_read_beside_a_writer_is_torn_or_wrong(busy_database: Path, tmp_path: Path) -> None:
    words = [str(DEBIAN_TEMPLATE / "lib"), str(busy_database), str(READS), str(tmp_path / "members")]
    done = subprocess.run(["sh", "-uc", READ, "sh", *words], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("clusterVersion\t3.7.0\n1\n" * READS, "")
