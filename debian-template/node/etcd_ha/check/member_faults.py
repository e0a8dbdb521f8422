"""Faults of the cluster as a whole: members, what they advertise, versions, alarms, round trip."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from etcd_ha.check.endpoint_faults import advertise
from etcd_ha.check.expected import Expected, ExpectedMember
from etcd_ha.check.finding import Finding, Gap, Judgement
from etcd_ha.check.look import Look, machine_of
from etcd_ha.endpoint import Endpoint, Member

UPGRADE = "apt install --only-upgrade etcd-ha"


def member_faults(look: Look, expected: Expected) -> Iterator[Judgement]:
    """Faults of the cluster as its members report it."""
    if look.members is None:
        yield Gap("members, their roles and what they advertise", "no member reported them")
    else:
        if expected.members is not None:
            yield from _against_file(look.members, expected.members)
        for member in look.members:
            yield from _of_member(member)
    for endpoint in look.endpoints:
        yield from _identity(endpoint, look, expected)
    yield from _versions(look, expected)
    yield from _alarms(look)
    yield from _round_trip(look)


def _against_file(members: tuple[Member, ...], wanted: tuple[ExpectedMember, ...]) -> Iterator[Finding]:
    # A member that has not started yet has no name.
    by_name = {one.name: one for one in members if one.name}
    unnamed = {url: one for one in members if not one.name for url in one.peer_urls}
    seen = set[str]()
    for each in wanted:
        member = by_name.get(each.name) or next(
            (unnamed[url] for url in each.peer_urls if url in unnamed), None
        )
        if member is None:
            peers = ",".join(each.peer_urls)
            command = f"etcdctl member add {each.name} --peer-urls={peers}"
            yield Finding(
                "member-missing", each.name, "a member, as the file says", "no member of that name", command
            )
            continue
        seen.add(member.id)
        if member.name and set(member.client_urls) != set(each.client_urls):
            urls = ",".join(each.client_urls)
            yield Finding(
                "advertised-url", member.shown, f"{urls}, as the file says",
                ",".join(member.client_urls) or "none", advertise(urls), member.shown,
            )  # fmt: skip
        if each.peer_urls and set(member.peer_urls) != set(each.peer_urls):
            peers = ",".join(each.peer_urls)
            command = f"etcdctl member update {member.id} --peer-urls={peers}"
            yield Finding(
                "peer-url", member.shown, f"{peers}, as the file says", ",".join(member.peer_urls), command
            )
    for member in members:
        if member.id not in seen:
            yield Finding(
                "member-extra", member.shown, "only members that the file names",
                f"{member.shown} with {', '.join(member.peer_urls)}", f"etcdctl member remove {member.id}",
            )  # fmt: skip


def _of_member(member: Member) -> Iterator[Finding]:
    if not member.name:
        where = f"{member.shown} ({', '.join(member.peer_urls)})"
        found = "it was added but never started"
        yield Finding(
            "member-not-started",
            where,
            "a member that has started",
            found,
            "systemctl start etcd",
            "that node",
        )
    if member.is_learner:
        command = f"etcdctl member promote {member.id}"
        yield Finding("learner", member.shown, "a voting member", "a learner", command)
    for url in member.client_urls:
        if _is_loopback(url) and not any(map(_is_loopback, member.peer_urls)):
            host = urlsplit(member.peer_urls[0]).hostname if member.peer_urls else "ADDRESS"
            better = url.replace(urlsplit(url).hostname or "", host or "ADDRESS", 1)
            yield Finding(
                "advertised-url",
                member.shown,
                "a URL that other machines can reach",
                url,
                advertise(better),
                member.shown,
            )


def _identity(endpoint: Endpoint, look: Look, expected: Expected) -> Iterator[Finding]:
    if endpoint.status is None:
        return
    if endpoint.status.cluster != look.cluster:
        found = f"a member of cluster {endpoint.status.cluster}"
        on = machine_of(endpoint.url, look, expected)
        yield Finding(
            "other-cluster", endpoint.url, f"a member of cluster {look.cluster}", found, "etcd-ha status", on
        )
        return
    answered = look.member(endpoint.status.id)
    for member in look.members or ():
        if answered and endpoint.url in member.client_urls and member.id != answered.id:
            wanted, found = f"{endpoint.url} leads to {member.shown}", f"{answered.shown} answers there"
            better = look.elsewhere(member, endpoint.url)
            command = advertise(better) if better else "etcd-ha status"
            yield Finding("advertised-url", member.shown, wanted, found, command, member.shown)


def _versions(look: Look, expected: Expected) -> Iterator[Judgement]:
    running = dict[str, dict[str, None]]()
    for one in look.endpoints:
        if one.version is not None:
            running.setdefault(one.version, {})[_named(one, look, expected)] = None
    shown = {version: ", ".join(names) for version, names in running.items()}
    if len(running) > 1:
        found = "; ".join(f"{version} on {names}" for version, names in sorted(shown.items()))
        newest = max(running, key=_numbers)
        older = ", ".join(names for version, names in shown.items() if version != newest)
        yield Finding(
            "versions", ", ".join(shown.values()), "one version on all members", found, UPGRADE, older
        )
    for version, names in shown.items():
        faults = expected.faults_of(version)
        if faults is None:
            yield Gap(
                f"known faults of etcd {version}, which runs on {names}",
                "no data about the faults of that version",
            )
        elif faults:
            fixed = [one.fixed for one in faults if one.fixed]
            wanted = (
                f"a version without known faults, such as {max(fixed, key=_numbers)}"
                if fixed
                else "a maintained version"
            )
            found = f"etcd {version}: " + "; ".join(f"{one.what} ({one.source})" for one in faults)
            yield Finding("known-fault", names, wanted, found, UPGRADE, names)


def _named(one: Endpoint, look: Look, expected: Expected) -> str:
    """Grouped by the member that answered, since two URLs can reach one member."""
    member = look.member(one.status.id) if one.status else None
    return member.shown if member else machine_of(one.url, look, expected)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.partition("-")[0].split(".") if part.isdigit())


def _alarms(look: Look) -> Iterator[Finding]:
    raised = {alarm: one.status for one in look.endpoints if one.status for alarm in one.status.alarms}
    for (kind, id_), status in sorted(raised.items()):
        member = look.member(id_)
        where = member.shown if member else f"member {id_}"
        if kind == "NOSPACE":
            found = "alarm NOSPACE: the database has reached its quota, and nothing can be written"
            command = f"etcdctl compact {status.revision}; etcdctl defrag --cluster; etcdctl alarm disarm"
        elif kind == "CORRUPT":
            found = "alarm CORRUPT: its data differs from that of the others"
            command = "etcdctl endpoint hashkv --cluster"
        else:
            found, command = f"alarm {kind}", "etcdctl alarm list"
        yield Finding("alarm", where, "no alarm", found, command)


def _round_trip(look: Look) -> Iterator[Judgement]:
    if not look.steps:
        yield Gap("put, get and delete", "no member is healthy and can be asked")
    for step in look.steps:
        if step.failure:
            yield Finding("round-trip", step.url, f"{step.done} of a key", step.failure, "etcd-ha status")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
