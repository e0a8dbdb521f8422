"""The database of a real etcd is read right while the member writes to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.shipped import DEBIAN_TEMPLATE
from tests.support.releases.loopback_etcd import free_ports, loopback_etcd, options_of, programs
from tests.support.sample import sampled

# As fast as it goes; the values replace each other, so that pages are used anew.
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
    for bucket in cluster members; do
        read=$(bbolt_pairs "$2" "$bucket") || read="status $?: $read"
        printf '%s\n' "$read" | sed 's/^[0-9a-f]*\t{.*/one member/'
    done
done
"""


@pytest.fixture
def busy_database(tmp_path: Path) -> Iterator[Path]:
    """The database of a member that commits each 20 ms while a writer writes."""
    port, peer_port = free_ports(2)
    url = f"http://127.0.0.1:{port}"
    options = options_of(tmp_path, "n", url, f"http://127.0.0.1:{peer_port}")
    options["backend-batch-interval"] = "20ms"
    flags = [f"--{name}={value}" for name, value in options.items()]
    with loopback_etcd(programs(tmp_path, "3.7.3"), tmp_path, url, flags):
        writer = subprocess.Popen([sys.executable, "-c", WRITE, str(port)])
        try:
            yield tmp_path / "data/member/snap/db"
            assert writer.poll() is None, "the writer ended before the reader"
        finally:
            writer.kill()
            writer.wait()


@pytest.mark.parametrize("reads", sampled([4, 40], 4))
def test_no_read_beside_a_writer_is_torn_or_wrong(busy_database: Path, reads: int) -> None:
    words = [str(DEBIAN_TEMPLATE / "node/lib"), str(busy_database), str(reads)]
    done = subprocess.run(
        ["sh", "-uc", READ, "sh", *words], capture_output=True, text=True, check=False, timeout=300
    )
    said = done.stdout.splitlines()
    # On a slow machine a writer may be faster than every attempt: then the reader says so.
    too_fast = "status 2: it changed during each of 30 tries"
    assert ({*said} - {too_fast}, done.stderr) == ({"clusterVersion\t3.7.0", "one member"}, "")
    # One line of each read: no member is told twice.
    assert len(said) == 2 * reads
    assert said.count(too_fast) < reads / 2
