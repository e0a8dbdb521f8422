"""The Patroni clusters whose keys are in etcd, and the versions that they report."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from etcd_ha.gateway import Body, Failed, Fields, below, decoded, encoded
from etcd_ha.keeper.cluster import Cluster

# Patroni's own default, and Debian's (config.yml.in).
NAMESPACES = ("/service/", "/postgresql-common/")
# Before it, Patroni fails with authentication on etcd 3.5.28, 3.6.9 and newer (patroni 3573), and with
# credentials while authentication is off on 3.6 (patroni 3525).
OLDEST = (4, 1, 1)
_MEMBER = re.compile(r"(.*/)members/([^/]+)")


@dataclass(frozen=True, slots=True)
class Patroni:
    """One of its processes. prefix: of its cluster's keys; version: None where it does not report one."""

    prefix: str
    name: str
    version: str | None

    @property
    def fault(self) -> str:
        """Why it would fail with authentication; empty where it would not."""
        if self.version is None:
            return f"{self.name} of {self.prefix}: it does not report its version"
        numbers = tuple(int(one) for one in re.findall(r"\d+", self.version)[:3])
        return f"{self.name} of {self.prefix}: Patroni {self.version}" if numbers < OLDEST else ""


def patronis_of(cluster: Cluster) -> list[Patroni]:
    """All that are alive: their keys end with them. Raises EtcdHaError."""
    found = []
    for namespace in NAMESPACES:
        body: Body = {**below(namespace), "keys_only": True}
        keys = _range(cluster, f"the keys below {namespace}", body)
        for key in (decoded(one.whole("key")) for one in keys):
            if match := _MEMBER.fullmatch(key):
                found.append(Patroni(match[1], match[2], _version(cluster, key)))
    return found


def _range(cluster: Cluster, what: str, body: Body) -> tuple[Fields, ...]:
    return cluster.ask(what, lambda one: one.call("kv/range", body)).many("kvs")


def _version(cluster: Cluster, key: str) -> str | None:
    values = _range(cluster, key, {"key": encoded(key)})
    try:
        said = json.loads(decoded(values[0].whole("value"))) if values else None
    except (ValueError, Failed):
        return None
    version = said.get("version") if isinstance(said, dict) else None
    return version if isinstance(version, str) and re.match(r"\d+\.\d+", version) else None
