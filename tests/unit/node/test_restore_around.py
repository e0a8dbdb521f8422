"""When a restore is refused for what still runs."""

from __future__ import annotations

import pytest
from etcd_ha.connection import NotReached, Refusal
from etcd_ha.endpoint import Endpoint, Status
from etcd_ha.errors import EtcdHaError
from etcd_ha.restore.around import judge

OWN, OTHER = "http://pg1:2379", "http://pg2:2379"
OLD, NEW = "aaaa", "bbbb"
SILENT = (Refusal.NOT_LISTENING, Refusal.NO_ANSWER, Refusal.NO_ADDRESS)
AGAIN = "etcd-ha restore snapshot.db"


def answering(url: str, cluster: str, *, healthy: bool) -> Endpoint:
    status = Status("1", cluster, "1", False, 1, 1, None, 1, frozenset(), 1)
    return Endpoint(url, version="3.6.16", healthy=healthy, status=status)


def refused(url: str, refusal: Refusal) -> Endpoint:
    return Endpoint(url, refused=NotReached(refusal, "reason"))


def refusal_of(*seen: Endpoint) -> str:
    with pytest.raises(EtcdHaError) as error:
        judge(seen, [OWN], NEW, AGAIN)
    return error.value.render()


@pytest.mark.parametrize("silence", SILENT)
def test_where_nobody_answers_it_goes_on_and_the_silent_are_named(silence: Refusal) -> None:
    around = judge([refused(OWN, silence), refused(OTHER, silence)], [OWN], NEW, AGAIN)
    assert (around.silent, around.restored) == ((OTHER,), ())


@pytest.mark.parametrize("url", [OWN, OTHER])
def test_a_living_cluster_is_refused_and_join_is_named(url: str) -> None:
    said = refusal_of(refused(OWN, Refusal.NOT_LISTENING), answering(url, OLD, healthy=True))
    assert said.startswith(f"the cluster is running: the member at {url} has a quorum")
    assert "etcd-ha join" in said
    assert said.endswith(f"hint: then again: {AGAIN}")


def test_a_member_without_a_quorum_has_to_be_stopped_first_unless_it_is_this_one() -> None:
    assert "may be newer than the backup" in refusal_of(answering(OTHER, OLD, healthy=False))
    judge([answering(OWN, OLD, healthy=False)], [OWN], NEW, AGAIN)


def test_members_that_were_restored_already_are_no_living_cluster() -> None:
    around = judge([answering(OTHER, NEW, healthy=True)], [OWN], NEW, AGAIN)
    assert around.restored == (OTHER,)


@pytest.mark.parametrize("url", [OWN, OTHER])
@pytest.mark.parametrize("refusal", [one for one in Refusal if one not in SILENT])
def test_who_answers_and_can_not_be_asked_is_not_taken_for_dead(url: str, refusal: Refusal) -> None:
    assert "can't tell whether the cluster is running" in refusal_of(refused(url, refusal))


@pytest.mark.parametrize(
    "known",
    [
        Endpoint(OTHER, version="3.6.16", healthy=True, denied="user name is empty"),
        Endpoint(OTHER, version="3.6.16", healthy=True, gateway_off=True),
        Endpoint(OTHER, version="3.6.16", healthy=False, gateway="404"),
    ],
)
def test_a_member_that_does_not_say_whose_it_is_is_not_taken_for_dead(known: Endpoint) -> None:
    assert "can't tell" in refusal_of(known)
