"""The answer that lists the members: completed, put right, or refused with what is wrong (lib/answers.sh)."""

from __future__ import annotations

import pytest

from tests.package.node.node_shell import NodeShell


@pytest.mark.parametrize(
    ("text", "scheme", "completed"),
    [
        ("pg1,pg2", "http", "pg1=http://pg1:2380,pg2=http://pg2:2380"),
        ("pg1=192.168.6.10, pg2=pg2.example.org", "https", None),
        ("pg1=10.0.0.1:2390", "http", "pg1=http://10.0.0.1:2390"),
        ("a=fd00::1,b=[fd00::2],c=[fd00::3]:1", "http", "a=http://[fd00::1]:2380,b=http://[fd00::2]:2380,c=http://[fd00::3]:1"),
        ("pg1=https://pg1", "https", "pg1=https://pg1:2380"),
        ("a=http://x:1,a=http://y:1", "http", "a=http://x:1,a=http://y:1"),
    ],
)  # fmt: skip
def test_short_forms_of_members_are_completed(
    shell: NodeShell, text: str, scheme: str, completed: str | None
) -> None:
    outcome = shell.members(text, scheme)
    expected = completed or "pg1=https://192.168.6.10:2380,pg2=https://pg2.example.org:2380"
    assert (outcome.status, outcome.edited.decode()) == (0, expected + "\n")


@pytest.mark.parametrize(
    "text",
    [
        "pg1,pg2,",
        ",pg1,,pg2",
        "pg1 , pg2 , ",
        "pg1 = pg1,pg2",
        "pg1=HTTP://pg1:2380,pg2=Http://pg2",
        "pg1=http://pg1:2380/,pg2",
    ],
)
def test_what_changes_nothing_in_a_list_of_members_is_put_right(shell: NodeShell, text: str) -> None:
    outcome = shell.members(text)
    assert (outcome.status, outcome.edited) == (0, b"pg1=http://pg1:2380,pg2=http://pg2:2380\n")


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        *((entry, "name") for entry in ("=x", "a b=x")),
        *((entry, "scheme") for entry in ("a=ftp://x", "a=https://x:2380")),
        *((entry, "path") for entry in ("a=http://x:2380/a", "a=x/y")),
        *((entry, "port") for entry in ("a=x:0", "a=x:70000", "a=x:")),
        *((entry, "host") for entry in ("a=", "a=300.1.1.1", "a=fd00:::1", "a=[fd00::1", "a=x;y")),
        *((entry, "host") for entry in ('a="x"', "a=x:2380:")),
    ],
)
def test_entry_that_etcd_would_refuse_is_named_with_what_is_wrong(
    shell: NodeShell, entry: str, kind: str
) -> None:
    outcome = shell.members(f"pg1=http://pg1:2380,{entry},pg3=http://pg3:2380")
    assert (outcome.status, outcome.edited.decode()) == (1, f"{kind}\t{entry}\n")


def test_url_that_two_members_have_is_named(shell: NodeShell) -> None:
    assert shell.members("a=http://x:1,b=http://X:1").edited == b"double\tb=http://X:1\n"


@pytest.mark.parametrize("text", ["", " ", ",", " , ,"])
def test_list_without_an_entry_is_said_to_be_empty(shell: NodeShell, text: str) -> None:
    assert shell.members(text).edited == b"empty\t\n"
