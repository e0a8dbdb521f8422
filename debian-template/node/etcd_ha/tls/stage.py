"""The stages between http and https, and what etcd.yaml has at each.

Neighbours overlap, so a cluster works with members at both: clients have http and https on one port at the
two in the middle, and members can speak TLS to others from BOTH on (embed/etcd.go, rafthttp/urlpick.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from urllib.parse import urlsplit

from etcd_ha.connection import split
from etcd_ha.errors import EtcdHaError


class Stage(IntEnum):
    """The names are part of keys in the cluster: they never change."""

    HTTP = 0
    BOTH = 1
    MEMBERS = 2
    HTTPS = 3

    @property
    def shown(self) -> str:
        return _SHOWN[self]

    @property
    def scheme(self) -> str:
        """Of the URLs that the member advertises, to clients and to members."""
        return "https" if self >= Stage.MEMBERS else "http"

    @property
    def client_schemes(self) -> tuple[str, ...]:
        """With which it serves clients."""
        return {Stage.HTTP: ("http",), Stage.HTTPS: ("https",)}.get(self, ("http", "https"))


_SHOWN = {
    Stage.HTTP: "http",
    Stage.BOTH: "http between members, http and https for clients",
    Stage.MEMBERS: "https between members, http and https for clients",
    Stage.HTTPS: "https",
}
LISTENS, ADVERTISES = "listen-client-urls", "advertise-client-urls"
LISTENS_TO_MEMBERS, MEMBER_URLS = "listen-peer-urls", "initial-advertise-peer-urls"
INITIAL = "initial-cluster"
URL_KEYS = (LISTENS, ADVERTISES, LISTENS_TO_MEMBERS, MEMBER_URLS, INITIAL)


def with_scheme(url: str, scheme: str) -> str:
    """The same URL, in http or https."""
    parts = urlsplit(url)
    return f"{scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else url


def urls_at(stage: Stage, now: Mapping[str, str]) -> dict[str, str]:
    """The keys of URL_KEYS at a stage, from those of any other. Raises EtcdHaError where one is absent."""
    if absent := [key for key in URL_KEYS if not now.get(key)]:
        raise EtcdHaError(
            f"etcd.yaml has no {absent[0]}, so etcd's default applies, which other nodes can't reach",
            hint="write it into the file: etcd-ha config set",
        )
    places = list(dict.fromkeys(with_scheme(one, "http") for one in split(now[LISTENS])))
    schemes, one_scheme = stage.client_schemes, stage.scheme
    entries = [one.partition("=") for one in split(now[INITIAL])]
    return {
        LISTENS: _joined(with_scheme(place, scheme) for place in places for scheme in schemes),
        ADVERTISES: _joined(with_scheme(one, one_scheme) for one in split(now[ADVERTISES])),
        LISTENS_TO_MEMBERS: _joined(with_scheme(one, one_scheme) for one in split(now[LISTENS_TO_MEMBERS])),
        MEMBER_URLS: _joined(with_scheme(one, one_scheme) for one in split(now[MEMBER_URLS])),
        INITIAL: _joined(f"{name}={with_scheme(url, one_scheme)}" for name, _, url in entries),
    }


def _joined(urls: Iterable[str]) -> str:
    return ",".join(dict.fromkeys(urls))
