"""Who of the cluster still runs: a restore is for the case that all members are lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from etcd_ha.connection import Refusal
from etcd_ha.endpoint import Endpoint
from etcd_ha.errors import EtcdHaError

_SILENT = (Refusal.NOT_LISTENING, Refusal.NO_ANSWER, Refusal.NO_ADDRESS)


@dataclass(frozen=True, slots=True)
class Around:
    """URLs by what was found: silent, whose member may run all the same, and restored to the same data."""

    silent: tuple[str, ...]
    restored: tuple[str, ...]


def judge(seen: Sequence[Endpoint], own: Iterable[str], cluster: str, again: str) -> Around:
    """What answers at the members' URLs. Raises EtcdHaError where another cluster runs than the restored one.

    own: URLs of this node. cluster: the id of the restored cluster. again: the command as it was typed.
    """
    own_urls = frozenset(own)
    for one in seen:
        if one.healthy and one.status and one.status.cluster != cluster:
            raise EtcdHaError(
                f"the cluster is running: the member at {one.url} has a quorum",
                details=(
                    "A restore creates a new cluster of all members, and discards the data of this one.",
                    "To add this node again, with the data of the others: etcd-ha join",
                    "To restore anyway, first on every node: systemctl stop etcd",
                ),
                hint=f"then again: {again}",
            )
    for one in seen:
        if one.url in own_urls and not _is_unclear(one):
            # Its service is stopped by the restore.
            continue
        if one.status and one.status.cluster != cluster:
            raise EtcdHaError(
                f"the member at {one.url} runs without a quorum; its data may be newer than the backup",
                details=("To discard its data, on its node: systemctl stop etcd",),
                hint=f"then again: {again}",
            )
        if _is_unclear(one):
            raise EtcdHaError(
                f"can't tell whether the cluster is running: {one.url} does not name its own",
                details=(f"found     {_reason(one)}",),
                hint="etcd-ha check shows what it asks for; or, on its node: systemctl stop etcd",
            )
    return Around(
        tuple(one.url for one in seen if one.refused and one.url not in own_urls),
        tuple(one.url for one in seen if one.status and one.status.cluster == cluster),
    )


def _is_unclear(one: Endpoint) -> bool:
    if one.refused:
        return one.refused.refusal not in _SILENT
    return one.status is None


def _reason(one: Endpoint) -> str:
    return str(one.refused or one.denied or one.gateway or ("no gateway" if one.gateway_off else one.reason))
