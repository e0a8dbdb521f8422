"""Three members with TLS that nothing is wrong with, looked at with one thing wrong on our side."""

from __future__ import annotations

from dataclasses import replace

from etcd_ha.check.check import FAULTY, FINE, UNKNOWN, check
from etcd_ha.check.expected import ExpectedMember, KnownFault
from etcd_ha.check.report import as_text
from etcd_ha.check.round_trip import PREFIX
from etcd_ha.identity import Identity

from tests.package.node.check.authority import SERVER, Authority, Pair, authority
from tests.package.node.check.clusters import NEWEST, Cluster, faults, identity_of, the


def test_nothing_is_found_where_nothing_is_wrong_and_no_key_is_left(three: Cluster) -> None:
    report = check(three.expected())
    assert (report.findings, report.gaps, report.status) == ((), (), FINE), as_text(report)
    assert [one.done for one in report.look.steps] == ["put", "get", "delete", "gone"]
    assert len({one.url for one in report.look.steps}) == 3
    assert three.etcdctl("get", "--prefix", PREFIX, "--keys-only").strip() == ""
    assert three.etcdctl("lease", "list").split() == ["found", "0", "leases"]
    assert len(report.look.peers) == 3
    assert all(one.certificate and one.wants_certificates for one in report.look.peers)


def test_a_member_that_the_cluster_does_not_have_is_found(three: Cluster) -> None:
    expected = three.expected()
    assert expected.members is not None
    absent = ExpectedMember("pg9", ("https://127.0.0.1:1",), ("https://127.0.0.1:2",))
    found = the(check(replace(expected, members=(*expected.members, absent))), "member-missing")
    assert found.where == "pg9"
    assert found.command == "etcdctl member add pg9 --peer-urls=https://127.0.0.1:2"


def test_a_member_that_the_file_does_not_name_is_found(three: Cluster) -> None:
    expected = three.expected()
    assert expected.members is not None
    report = check(replace(expected, members=expected.members[:2], urls=expected.urls[:2]))
    assert faults(report) == {("member-extra", "pg3")}
    id_ = next(one.id for one in report.look.members or () if one.name == "pg3")
    assert the(report, "member-extra").command == f"etcdctl member remove {id_}"


def test_another_advertised_url_and_another_peer_url_than_in_the_file_are_found(three: Cluster) -> None:
    expected = three.expected()
    assert expected.members is not None
    other = replace(expected.members[0], client_urls=("https://pg1:2379",), peer_urls=("https://pg1:2380",))
    report = check(replace(expected, members=(other, *expected.members[1:])))
    assert faults(report) == {("advertised-url", "pg1"), ("peer-url", "pg1")}
    found = the(report, "advertised-url")
    assert found.command == "etcd-ha config set advertise-client-urls https://pg1:2379 && etcd-ha restart"
    assert found.on == "pg1"


def test_a_version_with_known_faults_is_named_once_and_one_that_nobody_knows_is_not_called_fine(
    three: Cluster,
) -> None:
    fault = KnownFault("it forgets", "https://example.org/1", "3.6.99")
    report = check(replace(three.expected(), faults_of={NEWEST: (fault,)}.get))
    found = the(report, "known-fault")
    assert found.where == "pg1, pg2, pg3"
    assert "it forgets" in found.found
    assert "3.6.99" in found.expected
    unknown = check(replace(three.expected(), faults_of=lambda _: None))
    assert (unknown.findings, unknown.status) == ((), UNKNOWN)
    assert NEWEST in unknown.gaps[0].what


def test_a_ca_of_somebody_else_is_found_with_the_one_who_signed(three: Cluster, client: Pair) -> None:
    theirs = authority(client.key.parent / "theirs", "their CA")
    report = check(three.expected(replace(identity_of(theirs), certificate=None)))
    found = the(report, "certificate-chain")
    assert "issued by check CA, which is not in that file" in found.found
    assert report.status == UNKNOWN
    assert "No member could be asked." in as_text(report)


def test_a_ca_of_the_same_name_with_another_key_is_found(three: Cluster, client: Pair) -> None:
    theirs = authority(client.key.parent / "renewed")
    found = the(check(three.expected(identity_of(theirs))), "certificate-chain")
    assert "the CA with that name in that file has another key" in found.found


def test_members_that_want_a_certificate_and_get_none_are_found(three: Cluster, signer: Authority) -> None:
    report = check(three.expected(identity_of(signer)))
    found = the(report, "client-certificate-missing")
    assert all(one.url in found.where for one in three.members)
    assert "--cert FILE --key FILE" in found.command


def test_a_certificate_that_members_refuse_is_found(three: Cluster, signer: Authority) -> None:
    stranger = authority(signer.folder / "stranger").issue("client")
    report = check(three.expected(replace(identity_of(signer, stranger))))
    found = the(report, "client-certificate")
    assert f"{stranger.certificate}, which the member refuses" in found.found


def test_own_certificate_without_clientauth_or_about_to_end_is_found(
    three: Cluster, signer: Authority
) -> None:
    wrong = signer.issue("server-only", usages=(SERVER,))
    found = the(check(three.expected(identity_of(signer, wrong))), "certificate-usage")
    assert (str(wrong.certificate) in found.where, "clientAuth" in found.expected) == (True, True)
    ending = signer.issue("ending", days=10)
    report = check(three.expected(identity_of(signer, ending)))
    assert faults(report) == {("certificate-ends-soon", f"file {ending.certificate}")}
    assert report.status == FAULTY


def test_plain_http_to_a_port_with_tls_is_found(three: Cluster) -> None:
    urls = tuple(one.url.replace("https:", "http:") for one in three.members)
    report = check(replace(three.expected(Identity()), urls=urls, members=None))
    found = [one for one in report.findings if one.fault == "speaks-tls"]
    assert [one.command for one in found] == [
        f"etcd-ha config set advertise-client-urls {one.url} && etcd-ha restart" for one in three.members
    ]
    assert report.status == UNKNOWN


def test_what_a_server_writes_moves_no_cursor(three: Cluster) -> None:
    expected = three.expected()
    assert expected.members is not None
    named = replace(expected.members[0], name="pg\x1b[2J")
    assert "\x1b" not in as_text(check(replace(expected, members=(named, *expected.members[1:]))))
