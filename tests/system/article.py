"""The hand-made install of the well-known article, its commands to the letter (shared/facts/article.md)."""

import io
import tarfile
from collections.abc import Sequence

from tests.support.machines.machine import Machine
from tests.support.releases import releases

UNIT = """\
[Unit]
Description=etcd key-value store
Documentation=https://github.com/etcd-io/etcd
After=network.target

[Service]
User=etcd
Type=notify
Environment=ETCD_DATA_DIR=/var/lib/etcd
Environment=ETCD_NAME=%m
ExecStart=/usr/sbin/etcd --config-file /etc/etcd/etcd.yaml
Restart=always
RestartSec=10s
LimitNOFILE=40000

[Install]
WantedBy=multi-user.target
"""

CONFIG = """\
name: {name}
advertise-client-urls: http://{name}:2379
data-dir: /var/lib/etcd/postgresql
initial-advertise-peer-urls: http://{name}:2380
initial-cluster: {members}
initial-cluster-state: new
initial-cluster-token: patroni_cluster
listen-client-urls: http://{address}:2379,http://127.0.0.1:2379
listen-peer-urls: http://{address}:2380
dial-timeout: 20s
read-timeout: 20s
write-timeout: 20s
"""

# The tarball lies in /root already; the article fetches it from GitHub.
COMMANDS = """\
useradd --system --create-home -s /bin/bash -d /var/lib/etcd etcd
tar -C /usr/local -xzf /root/etcd-v{version}-linux-amd64.tar.gz
chown -R root:root /usr/local/etcd-v{version}-linux-amd64
ln -s etcd-v{version}-linux-amd64 /usr/local/etcd
update-alternatives --install /usr/sbin/etcd etcd /usr/local/etcd/etcd 100
update-alternatives --install /usr/bin/etcdctl etcdctl /usr/local/etcd/etcdctl 100
systemctl daemon-reload
mkdir /etc/etcd
chown etcd:etcd /etc/etcd
"""


def install_by_hand(machines: Sequence[Machine], version: str) -> None:
    """Each node as the article's reader leaves it, started."""
    members = ",".join(f"{peer.name}=http://{peer.name}:2380" for peer in machines)
    tarball = releases.RELEASES / f"v{version}" / f"etcd-v{version}-linux-amd64.tar.gz"
    for machine in machines:
        machine.put(f"/root/{tarball.name}", tarball)
        machine.put("/etc/systemd/system/etcd.service", UNIT)
        machine.run("sh", "-ec", COMMANDS.format(version=version))
        config = CONFIG.format(name=machine.name, address=machine.address, members=members)
        machine.put("/etc/etcd/etcd.yaml", config)
        machine.run("systemctl", "enable", "etcd")
        machine.run("systemctl", "--no-block", "start", "etcd")


def binary_of(version: str, program: str) -> bytes:
    """A program out of a release's tarball."""
    top = f"etcd-v{version}-linux-amd64"
    with tarfile.open(releases.RELEASES / f"v{version}" / f"{top}.tar.gz") as archive:
        member = archive.extractfile(f"{top}/{program}")
        assert member is not None
        return io.BytesIO(member.read()).getvalue()
