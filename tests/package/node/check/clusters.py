"""Clusters of real etcd on the loopback of this machine, and what their file would say."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from etcd_ha.check.check import Report, check
from etcd_ha.check.expected import Expected, ExpectedMember
from etcd_ha.check.finding import Command, Finding
from etcd_ha.identity import Identity

from tests.package.node.check.authority import Authority, Pair
from tests.support.releases import releases
from tests.support.releases.loopback_etcd import free_ports
from tests.support.wait import wait_for
from tests.system.article import binary_of

NEWEST = releases.NEWEST["3.6"]
HOST = "127.0.0.1"


@dataclass
class Loopback:
    """A member. changed: settings that are not as its file says."""

    name: str
    port: int
    peer_port: int
    folder: Path
    version: str = NEWEST
    host: str = HOST
    changed: Mapping[str, str] = field(default_factory=dict)
    # The CA file, and what the member presents.
    tls: tuple[Path, Pair] | None = None
    # What it is started by, such as nsenter.
    before: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def scheme(self) -> str:
        return "https" if self.tls or "auto-tls" in self.changed else "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def peer_url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.peer_port}"

    def options(self, initial_cluster: str) -> dict[str, str]:
        """Its settings, named as etcd's flags."""
        options = {
            **{
                "name": self.name,
                "data-dir": f"{self.folder}/{self.name}",
                "initial-cluster": initial_cluster,
            },
            **{"listen-client-urls": self.url, "advertise-client-urls": self.url},
            **{"listen-peer-urls": self.peer_url, "initial-advertise-peer-urls": self.peer_url},
        }
        if self.tls:
            authority, pair = self.tls
            for prefix in ("", "peer-"):
                options |= {
                    f"{prefix}trusted-ca-file": f"{authority}",
                    f"{prefix}cert-file": f"{pair.certificate}",
                    f"{prefix}key-file": f"{pair.key}",
                    f"{prefix}client-cert-auth": "true",
                }
        return {**options, **self.changed}

    def start(self, initial_cluster: str) -> None:
        """Start it, without waiting."""
        self.run(*(f"--{name}={value}" for name, value in self.options(initial_cluster).items()))

    def run(self, *words: str) -> None:
        """Start etcd with these words."""
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.before, str(program(self.version, "etcd")), *words], stdout=log, stderr=log
            )

    def stop(self) -> None:
        """Kill it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.process = None


@dataclass(frozen=True)
class Cluster:
    """Members that run, and who looks at them."""

    members: tuple[Loopback, ...]
    identity: Identity

    def expected(self, identity: Identity | None = None) -> Expected:
        """What the cluster's file says."""
        members = [ExpectedMember(one.name, (one.url,), (one.peer_url,)) for one in self.members]
        return Expected(
            urls=tuple(one.url for one in self.members),
            identity=identity or self.identity,
            members=tuple(members),
            faults_of=lambda _: (),
            renew=Command("etcd-deb cluster certs cluster.yaml --renew", "here"),
            present=Command("etcd-deb cluster check cluster.yaml --cert FILE --key FILE", "here"),
            authenticate=Command("etcd-deb cluster check cluster.yaml --credentials FILE", "here"),
            peer_authority=(identity or self.identity).authority,
        )

    def etcdctl(self, *words: str) -> str:
        """etcdctl at all members."""
        endpoints = ",".join(one.url for one in self.members if one.process)
        return in_shell(endpoints, self.identity, program(NEWEST, "etcdctl"), " ".join(["etcdctl", *words]))

    def type(self, finding: Finding) -> str:
        """Type the command of a finding as it is printed, as root's shell on a node would take it."""
        endpoints = ",".join(one.url for one in self.members if one.process)
        return in_shell(endpoints, self.identity, program(NEWEST, "etcdctl"), finding.command)


def in_shell(endpoints: str, identity: Identity, etcdctl: Path, command: str) -> str:
    variables = {
        "ETCDCTL_ENDPOINTS": endpoints,
        "ETCDCTL_CACERT": identity.authority,
        "ETCDCTL_CERT": identity.certificate,
        "ETCDCTL_KEY": identity.key,
        "ETCDCTL_USER": identity.user,
    }
    environment = {name: value for name, value in variables.items() if value}
    done = subprocess.run(
        ["sh", "-ec", command], capture_output=True, text=True, check=False, timeout=60,
        env={"PATH": f"{etcdctl.parent}:/usr/bin:/bin", **environment},
    )  # fmt: skip
    assert not done.returncode, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


PROGRAMS: dict[tuple[str, str], Path] = {}


def program(version: str, name: str) -> Path:
    """A program of a release, unpacked by the fixture `programs`."""
    return PROGRAMS[version, name]


def unpack(folder: Path, *versions: str) -> None:
    """Unpack the programs of releases, once for each."""
    releases.ensure(*versions)
    for version in versions:
        for name in ("etcd", "etcdctl"):
            if (version, name) not in PROGRAMS:
                path = folder / version / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(binary_of(version, name))
                path.chmod(0o755)
                PROGRAMS[version, name] = path


def identity_of(authority: Authority, pair: Pair | None = None) -> Identity:
    """How a client presents itself."""
    if pair is None:
        return Identity(str(authority.file))
    return Identity(str(authority.file), str(pair.certificate), str(pair.key))


def planned(folder: Path, count: int, tls: tuple[Path, Pair] | None = None) -> tuple[Loopback, ...]:
    """Members that have ports and do not run yet."""
    folder.mkdir(parents=True, exist_ok=True)
    ports = free_ports(2 * count)
    return tuple(
        Loopback(f"pg{number + 1}", ports[2 * number], ports[2 * number + 1], folder, tls=tls)
        for number in range(count)
    )


@contextlib.contextmanager
def running(members: Sequence[Loopback], identity: Identity | None = None) -> Iterator[Cluster]:
    """A cluster of these members, all of which serve, until the block ends."""
    cluster = Cluster(tuple(members), identity or Identity())
    initial = ",".join(f"{one.name}={one.peer_url}" for one in members)
    try:
        for one in members:
            one.start(initial)
        wait_for("the members to serve", lambda: serve(cluster), within=60)
        yield cluster
    finally:
        for one in members:
            one.stop()


def serve(cluster: Cluster) -> bool:
    """Whether each member that runs takes part in a quorum."""
    expected = cluster.expected()
    seen = check(expected).look.endpoints
    running_urls = {one.url for one in cluster.members if one.process}
    return all(one.healthy for one in seen if one.url in running_urls)


def faults(report: Report) -> set[tuple[str, str]]:
    """Kind and place of each finding."""
    return {(one.fault, one.where) for one in report.findings}


def the(report: Report, fault: str) -> Finding:
    """The one finding of its kind."""
    found = [one for one in report.findings if one.fault == fault]
    assert len(found) == 1, report.findings
    return found[0]
