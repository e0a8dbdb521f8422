"""Which member has to go first while TLS is being turned on or off."""

from __future__ import annotations

import pytest
from etcd_ha.endpoint import Member
from etcd_ha.errors import EtcdHaError
from etcd_ha.tls.order import check_others
from etcd_ha.tls.stage import Stage
from etcd_ha.tls.view import Note, Standing


def at(name: str, stage: Stage, *, trusted: str = "ours") -> Standing:
    """A member at a stage, as its command has noted it."""
    member = Member(
        f"id of {name}", name, (f"http://{name}:2380",), (f"http://{name}:2379",), is_learner=False
    )
    return Standing(member, stage, "", Note("enable", stage, trusted), stage)


def first_named(*others: Standing, target: Stage, enables: bool = True) -> str:
    """What the refusal says; nothing where there is none."""
    try:
        check_others(others, target, "ours", enables)
    except EtcdHaError as error:
        return error.render()
    return ""


def test_of_several_that_are_behind_the_first_by_name_is_named_as_status_does() -> None:
    said = first_named(at("pg3", Stage.HTTP), at("pg2", Stage.HTTP), target=Stage.MEMBERS)
    assert said.startswith("pg2 is not as far; nothing was changed")
    assert said.endswith("hint: on pg2: etcd-ha tls enable")


@pytest.mark.parametrize("target", [Stage.BOTH, Stage.MEMBERS, Stage.HTTPS])
def test_the_next_stage_waits_until_all_others_are_beside_it(target: Stage) -> None:
    assert first_named(at("pg2", Stage(target - 1)), target=target) == ""
    assert first_named(at("pg2", target), target=target) == ""
    if target > Stage.BOTH:
        assert "pg2 is not as far" in first_named(at("pg2", Stage(target - 2)), target=target)


@pytest.mark.parametrize("target", [Stage.MEMBERS, Stage.BOTH, Stage.HTTP])
def test_the_way_back_waits_in_the_same_way(target: Stage) -> None:
    assert first_named(at("pg2", Stage(target + 1)), target=target, enables=False) == ""
    if target < Stage.MEMBERS:
        said = first_named(at("pg2", Stage(target + 2)), target=target, enables=False)
        assert said.endswith("hint: on pg2: etcd-ha tls disable")


def test_members_with_other_ca_files_do_not_speak_tls_to_each_other() -> None:
    said = first_named(at("pg2", Stage.BOTH, trusted="theirs"), target=Stage.MEMBERS)
    assert "its CA file for members is another one than this node's" in said
