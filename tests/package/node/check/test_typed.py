"""Commands of findings, typed as printed: afterwards the check finds nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml
from etcd_ha.check.check import FAULTY, FINE, UNKNOWN, Report, check
from etcd_ha.check.expected import ExpectedMember
from etcd_ha.check.finding import Finding
from etcd_ha.check.report import as_text
from etcd_ha.identity import Identity

from tests.package.node.check.authority import Authority, Pair, authority
from tests.package.node.check.clusters import (
    HOST,
    Cluster,
    Loopback,
    faults,
    identity_of,
    planned,
    program,
    running,
    the,
)
from tests.package.node.config.here import Here
from tests.package.node.config.test_lint import Tool
from tests.support.releases.loopback_etcd import free_ports
from tests.support.wait import wait_for

CLIENT, PEER = "client-transport-security", "peer-transport-security"


@dataclass
class OfFile(Loopback):
    """A member that is started by its etcd.yaml, as on a node."""

    @property
    def file(self) -> Path:
        return self.folder / "etcd.yaml"

    def start(self, initial_cluster: str) -> None:
        """Start it by its file, which is written once."""
        if not self.file.exists():
            document: dict[str, object] = {}
            sections: dict[str, dict[str, object]] = {CLIENT: {}, PEER: {}}
            for name, value in self.options(initial_cluster).items():
                own = name.removeprefix("peer-")
                if own.endswith("-file") or own in ("auto-tls", "client-cert-auth"):
                    parsed = value == "true" if value in ("true", "false") else value
                    sections[CLIENT if own == name else PEER][own] = parsed
                else:
                    document[name] = value == "true" if value in ("true", "false") else value
            document |= {name: section for name, section in sections.items() if section}
            self.file.write_text(yaml.dump(document, sort_keys=False))
        self.run("--config-file", str(self.file))

    def takes(self, finding: Finding, replaced: Mapping[str, str] | None = None) -> None:
        """Type the command of a finding, which ends with a restart."""
        command = finding.command
        for placeholder, value in (replaced or {}).items():
            assert placeholder in command
            command = command.replace(placeholder, value)
        assert command.endswith(" && etcd-ha restart")
        tool = Tool(self.folder, self.version[:3])
        tool.environment["ETCD_BIN"] = str(program(self.version, "etcd").parent)
        Here(tool).run("sh", "-ec", command)
        self.stop()
        self.start("")


def of_file(folder: Path, changed: Mapping[str, str], tls: tuple[Path, Pair] | None = None) -> OfFile:
    """A member that does not run yet."""
    client, peer = free_ports(2)
    return OfFile("pg1", client, peer, folder, changed=changed, tls=tls)


@contextlib.contextmanager
def started(member: OfFile, identity: Identity) -> Iterator[Cluster]:
    """A cluster of one, which need not be one that a check can ask."""
    try:
        member.start(f"pg1={member.peer_url}")
        yield Cluster((member,), identity)
    finally:
        member.stop()


def waits_for(cluster: Cluster, *kinds: str, listed: bool = True) -> Report:
    """The report, when exactly these kinds of faults are found. listed: whether a file lists the members."""
    expected = cluster.expected()

    def report() -> Report | None:
        seen = check(expected if listed else replace(expected, members=None))
        return seen if {kind for kind, _ in faults(seen)} == set(kinds) else None

    return wait_for(f"{kinds or 'nothing'} to be found", report, within=20)


def test_a_gateway_that_is_off_is_turned_on(tmp_path: Path) -> None:
    member = of_file(tmp_path, {"enable-grpc-gateway": "false"})
    with started(member, Identity()) as cluster:
        member.takes(the(waits_for(cluster, "gateway-off"), "gateway-off"))
        assert waits_for(cluster).status == FINE


@pytest.mark.parametrize("advertised", ["a port where nobody listens", "http to a port with TLS"])
def test_an_advertised_url_that_leads_nowhere_is_replaced(
    tmp_path: Path, signer: Authority, client: Pair, advertised: str
) -> None:
    member = of_file(tmp_path, {}, (signer.file, signer.issue("advertised", HOST)))
    plain = member.url.replace("https:", "http:")
    kind, url = ("speaks-tls", plain) if "TLS" in advertised else ("advertised-url", f"https://{HOST}:1")
    member.changed = {"advertise-client-urls": url}
    with started(member, identity_of(signer, client)) as cluster:
        member.takes(the(waits_for(cluster, kind, listed=False), kind))
        assert waits_for(cluster, listed=False).status == FINE


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_http_on_a_port_of_its_own_is_found_as_grpc_alone_and_ended(
    tmp_path: Path, signer: Authority, client: Pair, scheme: str
) -> None:
    pair = (signer.file, signer.issue("split", HOST)) if scheme == "https" else None
    (port,) = free_ports(1)
    member = of_file(tmp_path, {"listen-client-http-urls": f"{scheme}://{HOST}:{port}"}, pair)
    with started(member, identity_of(signer, client)) as cluster:
        report = waits_for(cluster, "grpc-only")
        assert (the(report, "grpc-only").on, report.status) == ("pg1", UNKNOWN)
        member.takes(the(report, "grpc-only"))
        assert waits_for(cluster).status == FINE


def test_certificates_of_auto_tls_are_found_and_replaced(
    tmp_path: Path, signer: Authority, client: Pair
) -> None:
    pair = signer.issue("proper", HOST)
    member = of_file(tmp_path, {"auto-tls": "true", "peer-auto-tls": "true"})
    with started(member, identity_of(signer, client)) as cluster:
        report = waits_for(cluster, "auto-tls")
        (found,) = report.findings
        # Nobody says which members there are, so that peers are not asked.
        assert (found.where, report.status) == (f"pg1 ({member.url})", UNKNOWN)
        files = {"CERT": str(pair.certificate), "KEY": str(pair.key)}
        member.takes(found, files)
        report = waits_for(cluster, "auto-tls")
        (found,) = report.findings
        assert (found.where, report.status) == (f"pg1 ({member.peer_url})", FAULTY)
        member.takes(found, files)
        assert waits_for(cluster).status == FINE


def test_a_certificate_among_members_of_another_ca_is_found_with_its_issuer(
    tmp_path: Path, signer: Authority, client: Pair
) -> None:
    theirs = authority(tmp_path / "theirs", "their CA")
    pair = theirs.issue("peer", HOST)
    changed = {"peer-cert-file": str(pair.certificate), "peer-key-file": str(pair.key)}
    member = of_file(tmp_path, changed, (signer.file, signer.issue("for-clients", HOST)))
    with started(member, identity_of(signer, client)) as cluster:
        report = waits_for(cluster, "certificate-chain")
        found = the(report, "certificate-chain")
        assert (found.where, report.status) == (f"pg1 ({member.peer_url})", FAULTY)
        assert "issued by their CA, which is not in that file" in found.found


def test_a_member_that_is_missing_is_added(tmp_path: Path) -> None:
    with running(planned(tmp_path, 1)) as cluster:
        expected = cluster.expected()
        assert expected.members is not None
        absent = ExpectedMember("pg2", (f"http://{HOST}:1",), (f"http://{HOST}:2",))
        wanted = replace(expected, members=(*expected.members, absent))
        assert "added to cluster" in cluster.type(the(check(wanted), "member-missing"))


def test_a_peer_url_that_differs_is_updated_and_a_learner_promoted(tmp_path: Path) -> None:
    first, second = planned(tmp_path, 2)
    with running([first]) as cluster:
        expected = cluster.expected()
        assert expected.members is not None
        other = replace(expected.members[0], peer_urls=(f"http://localhost:{first.peer_port}",))
        cluster.type(the(check(replace(expected, members=(other,))), "peer-url"))
        assert check(replace(expected, members=(other,))).status == FINE
        cluster.type(the(check(expected), "peer-url"))
        assert check(expected).status == FINE

        cluster.etcdctl("member", "add", second.name, f"--peer-urls={second.peer_url}", "--learner")
        second.changed = {"initial-cluster-state": "existing"}
        both = Cluster((first, second), cluster.identity)
        try:
            second.start(f"pg1={first.peer_url},pg2={second.peer_url}")
            wait_for(
                "the learner to be promoted",
                lambda: (
                    {kind for kind, _ in faults(check(both.expected()))} == {"learner"}
                    and promoted(cluster, both)
                ),
                within=30,
            )
            wait_for("nothing to be found", lambda: check(both.expected()).status == FINE, within=20)
        finally:
            second.stop()


def promoted(cluster: Cluster, both: Cluster) -> bool:
    """etcd refuses as long as the learner lags behind."""
    try:
        cluster.type(the(check(both.expected()), "learner"))
    except AssertionError as error:
        if "in sync with leader" in str(error):
            return False
        raise
    return True


def test_a_database_near_its_quota_is_compacted_and_defragmented(tmp_path: Path) -> None:
    (member,) = planned(tmp_path, 1)
    quota = 1 << 20
    with running([replace(member, changed={"quota-backend-bytes": str(quota)})]) as cluster:
        value = tmp_path / "value"
        value.write_text("x" * 30000)
        while "database" not in {kind for kind, _ in faults(check(cluster.expected()))}:
            cluster.etcdctl("put", "filler", f'"$(cat {value})"')
        report = check(cluster.expected())
        assert {kind for kind, _ in faults(report)} == {"database"}, as_text(report)
        cluster.type(the(report, "database"))
        assert check(cluster.expected()).status == FINE
