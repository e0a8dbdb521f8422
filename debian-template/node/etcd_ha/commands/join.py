"""etcd-ha join: this node becomes a member of a cluster, as a new one or in the place of its dead one."""

from __future__ import annotations

import os
from collections.abc import Sequence

from etcd_ha.check.expected import Expected
from etcd_ha.connection import place_of, split
from etcd_ha.downgrade.versions import listed, minor_of, minors_of
from etcd_ha.errors import EtcdHaError, WrongUsage
from etcd_ha.keeper import machine
from etcd_ha.keeper.cluster import Cluster
from etcd_ha.keeper.here import Here, here_of
from etcd_ha.keeper.joining import Joining
from etcd_ha.keeper.lock import only_one
from etcd_ha.keeper.plan import carry_out
from etcd_ha.keeper.seen import Seen, quorum_faults
from etcd_ha.keeper.words import Words, confirm, read_words, require_root, say


def main(arguments: list[str]) -> int:
    """Join the cluster. Returns the exit status. Raises EtcdHaError."""
    words = read_words("join", arguments)
    wait = words.seconds("--wait", 900)
    require_root(words)
    here = here_of(os.environ)
    with only_one(words, here.run):
        known = here.expected()
        urls = [_completed(one, known) for one in words.operands] or list(known.entries)
        if not urls:
            raise WrongUsage("no URL of the cluster is known", hint="etcd-ha join http://OTHER:2379")
        own = (*known.urls, *known.listened)
        cluster = Cluster([one for one in urls if one not in own], known.identity)
        joining = Joining(here, cluster, known, _peer_urls(here), wait)
        _check(words, joining)
        carry_out(words, joining.steps())
    if not words.is_dry:
        say(f"{known.own} is a member of the cluster, and healthy")
    return 0


def _check(words: Words, joining: Joining) -> None:
    """Refuse what would take the quorum or another node's place, and ask. Raises EtcdHaError."""
    seen = joining.cluster.look()
    for one in seen:
        if one.is_healthy and one.member.name == joining.known.own and not joining.is_here(one.member):
            raise EtcdHaError(
                f"another node, at {', '.join(one.member.peer_urls)}, has a healthy member {one.member.name}",
                hint="give this node a name of its own: dpkg-reconfigure etcd-ha",
            )
    data, dead = machine.data_identity(joining.here), joining.dead([one.member for one in seen])
    for member in dead:
        if next(one for one in seen if one.member == member).is_healthy:
            raise EtcdHaError(
                f"{member.shown} at {', '.join(member.peer_urls)} is healthy, and its data is not here",
                hint="on both nodes: etcd-ha status",
            )
    left = [one for one in seen if one.member not in dead]
    if faults := quorum_faults(left):
        raise EtcdHaError("the cluster would have no quorum without this node", details=faults)
    is_member = data is not None and data[0] in [one.member.id for one in left]
    if not is_member:
        _check_version(machine.etcd_version(joining.here), left)
    consequences = [
        f"{one.shown} ({one.id}) at {', '.join(one.peer_urls)} does not answer, and its data is not on this "
        "node. It will be removed from the cluster. If its disk is just not mounted, mount it instead."
        for one in dead
    ]
    if data and not is_member:
        consequences.append(
            f"The data of member {data[0]} of cluster {data[1]} on this node will be renamed, and kept."
        )
    if consequences and not words.is_dry:
        confirm(words, consequences, f"Join as {joining.known.own}?")


def _check_version(own: str, members: Sequence[Seen]) -> None:
    """Refuse what is newer than all: 3.7 panics at what 3.5 left in their log. Raises EtcdHaError."""
    minors = minors_of(members)
    if minors and max(minors) < minor_of(own):
        raise EtcdHaError(
            f"etcd {own} on this node is newer than that of all members",
            details=(f"found     {listed(members)}",),
            hint=f"apt install -y --allow-downgrades 'etcd-ha={max(minors)}.*'",
        )


def _completed(text: str, known: Expected) -> str:
    """A URL from a name or an address: with the scheme and the port of this node's own."""
    if "://" in text:
        return text
    own = place_of(known.urls[0])
    host = f"[{text}]" if text.count(":") > 1 and not text.startswith("[") else text
    port = "" if host.rpartition("]")[2].count(":") else f":{own.port}"
    return f"{own.scheme}://{host}{port}"


def _peer_urls(here: Here) -> frozenset[str]:
    urls = frozenset(split(here.configuration.get("initial-advertise-peer-urls")))
    if not urls:
        raise EtcdHaError(
            "etcd.yaml has no initial-advertise-peer-urls, so the URL for other members is unknown",
            hint="dpkg-reconfigure etcd-ha",
        )
    return urls
