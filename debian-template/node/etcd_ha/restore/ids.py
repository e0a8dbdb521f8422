"""The ids that etcd gives to a cluster when it begins (etcd's server/etcdserver/api/membership)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping


def members_in(initial_cluster: str) -> dict[str, tuple[str, ...]]:
    """Peer URLs by the name of each member of initial-cluster."""
    found = dict[str, tuple[str, ...]]()
    for entry in initial_cluster.split(","):
        name, _, url = (part.strip() for part in entry.partition("="))
        if name and url:
            found[name] = (*found.get(name, ()), url)
    return found


def member_id(peer_urls: Iterable[str], token: str) -> int:
    """Of a member from the beginning of its cluster."""
    return _first_eight(("".join(sorted(peer_urls)) + token).encode())


def cluster_id(members: Mapping[str, Iterable[str]], token: str) -> str:
    """In hexadecimal, as etcdctl has it."""
    ids = sorted(member_id(urls, token) for urls in members.values())
    return f"{_first_eight(b''.join(one.to_bytes(8, 'big') for one in ids)):x}"


def _first_eight(content: bytes) -> int:
    return int.from_bytes(hashlib.sha1(content, usedforsecurity=False).digest()[:8], "big")
