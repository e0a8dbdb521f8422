"""A key that is written on one member, read on another and deleted on a third."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from etcd_ha.connection import NotReached, place_of
from etcd_ha.gateway import Failed, Fields, Gateway, encoded
from etcd_ha.identity import Identity

PREFIX = "/etcd-ha/check/"
# Seconds after which etcd itself removes the key of a killed check.
LIFE = 60


@dataclass(frozen=True, slots=True)
class Step:
    """done: put, get, delete or gone; failure: empty if it succeeded."""

    done: str
    url: str
    failure: str = ""


def go_round(
    urls: Sequence[str], identity: Identity, context: ssl.SSLContext, bound: float
) -> tuple[Step, ...]:
    """Put on the first URL, get on the second, delete on the third, and see on the first that it is gone.

    With fewer URLs they are asked again. The last step is the one that failed, where one did.
    """
    key, value = f"{PREFIX}{secrets.token_hex(8)}", secrets.token_hex(8)
    first, second, third = (urls[number % len(urls)] for number in range(3))
    lease = 0

    def ask(url: str, method: str, body: dict[str, str | int | bool]) -> Fields:
        place = place_of(url)
        gateway = Gateway(place, identity, context if place.is_tls else None, bound)
        try:
            return gateway.call(method, body)
        finally:
            gateway.close()

    def put() -> str:
        nonlocal lease
        lease = ask(first, "lease/grant", {"TTL": LIFE}).number("ID")
        ask(first, "kv/put", {"key": encoded(key), "value": encoded(value), "lease": lease})
        return ""

    def get() -> str:
        found = [one.text("value") for one in ask(second, "kv/range", {"key": encoded(key)}).many("kvs")]
        return "" if found == [encoded(value)] else f"the value was not there ({len(found)} keys found)"

    def delete() -> str:
        deleted = ask(third, "kv/deleterange", {"key": encoded(key)}).number("deleted")
        return "" if deleted == 1 else f"{deleted} keys were deleted"

    def gone() -> str:
        ask(first, "lease/revoke", {"ID": lease})
        left = ask(first, "kv/range", {"key": encoded(key)}).number("count")
        return f"{key} is still there" if left else ""

    steps = list[Step]()
    for name, url, step in (
        ("put", first, put),
        ("get", second, get),
        ("delete", third, delete),
        ("gone", first, gone),
    ):
        steps.append(Step(name, url, _failure(step)))
        if steps[-1].failure:
            break
    if lease and steps[-1].failure:
        with suppress(Failed, NotReached):
            ask(first, "lease/revoke", {"ID": lease})
    return tuple(steps)


def _failure(step: Callable[[], str]) -> str:
    try:
        return step()
    except (Failed, NotReached) as error:
        return str(error)
