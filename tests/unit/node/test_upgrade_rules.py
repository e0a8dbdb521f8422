"""Steps between versions of etcd that upstream forbids, and those that it advises against."""

from __future__ import annotations

import subprocess

import pytest

from builder.shipped import DEBIAN_TEMPLATE

RULES = '. "$1/yaml.sh"; . "$1/member.sh"; . "$1/upgrade.sh"; "$2" "$3" "$4"'


def told(rule: str, old: str, new: str) -> str:
    """What a function of lib/upgrade.sh says of a step."""
    words = ["sh", "-euc", RULES, "sh", str(DEBIAN_TEMPLATE / "node/lib"), rule, old, new]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("3.4.23", "3.6.7", "skips a minor"),
        ("3.5.33", "3.7.1", "skips a minor"),
        ("3.5", "3.7.0-rc.0", "skips a minor"),
        ("2.3.8", "3.4.0", "skips a minor"),
        ("3.5.16", "3.6.7", "issues/20967"),
        ("3.5.25", "3.6.0", "issues/20967"),
        ("3.5", "3.6.7", "issues/20967"),
        ("3.6.10", "3.7.1", "3.6.11 or later"),
        ("3.6", "3.7.1", "3.6.11 or later"),
    ],
)
def test_step_that_upstream_forbids_is_named_with_its_reason_and_the_way_out(
    old: str, new: str, why: str
) -> None:
    what, reason, way = told("forbidden_step", old, new).splitlines()
    assert what.startswith(f"etcd {new} can't follow {old}: ")
    assert why in what + reason
    assert " first, one node after the other: apt install 'etcd-ha=" in way


@pytest.mark.parametrize(
    ("old", "new", "first"),
    [("3.5.16", "3.7.3", "to 3.5.32 or later first"), ("3.5.33", "3.7.3", "to 3.6 first")],
)
def test_way_out_begins_with_a_step_that_is_allowed(old: str, new: str, first: str) -> None:
    way = told("forbidden_step", old, new).splitlines()[2]
    assert way.startswith(f"upgrade every node {first}, one node after the other: ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *(("3.5.16", "3.5.30"), ("3.5.30", "3.5.16"), ("3.4.23", "3.5.1"), ("3.5.26", "3.6.0")),
        *(("3.5.33", "3.6.7"), ("3.6.11", "3.7.0-rc.0"), ("3.6.14", "3.5.33"), ("3.10.1", "3.11.0")),
    ],
)
def test_step_that_upstream_allows_is_not_forbidden(old: str, new: str) -> None:
    assert told("forbidden_step", old, new) == ""


@pytest.mark.parametrize(
    ("old", "new", "advice"),
    [
        ("3.5.26", "3.6.7", "3.5.32 or later"),
        ("3.5.31", "3.6.7", "3.5.32 or later"),
        ("3.4.23", "3.5.30", "the newest 3.4"),
        ("3.5.32", "3.6.7", ""),
        ("3.5.1", "3.5.30", ""),
    ],
)
def test_step_that_upstream_advises_against_is_a_warning(old: str, new: str, advice: str) -> None:
    said = told("inadvisable_step", old, new)
    assert (advice in said) if advice else (said == "")
